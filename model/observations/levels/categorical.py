"""Levels without order: softmax and cross-entropy."""

from typing import Any, Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import CODES, DataLike, levels_of
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import whole_numbers
from obsvae.options import WHOLE_NUMBER, Option


class Categorical(Observation):
    r"""The mass of one of C levels, per feature.

    .. math:: p(x = k \mid \eta) = \frac{e^{\eta_k}}{\sum_{j < C} e^{\eta_j}}, \qquad k = 0, \dots, C - 1

    Shapes: ``eta (*batch, *event, C)``, x ``(*batch, *event)`` with whole numbers (of any dtype) in 0 … C − 1.

    Args:
        categories: C, the number of levels; at least 2.
    """

    measure = Measure.COUNTING
    options = (Option("categories", WHOLE_NUMBER),)
    equivalent = "softmax + cross-entropy"

    def __init__(self, categories: int) -> None:
        if categories < 2:
            raise UsageError(f"categorical needs at least 2 categories, but got {categories}")
        super().__init__()
        self.outputs = categories
        self.support = whole_numbers(
            categories - 1,
            "take as many categories as the data have levels, or a family for real numbers such as normal",
        )

    @classmethod
    def for_data(cls, data: DataLike | None, *, categories: int | None = None, **options: Any) -> Self:
        """Return the family with a category for each level of the data's grid, or as many as are given."""
        return cls(levels_of("categorical", data, CODES) if categories is None else categories, **options)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Categorical(logits=eta)."""
        return exact.Categorical(eta)

    def check(self, x: Tensor, rows: Tensor | None = None) -> None:
        """Refuse data outside the support, and one-hot columns, on which it would be a model of each column by itself.

        Raises:
            UsageError: one line with the remedy.
        """
        super().check(x, rows)
        is_binary = ((x == 0) | (x == 1)).all()
        if x.shape[-1] > 2 and len(x) > 1 and is_binary and (x.sum(-1) == 1).all():
            raise UsageError(
                f"categorical needs the codes of the levels, but these look like {x.shape[-1]} one-hot columns, with a "
                f"single 1 in each row; {CODES}"
            )

    def mean(self, eta: Tensor) -> Tensor:
        """Return the mean level Σ k p(k), ``(*batch, *event)``."""
        levels = torch.arange(self.outputs, dtype=eta.dtype, device=eta.device)
        return torch.softmax(eta, -1) @ levels

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's level frequencies, smoothed by one count spread over the levels."""
        counts = torch.zeros(
            *x.shape[1:],
            self.outputs,
            dtype=torch.promote_types(x.dtype, torch.get_default_dtype()),
            device=x.device,
        )
        counts.scatter_add_(-1, x.movedim(0, -1).long(), torch.ones_like(x.movedim(0, -1), dtype=counts.dtype))
        return torch.log((counts + 1.0 / self.outputs) / (len(x) + 1.0))
