"""Columns with a distribution each."""

from collections.abc import Sequence

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape


class ByColumn(TorchDistribution):
    r"""Columns side by side, elementwise, some of which share a distribution over several.

    .. math:: p(x_d) = p_{g(d)}(x_d), \qquad d = 1, \dots, D

    Args:
        parts: elementwise distributions with batch shapes ``(*batch, n)``, n the number of columns of each.
        order: the columns of the parts, one part after another ``(D,)``.
        places: where each column stands in that order ``(D,)``.
    """

    arg_constraints = {}  # noqa: RUF012 - torch's own class attribute

    def __init__(
        self,
        parts: Sequence[Distribution],
        order: Tensor,
        places: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        self.parts, self.order, self.places = parts, order, places
        batch = torch.broadcast_shapes(*(part.batch_shape[:-1] for part in parts))
        super().__init__(torch.Size((*batch, len(places))), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        """Any real number: each part knows its own."""
        return constraints.real

    def expand(self, batch_shape: Shape, _instance: "ByColumn | None" = None) -> "ByColumn":
        """Return the same distribution over a larger batch shape."""
        parts = [part.expand((*batch_shape[:-1], part.batch_shape[-1])) for part in self.parts]
        return ByColumn(parts, self.order, self.places, self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x) ``(*batch, D)``."""
        # Taken apart in one go: a part at a time would cost an operation each, there and back.
        of_parts = value.index_select(-1, self.order).split([part.batch_shape[-1] for part in self.parts], -1)
        return self._together([part.log_prob(of_part) for part, of_part in zip(self.parts, of_parts, strict=True)])

    @property
    def mean(self) -> Tensor:
        """E[x]."""
        return self._together([part.mean for part in self.parts])

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw from each part."""
        return self._together([part.sample(sample_shape) for part in self.parts])

    def _together(self, values: list[Tensor]) -> Tensor:
        lead = torch.broadcast_shapes(*(value.shape[:-1] for value in values))
        return torch.cat([value.expand(*lead, -1) for value in values], -1).index_select(-1, self.places)
