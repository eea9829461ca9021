"""Readers of tables, one file for each format; each returns a `RawTable`."""
