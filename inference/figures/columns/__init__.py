"""Figures of tables, whose columns have kinds and units of their own."""
