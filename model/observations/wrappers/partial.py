"""Data with missing entries."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Cells, Observation
from obsvae.model.observations.correction import Correction
from obsvae.model.observations.data_like import DataLike
from obsvae.model.observations.wrappers.wrapper import Make, Wrapper


class Partial(Wrapper):
    r"""Another observation of data whose missing entries are NaN.

    .. math:: \log p(x \mid \eta) = \sum_{i \text{ seen}} \log p_\text{inner}(x_i \mid \eta_i)

    A missing entry has log-probability 0 and gradient 0, and says nothing of z: log p(x) is that of the entries that
    are seen, the others integrated out. It is the likelihood where an entry is missing whatever its value (missing at
    random).
    Data that declare missing entries have their observation wrapped so.

    Shapes: those of ``inner``.

    Args:
        inner: the observation.
        event_shape: shape of one datum.

    Raises:
        UsageError: for a profile likelihood, which looks at all entries together.

    Reference: Rubin, *Inference and missing data*, Biometrika 1976.
    """

    elsewhere: Tensor
    start: Tensor

    def __init__(self, inner: Observation, event_shape: tuple[int, ...]) -> None:
        if inner.is_profile:
            raise UsageError(
                f"data with missing entries need a scale that is the same for all of them, but {inner.name} has "
                "scale=optimal; take scale=shared"
            )
        super().__init__(inner)
        self.outputs, self.turn = inner.outputs, inner.turn
        # A dict of its own: the read-only one of the class cannot be copied with the observation.
        self.measure, self.measures = inner.measure, dict(inner.measures)
        self.is_bound, self.equivalent = inner.is_bound, inner.equivalent
        self.support = replace(inner.support, contains=self._contains)
        self.register_buffer("elsewhere", torch.zeros(event_shape))
        self.register_buffer("start", torch.zeros(*event_shape, inner.outputs))

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the observation of data whose entries may be missing."""
        return cls(make(data), () if data is None else data.event_shape)

    @property
    def name(self) -> str:
        """The inner observation's."""
        return self.inner.name

    def forward(self, eta: Tensor) -> Distribution:
        """Return the inner distribution, with NaN among its values."""
        return exact.Partial(self.inner, eta, self.elsewhere, self.start)

    def mean(self, eta: Tensor) -> Tensor:
        """Return the inner mean, of every entry."""
        return self.inner.mean(eta)

    def parameter(self, eta: Tensor) -> Tensor | None:
        """Return the inner parameter."""
        return self.inner.parameter(eta)

    def exposure(self, eta: Tensor) -> Tensor:
        """Return the inner observation's."""
        return self.inner.exposure(eta)

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise the inner observation from the entries that are seen: each feature's own, in turn, fill its holes.

        Any other filling, such as the mean, would shrink the spread.

        Raises:
            UsageError: for a feature without an entry that is seen.
        """
        missing = torch.isnan(x)
        lost = missing.all(0)
        if bool(lost.any()):
            first = tuple(lost.nonzero()[0].tolist())
            raise UsageError(
                f"every feature needs an entry that is seen in the training data, but {self.called(first)} has none; "
                "leave it out, or split the data otherwise"
            )
        filled = x.clone()
        for index in missing.any(0).nonzero().tolist():
            column = filled[(slice(None), *index)]
            holes = missing[(slice(None), *index)]
            seen, number = column[~holes], int(holes.sum())
            column[holes] = seen.repeat(-(-number // len(seen)))[:number]
        self.elsewhere.copy_(filled[0])
        self.start.copy_(self.inner.initialise(filled))
        return self.start.clone()

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Update the inner observation, with points of its support in the place of missing entries."""
        self.inner.update((eta, torch.where(torch.isnan(x), self.elsewhere, x)) for eta, x in batches)

    def with_masses(self, cells: Cells) -> Observation:
        """Return the masses of the entries that are seen."""
        masses = self.inner.with_masses(cells)
        return self if masses is self.inner else self._around(masses)

    def corrections(self) -> tuple[Correction, ...]:
        """Return the inner corrections, for the entries that are seen."""
        return tuple(replace(c, observation=self._around(c.observation)) for c in self.inner.corrections())

    @property
    def used(self) -> Tensor | None:
        """The outputs that the inner observation takes."""
        return self.inner.used

    def called(self, feature: Sequence[int]) -> str:
        """Return what the inner observation calls a feature."""
        return self.inner.called(feature)

    def refusal(self, x: Tensor, outside: Tensor, rows: Tensor | None = None) -> UsageError:
        """Return the inner observation's error."""
        return self.inner.refusal(x, outside, rows)

    def is_outside(self, x: Tensor) -> Tensor:
        """Return whether an entry that is seen lies outside."""
        return self.inner.is_outside(x) & ~torch.isnan(x)

    def describe(self) -> dict[str, object]:
        """Return the inner description."""
        return self.inner.describe()

    def _contains(self, x: Tensor) -> Tensor:
        return torch.isnan(x) | self.inner.support.contains(x)

    def _around(self, inner: Observation) -> "Partial":
        other = Partial(inner, tuple(self.elsewhere.shape))
        other.elsewhere.copy_(self.elsewhere)
        other.start.copy_(self.start)
        return other.to(self.elsewhere.device)
