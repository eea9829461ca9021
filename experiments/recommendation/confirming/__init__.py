"""Trials of candidates in small VAEs, and what their scores say."""
