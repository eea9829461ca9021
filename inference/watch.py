"""Scores after each epoch, on a scale of the caller's."""

import numpy as np
from pyro.nn import PyroModule
from torch import Tensor

from inference.history import History
from inference.likelihood import log_likelihood
from inference.proposals import Amortised
from inference.ranking import Curve


class Watch:
    """Scores a model on validation data after each epoch of :func:`inference.svi.fit`, as its ``after_epoch``.

    The objective of one candidate is a density, of another a mass, of a third no likelihood at all: how fast they learn
    shows on a scale that all of them share, that of the model which is given here.

    Args:
        model: shares its decoder with the one that is trained, and has the observation to score by.
        guide: the one that is trained.
        x: validation data ``(N, *event)`` in data units.
        particles: K, of the guide alone: each epoch, it has to be quick.
        seed: of the particles.
    """

    def __init__(self, model: PyroModule, guide: PyroModule, x: Tensor, particles: int = 20, seed: int = 0) -> None:
        self.model, self.guide, self.x = model, guide, x
        self.particles, self.seed = particles, seed
        self.seconds: list[float] = []
        self.scores: list[float] = []

    def __call__(self, history: History) -> None:
        """Score the weights that the model has now."""
        found = log_likelihood(
            self.model, self.guide, self.x, self.particles, proposal=Amortised(), seed=self.seed, progress=False
        )
        self.seconds.append(history.epochs[-1].seconds)
        self.scores.append(float(found.weights.estimate.mean()))

    def curve(self) -> Curve:
        """Return the scores so far, in nats per datum."""
        return Curve(np.array(self.seconds), np.array(self.scores))
