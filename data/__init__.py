"""Datasets in data units, with the bounds, grid and scaling that an observation needs."""

from data.dataset import Dataset, Grid
from data.load import load, names

__all__ = ["Dataset", "Grid", "load", "names"]
