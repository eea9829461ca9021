"""A training that keeps the weights which fill entries held out best."""

from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from obsvae.data import Column
from obsvae.experiments.benchmarks.imputation.errors import column_errors
from obsvae.inference import Amortised, Callback, History, Point, StopTraining, impute
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel

PATIENCE = 4


class BestFill(Callback):
    """Fills the table now and then, and keeps the weights whose error over the entries held out is least.

    Args:
        columns: of the table.
        x: the table ``(N, D)``, with the entries held out.
        held_out: which these are, ``(N, D)``.
        looks: epochs after which it looks.
        least: epochs to train for; then training stops once it took four times as long as to the best.
        points: value that is filled in, of each column.
        particles: K, for each row.
        seed: of the particles.

    Attributes:
        error: the least error, its mean over columns.
        epoch: of the weights that are kept.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        x: np.ndarray,
        held_out: np.ndarray,
        *,
        looks: Collection[int],
        least: int,
        points: Sequence[Point],
        particles: int,
        seed: int,
    ) -> None:
        self.columns, self.x, self.held_out = columns, x, held_out
        self.looks, self.least = looks, least
        self.points, self.particles, self.seed = points, particles, seed
        self.error, self.epoch = float("inf"), 0

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        """Remember the pair."""
        self.pair = model, guide
        assert isinstance(model, nn.Module)
        assert isinstance(guide, nn.Module)
        self.modules = nn.ModuleList([model, guide])
        self.weights = self._weights()

    def on_epoch(self, history: History) -> None:
        """Look how well the weights fill, after some of the epochs."""
        if len(history) not in self.looks:
            return
        error = self._error()
        if error < self.error:
            self.error, self.epoch, self.weights = error, len(history), self._weights()
        if len(history) >= max(self.least, PATIENCE * self.epoch):
            raise StopTraining

    def on_end(self, history: History) -> None:
        """Give the pair the weights that are kept."""
        if self.epoch:
            self.modules.load_state_dict(self.weights)

    def fill(self, x: Tensor, particles: int) -> np.ndarray:
        """Return a table ``(N, D)`` with point values in the place of NaN, by particles of the guide.

        Args:
            x: the table.
            particles: K, for each row.
        """
        found = impute(
            *self.pair,
            x,
            draws=0,
            points=self.points,
            particles=particles,
            proposal=Amortised(),
            seed=self.seed,
            progress=False,
        )
        return found.point

    def _error(self) -> float:
        rows = self.held_out.any(1)
        hidden = torch.from_numpy(np.where(self.held_out, np.nan, self.x).astype(np.float32))[rows]
        filled = self.fill(hidden, self.particles)
        return float(np.nanmean(column_errors(self.columns, self.x, self._whole(filled, rows), self.held_out)))

    def _whole(self, filled: np.ndarray, rows: np.ndarray) -> np.ndarray:
        whole = self.x.copy()
        whole[rows] = filled
        return whole

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
