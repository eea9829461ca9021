"""A recommendation in words, tables, files and figures."""
