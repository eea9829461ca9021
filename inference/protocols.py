"""The methods of models, guides and data that inference uses."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from obsvae.distribution import Distribution


class Program(Protocol):
    """A Pyro program that is a torch module."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102 - as torch has it
    def modules(self) -> Iterator[nn.Module]: ...  # noqa: D102
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...  # noqa: D102
    def eval(self) -> Any: ...  # noqa: D102


class GenerativeModel(Program, Protocol):
    """A Pyro program with a plate ``data``, a latent site ``z`` and an observed site ``x``, and one door to its parts.

    The door: the prior, the distribution of x given z, and the mean of x given z. Curvature needs the two halves of
    the second: raw outputs eta of z, and the distribution of x given eta. Where there are conditions c, all but the
    prior are given these, too.
    """

    @property
    def event_shape(self) -> torch.Size: ...  # noqa: D102 - described in VAE, as all below
    @property
    def is_likelihood(self) -> bool: ...  # noqa: D102
    @property
    def measure(self) -> "MeasureLike": ...  # noqa: D102
    @property
    def measures(self) -> Mapping[str, "MeasureLike"]: ...  # noqa: D102
    @property
    def is_bound(self) -> bool: ...  # noqa: D102
    @property
    def conditions(self) -> int: ...  # noqa: D102
    @property
    def initialised(self) -> Tensor: ...  # noqa: D102
    @property
    def prior(self) -> "PriorLike":
        """The prior, called to get p(z): batch shape (), event shape ``(latent,)``."""

    def given(self, z: Tensor, c: Tensor | None = None) -> Distribution: ...  # noqa: D102
    def mean(self, z: Tensor, c: Tensor | None = None) -> Tensor: ...  # noqa: D102
    def parameter(self, z: Tensor, c: Tensor | None = None) -> Tensor | None: ...  # noqa: D102
    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor: ...  # noqa: D102
    def observe(self, eta: Tensor) -> Distribution: ...  # noqa: D102
    def require_likelihood(self) -> None: ...  # noqa: D102
    def check(self, x: Tensor, rows: Tensor | None = None, c: Tensor | None = None) -> None: ...  # noqa: D102
    def require_given(self, c: Tensor | None, n: int) -> None: ...  # noqa: D102
    def initialise(self, x: Tensor, c: Tensor | None = None) -> None: ...  # noqa: D102
    def update(self, batches: Iterable[tuple[Tensor, Tensor, Tensor | None]]) -> None: ...  # noqa: D102


class MeasureLike(Protocol):
    """The base measure of p(x | z)."""

    @property
    def value(self) -> Any:
        """The measure in words, such as density or mass."""


class PriorLike(Protocol):
    """Returns p(z)."""

    def __call__(self) -> Distribution: ...  # noqa: D102


class AmortisedGuide(Program, Protocol):
    """A Pyro program that samples the site ``z`` in the plate ``data``, given x, and c if there is any."""

    @property
    def has_density(self) -> bool: ...  # noqa: D102 - described in Guide, as all below
    @property
    def initialised(self) -> Tensor: ...  # noqa: D102
    def initialise(self, x: Tensor) -> None: ...  # noqa: D102


class TrainingData(Protocol):
    """Data to train on: tensors ``(N, *event)`` in data units, on the model's device."""

    @property
    def train(self) -> Tensor: ...  # noqa: D102 - named as the data have it
    @property
    def validation(self) -> Tensor: ...  # noqa: D102
    @property
    def given(self) -> Mapping[str, Tensor]:
        """Conditions c ``(N, C)`` of ``train`` and ``validation``; empty where there are none."""

    def epoch(self, generator: torch.Generator) -> Tensor:
        """Return the training data of one epoch: ``train``, or a fresh draw where noise is added."""
