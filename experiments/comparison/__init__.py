"""Candidates on the same data, ranked on one scale."""
