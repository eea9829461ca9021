"""Observations made of other observations."""
