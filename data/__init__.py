"""Datasets in data units, with the bounds, grid and scaling that an observation needs."""

from obsvae.data.dataset import Dataset, Grid
from obsvae.data.load import SOURCES, load

__all__ = ["SOURCES", "Dataset", "Grid", "load"]
