"""Families for any real number."""
