"""Families for positive numbers."""
