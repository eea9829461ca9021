"""Families for counts."""
