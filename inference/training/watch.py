"""Scores after each epoch, on a scale of the caller's."""

import numpy as np
from torch import Tensor

from obsvae.inference.likelihood.estimate import log_likelihood
from obsvae.inference.likelihood.proposals.amortised import Amortised
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.ranking import Curve
from obsvae.inference.training.callbacks import Callback
from obsvae.inference.training.history import History


class Watch(Callback):
    """Scores a model on validation data after each epoch of :func:`fit`, which takes it as a callback.

    The objectives of candidates do not compare: a density, a mass, or no likelihood at all. Their learning does, on the
    scale of the model that is given here.

    Args:
        model: the model to score; it shares the decoder of the one that is trained.
        guide: the one that is trained.
        x: validation data ``(N, *event)`` in data units.
        c: their conditions ``(N, C)``; None where there are none.
        particles: K, drawn from the guide; few, as it happens after each epoch.
        seed: of the particles.
    """

    def __init__(
        self,
        model: GenerativeModel,
        guide: AmortisedGuide,
        x: Tensor,
        particles: int = 20,
        seed: int = 0,
        *,
        c: Tensor | None = None,
    ) -> None:
        self.model, self.guide, self.x, self.c = model, guide, x, c
        self.particles, self.seed = particles, seed
        self.seconds: list[float] = []
        self.scores: list[float] = []

    def on_epoch(self, history: History) -> None:
        """Score the weights that the model has now."""
        found = log_likelihood(
            self.model,
            self.guide,
            self.x,
            self.particles,
            c=self.c,
            proposal=Amortised(),
            seed=self.seed,
            progress=False,
        )
        self.seconds.append(history.epochs[-1].seconds)
        self.scores.append(float(found.weights.estimate.mean()))

    def curve(self) -> Curve:
        """Return the scores so far, in nats per datum."""
        return Curve(np.array(self.seconds), np.array(self.scores))
