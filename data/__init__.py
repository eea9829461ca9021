"""Datasets in data units, with the bounds, grids, columns and scaling that an observation needs."""

from obsvae.data.columns import Column, Kind
from obsvae.data.dataset import Dataset
from obsvae.data.grid import Grid
from obsvae.data.inspection.look import Look
from obsvae.data.inspection.looking import look_at
from obsvae.data.inspection.suspicion import Suspicion
from obsvae.data.inspection.suspicions import suspicions_of
from obsvae.data.load import SOURCES, load

__all__ = [
    "SOURCES",
    "Column",
    "Dataset",
    "Grid",
    "Kind",
    "Look",
    "Suspicion",
    "load",
    "look_at",
    "suspicions_of",
]
