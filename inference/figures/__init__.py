"""Figures, each from results that are computed elsewhere."""
