"""Families between two bounds."""
