"""Errors of filled entries on tables of which entries were hidden, beside other programs' on the same entries."""
