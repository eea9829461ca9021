"""What a candidate is scored as, and whether it takes the data: before any training."""

import copy

import torch

from obsvae.data import Dataset
from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.model import Observation, on_grid


def scored_as(observation: Observation) -> dict[str, Observation]:
    """Return the likelihoods that a trained observation is scored under, by name; its own has the empty name."""
    return {c.name: c.observation for c in observation.corrections()} or {"": observation}


def on_scale(observation: Observation, data: Dataset) -> Observation:
    """Return an observation on the scale that all candidates share: on a grid, the masses of its cells."""
    return on_grid(observation, data.grids)


def require_data(observation: Observation, data: Dataset) -> None:
    """Refuse an observation that does not take all splits of the data, or cannot start from the training data.

    Raises:
        UsageError: see :meth:`Observation.check`; it names the row of the source.
    """
    for split in SPLITS:
        observation.check(data.split(split), data.rows[split])
    with torch.no_grad():
        eta = copy.deepcopy(observation).initialise(data.train)
    if any(one.is_offset for one in data.conditions):
        observation.exposure(eta)


def require_comparable(observation: Observation, data: Dataset) -> None:
    """Refuse an observation that cannot be trained on the data, or not be scored on the scale of all candidates.

    Raises:
        UsageError: see :func:`require_data`; or where the mass of a grid cell is not known, or not that of every datum.
    """
    require_data(observation, data)
    for scored in scored_as(observation).values():
        common = on_scale(scored, data)
        if common is not observation:
            require_data(common, data)


def refusal(observation: Observation, data: Dataset) -> str:
    """Return why an observation cannot be trained on the data and compared; empty where it can."""
    try:
        require_comparable(observation, data)
    except UsageError as error:
        return str(error)
    return ""
