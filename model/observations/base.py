"""What every observation distribution p(x | z) offers."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Mapping
from enum import Enum

import pyro
import torch
from pyro.distributions.torch_distribution import TorchDistribution
from pyro.nn import PyroModule
from torch import Tensor

from model.observations.data_like import GridLike
from model.observations.parameters import Positive


class Measure(Enum):
    """The base measure of an observation: what its numbers are densities with respect to."""

    LEBESGUE = "density"
    COUNTING = "mass"
    MIXED = "density with a mass at 0"
    NONE = "none"


class MeasureMismatch(ValueError):  # noqa: N818 - it names what happened
    """Raised where numbers of different measures would be taken for one: here, a loss for a likelihood."""


class Units(Enum):
    """The units in which a family works; the data's description gives the affine map from data units to them."""

    SCALED = "the data's own units, or the scaling that the user chose"
    UNIT_INTERVAL = "[0, 1]"
    LEVELS = "the integers 0, 1, ..., C - 1"
    OWN = "the data's own units, unscaled"
    CIRCLE = "angles from -pi to pi"


class _AbstractPyroModule(type(PyroModule), ABCMeta):  # type: ignore[misc]
    """PyroModule has a metaclass of its own; this one lets it have abstract methods too."""


class Observation(PyroModule, metaclass=_AbstractPyroModule):
    """An observation distribution: from the decoder's raw outputs to a distribution over x.

    Subclasses implement :meth:`forward`, and set ``outputs``, ``measure``, ``units`` and ``needs``. The distribution is
    elementwise: no feature knows of another given ``eta``.

    Attributes:
        outputs: number of decoder outputs per feature.
        measure: :class:`Measure` of its log-probabilities.
        units: :class:`Units` that x is in.
        needs: the support in words, with ``{x}`` where x stands, for the message of :meth:`check`.
        equivalent: the output activation and loss that it corresponds to.
        remedy: what to do about data outside the support.
        is_bound: whether log-probabilities are random lower bounds in expectation, as with dequantisation.
        turn: what x may be moved by without a difference, for angles.
        is_profile: whether training maximises a profile likelihood in the place of the log-density.
    """

    outputs: int = 1
    measure: Measure
    units: Units = Units.SCALED
    needs: str = "{x} finite"
    equivalent: str = ""
    remedy: str = "remove or replace those entries"
    is_bound: bool = False
    is_profile: bool = False
    turn: float | None = None

    def __init__(self) -> None:
        # Parameters live in their module, not in Pyro's global store: several models stand side by side.
        pyro.settings.set(module_local_params=True)
        super().__init__()

    @abstractmethod
    def forward(self, eta: Tensor) -> TorchDistribution:
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
        """Set what is estimated from the training set as a whole, from pairs (eta, x); by default nothing is.

        Called after each epoch, before validation. ``batches`` is lazy: a family that estimates nothing costs nothing.
        """

    def on_grid(self, grid: GridLike) -> "Observation":
        """Return the masses of a grid's cells under this observation, which holds the same parameters.

        They are what densities, and densities and masses, are compared by. A mass is its own.

        Raises:
            MeasureMismatch: for a loss that is no likelihood.
        """
        self.require_likelihood()
        if self.measure is Measure.COUNTING:
            return self
        from model.observations.discretised import Discretised  # which is an observation, too

        return Discretised(self, grid)

    def corrections(self) -> Mapping[str, "Observation"]:
        """Return the likelihoods that an unnormalised loss may be scored under, by name; empty for a distribution."""
        return {}

    def inside(self, x: Tensor) -> Tensor:
        """Return, elementwise, whether x lies in the support."""
        return torch.isfinite(x)

    def check(self, x: Tensor, rows: Tensor | None = None) -> None:
        """Refuse data outside the support.

        Args:
            x: data ``(N, *event)``.
            rows: what to call each datum in the message ``(N,)``, such as its row in a file; by default its index.

        Raises:
            ValueError: one line with the support, the first offending value, its place, the count, and the remedy.
        """
        outside = ~(self.inside(x) & torch.isfinite(x))
        count = int(outside.sum())
        if count:
            first = tuple(outside.nonzero()[0].tolist())
            datum, event = first[0] if rows is None else int(rows[first[0]]), first[1:]
            also = f" and in {count - 1} more places" if count > 1 else ""
            raise ValueError(
                f"{self.name} needs {self.needs.format(x='x')}, but found {x[first].item():g} at datum {datum}, "
                f"feature {event[0] if len(event) == 1 else event}{also} (counted from 0); {self.remedy}"
            )

    def require_likelihood(self) -> None:
        """Refuse to be called a likelihood where the loss is not the log of a distribution.

        Raises:
            MeasureMismatch: where ``measure`` is ``NONE``.
        """
        if self.measure is Measure.NONE:
            remedy = " or ".join(repr(name) for name in self.corrections())
            raise MeasureMismatch(
                f"{self.name} is a loss, not a likelihood: it does not integrate to one; score its decoder under one "
                f"of its corrections ({remedy}), or train a family that is normalised"
            )

    @property
    def name(self) -> str:
        """The family's name, as in the registry: ``ContinuousBernoulli`` is ``continuous-bernoulli``."""
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in type(self).__name__).lstrip("-")

    def describe(self) -> dict[str, object]:
        """Return what a reader of the results should know of the fitted family, such as a learned σ.

        It is in the units that the family sees; a parameter that the decoder gives is left out.
        """
        found = {name: part.describe() for name, part in self.named_children() if isinstance(part, Positive)}
        return {name: value for name, value in found.items() if value is not None}


def smoothed_mean(x: Tensor) -> Tensor:
    """Return the mean of each feature of x ``(N, *event)`` in [0, 1], drawn 0.5 % towards one half.

    An initial bias is a starting point: where a feature is constant its logit would be infinite, and an optimiser that
    steps by about its learning rate would never come back from a large one.
    """
    return 0.005 * 0.5 + 0.995 * x.mean(0)


# Families on the open unit interval: what they need, and what to do about data at its ends.
OPEN_INTERVAL = "{x} between 0 and 1, and neither of them"
OPEN_REMEDY = "declare wider bounds (--bounds LOW HIGH), spread levels out (--dequantise), or take continuous-bernoulli"
