"""What the network of an encoder sees of the columns of a table."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from obsvae.guides.inputs import Inputs, Standardised


class Logarithm(Inputs):
    """The logarithm of n columns of numbers from 0, standardised, and whether each is 0, which has none.

    Args:
        columns: n.
        shift: added to x before, such as 1 for counts.

    Shapes: ``(*batch, n)`` to ``(*batch, 2 n)``.
    """

    def __init__(self, columns: int, shift: float = 0.0) -> None:
        super().__init__()
        self.shape, self.shift = (2 * columns,), shift
        self.standardised = Standardised((columns,))

    def initialise(self, x: Tensor) -> None:
        """Take the mean and standard deviation of each logarithm."""
        self.standardised.initialise(self._log(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithms, NaN where there is none, and whether x is 0."""
        return torch.cat([self.standardised(self._log(x)), (x == 0).to(x.dtype)], -1)

    def _log(self, x: Tensor) -> Tensor:
        u = x + self.shift
        return torch.where(u > 0, torch.log(torch.where(u > 0, u, 1.0)), torch.nan)


class OneHot(Inputs):
    """Columns of codes 0, 1, …, as which of their levels they are.

    Args:
        levels: of each of n columns, how many there are.

    Shapes: ``(*batch, n)`` to ``(*batch, sum of levels)``.
    """

    column: Tensor
    level: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.shape = (sum(levels),)
        column = [d for d, number in enumerate(levels) for _ in range(number)]
        self.register_buffer("column", torch.tensor(column), persistent=False)
        level = torch.cat([torch.arange(number, dtype=torch.float32) for number in levels])
        self.register_buffer("level", level, persistent=False)

    def initialise(self, x: Tensor) -> None:
        """Take nothing: the levels are known."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 for the level of each column, else 0; 0 throughout where it is missing."""
        return (x[..., self.column] == self.level).to(x.dtype)


class CosineSine(Inputs):
    """The cosine and the sine of n columns of angles.

    Args:
        turns: of each column, the bounds (low, high) of one turn.

    Shapes: ``(*batch, n)`` to ``(*batch, 2 n)``.
    """

    low: Tensor
    per_unit: Tensor

    def __init__(self, turns: Sequence[tuple[float, float]]) -> None:
        super().__init__()
        self.shape = (2 * len(turns),)
        self.register_buffer("low", torch.tensor([low for low, _ in turns]), persistent=False)
        per_unit = torch.tensor([2.0 * math.pi / (high - low) for low, high in turns])
        self.register_buffer("per_unit", per_unit, persistent=False)

    def initialise(self, x: Tensor) -> None:
        """Take nothing: one turn is known."""

    def forward(self, x: Tensor) -> Tensor:
        """Return cosines and sines."""
        angle = (x - self.low) * self.per_unit
        return torch.cat([torch.cos(angle), torch.sin(angle)], -1)


class ColumnInputs(Inputs):
    """The columns of a table, each seen in its way, and 0 where it is missing.

    Args:
        parts: a map of some columns, and these columns, each of 0 … D − 1 once.
        has_missing: whether entries may be missing (NaN): then whether each is seen stands behind.

    Shapes: ``(*batch, D)`` to ``(*batch, sum of the parts' shapes)``, or D more.
    """

    def __init__(self, parts: Sequence[tuple[Inputs, Sequence[int]]], has_missing: bool = False) -> None:
        super().__init__()
        self.has_missing = has_missing
        self.parts = nn.ModuleList(part for part, _ in parts)
        for i, (_, columns) in enumerate(parts):
            self.register_buffer(f"columns_{i}", torch.tensor(list(columns)), persistent=False)
        width = sum(part.shape[0] for part, _ in parts)
        self.shape = (width + has_missing * sum(len(columns) for _, columns in parts),)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take each part's statistics from its columns."""
        for part, columns in self._each():
            part.initialise(x[..., columns])

    def forward(self, x: Tensor) -> Tensor:
        """Return what the parts make of x, side by side."""
        u = torch.cat([part(x[..., columns]) for part, columns in self._each()], -1)
        u = torch.where(torch.isnan(u), 0.0, u)
        return torch.cat([u, (~torch.isnan(x)).to(u.dtype)], -1) if self.has_missing else u

    def _each(self) -> list[tuple[Inputs, Tensor]]:
        return [(cast(Inputs, part), self.get_buffer(f"columns_{i}")) for i, part in enumerate(self.parts)]
