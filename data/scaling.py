"""The affine map between data units and the decoder's units."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.units import mean_of, variance_of, varies

COLUMNS_TOLD = 10  # in one message


@dataclass(frozen=True, eq=False)
class Scaling:
    """x = offset + scale · u, with x in data units.

    The map is recorded and never applied to the data: a likelihood is in data units only if the observation
    distribution, and not the data, is transformed.

    Args:
        offset: float32, in the shape of the units: () for one, (D,) for one for each column.
        scale: float32, positive, of the same shape.

    """

    offset: Tensor
    scale: Tensor

    @classmethod
    def identity(cls) -> Self:
        """Return the map that changes nothing."""
        return cls(torch.tensor(0.0), torch.tensor(1.0))

    @classmethod
    def standardise(cls, train: Tensor, unit_shape: tuple[int, ...] = (), names: tuple[str, ...] | None = None) -> Self:
        """Return the map to zero mean and unit variance of each unit.

        Args:
            train: the training data, (N, *event).
            unit_shape: of the statistics.
            names: of features, for messages.

        Raises UsageError where a standard deviation is 0.
        """
        if any(size > 1 for size in unit_shape):
            constant = (~varies(train, unit_shape)).flatten().nonzero().flatten().tolist()
            if constant:
                told = [column if names is None else names[column] for column in constant[:COLUMNS_TOLD]]
                more = f" and {len(constant) - len(told)} more" if len(constant) > len(told) else ""
                counted = " (counted from 0)" if names is None else ""
                raise UsageError(
                    f"standardising needs features that vary; columns {told}{more}{counted} are constant in the "
                    "training data: drop these columns"
                )
        elif not bool(varies(train, ())):
            raise UsageError(
                f"standardising needs data that vary; all training values are {float(train.flatten()[0])}: "
                "load without scaling"
            )
        x = train.double()
        number = mean_of((~x.isnan()).double(), unit_shape) * (x.numel() / math.prod(unit_shape))
        scale = (variance_of(x, unit_shape) * (number - 1) / number).sqrt()
        return cls(mean_of(x, unit_shape).float(), scale.float())

    @classmethod
    def unit_interval(cls, bounds: tuple[float, float]) -> Self:
        """Return the map from [0, 1] to the bounds."""
        low, high = torch.tensor(bounds, dtype=torch.float32)
        return cls(low.clone(), high - low)  # subtracted in float32, so that (high − low) / scale is exactly 1

    def to(self, device: torch.device | str) -> Self:
        """Return the same map with its tensors on the device."""
        return type(self)(self.offset.to(device), self.scale.to(device))
