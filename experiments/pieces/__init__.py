"""Pieces of interrupted work on rows, kept until its result is written."""
