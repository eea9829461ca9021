"""Families for angles."""
