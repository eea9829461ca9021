"""Families for the levels of a grid."""
