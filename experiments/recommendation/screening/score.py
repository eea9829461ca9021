"""Scores of a candidate without a latent: by itself, and given what the other features say."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import on_scale, scored_as
from obsvae.experiments.recommendation.screening.sample import Sample
from obsvae.experiments.use.fitted import fitted_outputs, outputs_at
from obsvae.inference.modes import unchecked
from obsvae.model import make_observation
from obsvae.modes import seeded

# Enough to rank by, and little enough for a dozen candidates of each column.
_STEPS, _ITERATIONS, _TOLERANCE = 25, 60, 1e-5


@dataclass(frozen=True)
class Scores:
    """Held-out scores on the common measure, an entry for each scored row, in nats.

    Attributes:
        marginal: with outputs that are constants, ``(M,)``.
        given_others: with outputs linear in what the other features say, ``(M,)``; without others the same.
    """

    marginal: np.ndarray
    given_others: np.ndarray


def scores(observation: str, of: Sample, seed: int) -> Scores | str:
    """Return the scores of a candidate, or in a line why it could not be fitted.

    Args:
        observation: as a text.
        of: what it is fitted and scored on.
        seed: of what an observation may draw.
    """
    try:
        marginal = _scored(observation, of, None, None, seed)
        given = marginal
        if of.fitted_inputs is not None and of.scored_inputs is not None:
            given = _scored(observation, of, of.fitted_inputs, of.scored_inputs, seed)
    except UsageError as error:
        return str(error)
    if not (np.isfinite(marginal).all() and np.isfinite(given).all()):
        return "held-out rows have no probability under it that is a number"
    return Scores(marginal, given)


def _scored(text: str, of: Sample, inputs: Tensor | None, scored_inputs: Tensor | None, seed: int) -> np.ndarray:
    with seeded(seed, torch.device("cpu")):
        made = make_observation(text, of.data)
        with torch.no_grad():
            start = made.initialise(of.fitted)
        fitted = fitted_outputs(
            made, of.fitted, start, inputs, steps=_STEPS, iterations=_ITERATIONS, tolerance=_TOLERANCE
        )
        eta, weights = (fitted, None) if inputs is None else (fitted[0], fitted[1:])
        with torch.no_grad(), unchecked():
            outputs = outputs_at(eta, weights, scored_inputs, len(of.scored))
            found = [on_scale(one, of.data)(outputs).log_prob(of.scored) for one in scored_as(made).values()]
    # Of the likelihoods that a loss may be scored under, the better.
    rows = [torch.where(of.scored.isnan(), 0.0, log_p).double().sum(1).numpy() * of.scale for log_p in found]
    return max(rows, key=lambda one: float(one.mean()))
