"""The base class of observation distributions p(x | z)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.local import LocalModule
from obsvae.model.observations.data_like import DataLike
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.parameters import Positive
from obsvae.model.observations.support import Support
from obsvae.options import Option

if TYPE_CHECKING:
    from obsvae.model.observations.correction import Correction


def first_of(outside: Tensor, rows: Tensor | None) -> tuple[int, ...]:
    """Return the index of the first entry ``(N, *event)`` that lies outside, by the number of its row."""
    places = outside.nonzero()
    if rows is not None:
        places = places[rows.to(places.device)[places[:, 0]].argsort(stable=True)]
    return tuple(places[0].tolist())


class Observation(LocalModule):
    """An observation distribution: from the decoder's raw outputs to a distribution over x.

    Subclasses implement :meth:`forward`, and set ``outputs``, ``measure`` and ``support``. The distribution is
    elementwise: given ``eta``, the features are independent.

    Attributes:
        outputs: number of decoder outputs per feature.
        measure: :class:`Measure` of its log-probabilities.
        measures: that of each column of a table, by name; empty for other data.
        support: :class:`Support`: the values of x that it takes.
        options: its options in a text, which are keyword arguments of :meth:`for_data`.
        equivalent: the output activation and loss that it corresponds to.
        is_bound: whether log-probabilities are random lower bounds in expectation, as with dequantisation.
        turn: of circular data, where a turn begins and ends, in the units of x; None for others.
        is_profile: whether training maximises a profile likelihood in the place of the log-density.
    """

    outputs: int = 1
    measure: Measure
    measures: Mapping[str, Measure] = MappingProxyType({})
    support: Support
    options: ClassVar[tuple[Option, ...]] = ()
    equivalent: str = ""
    is_bound: bool = False
    is_profile: bool = False
    turn: tuple[float, float] | None = None

    if TYPE_CHECKING:

        def __call__(self, eta: Tensor) -> Distribution:
            """Return the elementwise distribution of x, as :meth:`forward` does."""

    @classmethod
    def for_data(cls, data: DataLike | None, **options: Any) -> Self:
        """Return the family for some data, with options from a text.

        Args:
            data: the data; None where x is in the family's own units.
            options: values of :attr:`options`.

        Raises:
            UsageError: where the data lack what the family has to know.
        """
        return cls(**options)

    @abstractmethod
    def forward(self, eta: Tensor) -> Distribution:
        """Return the elementwise distribution of x.

        Args:
            eta: raw decoder outputs, ``(*batch, *event, outputs)``.

        Returns:
            A distribution with batch shape ``(*batch, *event)`` and an empty event shape.
        """

    def mean(self, eta: Tensor) -> Tensor:
        """Return E[x | eta], ``(*batch, *event)``: what a reproduction shows."""
        return self(eta).mean

    def parameter(self, eta: Tensor) -> Tensor | None:
        """Return the link's output ``(*batch, *event)`` in data units where people take it for the mean, else None.

        It is what a sigmoid at the end of the decoder would show.
        """
        return None

    def initialise(self, x: Tensor) -> Tensor:
        """Set scales from training data x ``(N, *event)`` and return initial outputs ``(*event, outputs)``.

        The returned tensor becomes the bias of the decoder's last layer, so that training starts from the marginal
        distribution of each feature. The default returns zeros.
        """
        return torch.zeros(*x.shape[1:], self.outputs, dtype=x.dtype, device=x.device)

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set parameters that are estimated from the whole training set, from pairs (eta, x); by default none.

        Called after each epoch, before validation. ``batches`` is lazy: a family that estimates nothing costs nothing.
        """

    def exposure(self, eta: Tensor) -> Tensor:
        """Return how far each output moves with the log of an exposure, which broadcasts to eta.

        An exposure, such as a length of time or a library size, multiplies what is expected.

        Args:
            eta: raw decoder outputs, ``(*batch, *event, outputs)``.

        Raises:
            UsageError: for a family of which that is not so.
        """
        raise UsageError(
            f"{self.name} takes no offset: an exposure multiplies the mean of counts (poisson, negative-binomial) and "
            "of positive numbers (gamma, weibull, log-normal); take one of these, or make a condition of it"
        )

    @property
    def period(self) -> float | None:
        """The length of a turn of circular data, in the units of x; None for others."""
        return None if self.turn is None else self.turn[1] - self.turn[0]

    @property
    def used(self) -> Tensor | None:
        """Which of the outputs each feature takes, ``(*event, outputs)``; None where each takes all."""
        return None

    def with_masses(self, cells: "Cells") -> "Observation":
        """Return the masses of a grid's cells under this observation, which is returned where it gives masses already.

        Args:
            cells: of the grid.
        """
        return self if self.measure is Measure.COUNTING else cells.under(self, -0.5)

    def corrections(self) -> "tuple[Correction, ...]":
        """Return the likelihoods that an unnormalised loss may be scored under; empty for a distribution."""
        return ()

    def check(self, x: Tensor, rows: Tensor | None = None) -> None:
        """Refuse data outside the support.

        Args:
            x: data ``(N, *event)``.
            rows: what to call each datum in the message ``(N,)``, such as its row in a file; by default its index.

        Raises:
            UsageError: one line with the support, the first offending value, its place, the count, and the remedy.
        """
        outside = self.is_outside(x)
        if bool(outside.any()):
            raise self.refusal(x, outside, rows)

    def refusal(self, x: Tensor, outside: Tensor, rows: Tensor | None = None) -> UsageError:
        """Return the error for data outside the support.

        Args:
            x: data ``(N, *event)``.
            outside: where x lies outside, likewise.
            rows: as in :meth:`check`.
        """
        first, count = first_of(outside, rows), int(outside.sum())
        datum = first[0] if rows is None else int(rows[first[0]])
        also = f" and in {count - 1} more places" if count > 1 else ""
        return UsageError(
            f"{self.name} needs {self.support.words.replace('{x}', 'x')}, but found {x[first].item():g} at datum "
            f"{datum}, {self.called(first[1:])}{also} (counted from 0); {self.support.remedy}"
        )

    def called(self, feature: Sequence[int]) -> str:
        """Return what to call a feature in messages, by its index (*event)."""
        return f"feature {feature[0] if len(feature) == 1 else tuple(feature)}"

    def is_outside(self, x: Tensor) -> Tensor:
        """Return, elementwise, whether x lies outside the support."""
        return ~(self.support.contains(x) & torch.isfinite(x))

    def require_likelihood(self) -> None:
        """Refuse a loss that is not minus the log of a distribution.

        Raises:
            MeasureMismatch: where ``measure`` is ``NONE``.
        """
        if self.measure is Measure.NONE:
            remedy = " or ".join(repr(correction.name) for correction in self.corrections())
            raise MeasureMismatch(
                f"{self.name} is a loss, not a likelihood: it does not integrate to one; score its decoder under one "
                f"of its corrections ({remedy}), or train a family that is normalised"
            )

    @property
    def name(self) -> str:
        """The family's name, as in the registry: ``ContinuousBernoulli`` is ``continuous-bernoulli``."""
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in type(self).__name__).lstrip("-")

    def describe(self) -> dict[str, object]:
        """Return the fitted parameters by name, such as a learned σ, for reports.

        They are in the units that the family sees; parameters that the decoder gives are left out.
        """
        found = {name: part.describe() for name, part in self.named_children() if isinstance(part, Positive)}
        return {name: value for name, value in found.items() if value is not None}


class Cells(ABC):
    """The cells of a grid, or of the grids of a table's columns."""

    @abstractmethod
    def under(self, density: Observation, start: float) -> Observation:
        """Return the masses of the cells under a density.

        Args:
            density: the observation.
            start: where the cell of x begins, in steps from x.
        """

    @abstractmethod
    def of_columns(self, columns: Sequence[int]) -> "Cells":
        """Return those of some columns of a table, which share a grid or have none."""


def of_first(eta: Tensor) -> Tensor:
    """Return 1 for the first output and 0 for the others, ``(outputs,)``."""
    return torch.cat([eta.new_ones(1), eta.new_zeros(eta.shape[-1] - 1)])


def smoothed_mean(x: Tensor) -> Tensor:
    """Return the mean of each feature of x ``(N, *event)`` in [0, 1], drawn 0.5 % towards one half.

    An initial bias is a starting point: where a feature is constant its logit would be infinite, and an optimiser that
    steps by about its learning rate would never come back from a large one.
    """
    return 0.005 * 0.5 + 0.995 * x.nanmean(0)
