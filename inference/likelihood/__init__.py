"""Estimates of log p(x), and how far to trust them."""
