"""Data with more zeros than a family has."""

from dataclasses import replace
from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.data_like import DataLike, Features
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.wrappers.wrapper import Make, Wrapper, require_exact
from obsvae.units import median_of


class ZeroInflated(Wrapper):
    r"""A mass on 0, in data units, beside another observation.

    .. math:: p(x \mid \eta) = \pi(\eta) \, [x = 0] + (1 - \pi(\eta)) \, p_\text{inner}(x \mid \eta)

    With an inner mass (counts) this is a mass. With an inner density it is neither: its measure is Lebesgue's with a
    unit mass on 0, so its numbers compare with those of the same kind alone; ``discretised`` makes a mass of it.

    Shapes: ``eta (*batch, *event, 1 + outputs of inner)``, the logit of π first; x ``(*batch, *event)``.

    Args:
        inner: an observation in data units; 0 need not be in its support.
        features: shapes of a datum and of its units.

    Raises:
        UsageError: where the inner observation is not normalised.
    """

    equivalent = "binary cross-entropy for whether x = 0, plus the NLL of the other x"
    elsewhere: Tensor

    def __init__(self, inner: Observation, features: Features = Features()) -> None:
        if inner.measure not in (Measure.COUNTING, Measure.LEBESGUE):
            raise UsageError(f"zero-inflated needs an inner density or mass, but {inner.name} is neither")
        super().__init__(inner)
        self.outputs = 1 + inner.outputs
        self.measure = Measure.COUNTING if inner.measure is Measure.COUNTING else Measure.MIXED
        self.support = replace(
            inner.support, words=f"{{x}} 0, or {inner.support.words}", contains=self._contains, is_real_line=False
        )
        self.register_buffer("elsewhere", torch.ones(features.unit_shape))

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the inner observation with a mass on 0."""
        return cls(require_exact(make(data), "zero-inflated"), Features.of(data))

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the zero-inflated distribution."""
        is_mass = self.measure is Measure.COUNTING
        return exact.ZeroInflated(eta[..., 0], self.inner(eta[..., 1:]), is_mass, self.elsewhere)

    def mean(self, eta: Tensor) -> Tensor:
        """Return (1 − π) E[x] of the inner observation."""
        share = torch.sigmoid(-eta[..., 0])
        return torch.where(share > 0, share * self.inner.mean(eta[..., 1:]), 0.0)

    def exposure(self, eta: Tensor) -> Tensor:
        """Return that of the inner observation, and 0 for the mass on 0."""
        of_inner = self.inner.exposure(eta[..., 1:])
        return torch.cat([torch.zeros_like(of_inner[..., :1]), of_inner], -1)

    def initialise(self, x: Tensor) -> Tensor:
        """Start π at the share of zeros, half of it where the inner mass has zeros too, and the inner from the rest."""
        zeros = (x == 0).to(x.dtype)
        others, typical = x[x != 0], median_of(torch.where(x != 0, x, torch.nan), self.elsewhere.shape)
        if bool(torch.isnan(typical).any()):
            raise UsageError("zero-inflated needs some data that are not 0 to start from, but all are")
        self.elsewhere.copy_(typical)
        share = smoothed_mean(zeros)
        if self.measure is Measure.COUNTING:
            return torch.cat([torch.logit(0.5 * share).unsqueeze(-1), self.inner.initialise(x)], -1)
        # In the place of a zero, values of the same feature, in turn; of all features where it has no other.
        filled = x.clone()
        for index in (zeros.amax(0) > 0).nonzero():
            column = x[(slice(None), *index)]
            known = column[column != 0] if (column != 0).any() else others[: len(column)]
            filled[(slice(None), *index)] = torch.where(
                column != 0, column, known.repeat(-(-len(column) // len(known)))[: len(column)]
            )
        return torch.cat([torch.logit(share).unsqueeze(-1), self.inner.initialise(filled)], -1)

    def _contains(self, x: Tensor) -> Tensor:
        return (x == 0) | self.inner.support.contains(x)

    def describe(self) -> dict[str, object]:
        """Return the inner description."""
        return self.inner.describe()
