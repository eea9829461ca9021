"""A family for each column of a table."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Cells, Observation, first_of
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import Support
from obsvae.model.observations.wrappers.wrapper import Compound

# Columns named in a description or a message.
_NAMED = 3


@dataclass(frozen=True)
class Part:
    """Columns that share an observation.

    Attributes:
        observation: over these columns, in their own units.
        columns: their numbers, from 0.
    """

    observation: Observation
    columns: tuple[int, ...]


class ByColumn(Compound):
    r"""An observation for each of the D columns of a table; columns of equal family, bounds and grid share one call.

    .. math:: \log p(x \mid \eta) = \sum_{d=1}^{D} \log p_d(x_d \mid \eta_d)

    Its measure is a product: that of each column. It is compared with another column by column.

    Shapes: ``eta (*batch, D, outputs)``, of which a column takes as many as its family has, from the first; x
    ``(*batch, D)``.

    Args:
        parts: the observations, with each column in one of them.
        names: of the columns.

    Raises:
        UsageError: for a loss, which is no likelihood, or a profile likelihood, which looks at all columns together.
    """

    equivalent = "the sum of the columns' losses"
    order: Tensor
    places: Tensor

    def __init__(self, parts: Sequence[Part], names: Sequence[str]) -> None:
        for part in parts:
            self._require_likelihood(part, names)
        super().__init__(*(part.observation for part in parts))
        self.names, self.columns = tuple(names), [part.columns for part in parts]
        order = torch.tensor([column for columns in self.columns for column in columns])
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("places", order.argsort(), persistent=False)
        self.outputs = max(part.observation.outputs for part in parts)
        self.is_bound = any(part.observation.is_bound for part in parts)
        self.measures = {names[d]: part.observation.measure for part in parts for d in part.columns}
        different = set(self.measures.values())
        self.measure = different.pop() if len(different) == 1 else Measure.PRODUCT
        self.support = Support("each {x} in the support of its column's family", self._contains)

    @staticmethod
    def _require_likelihood(part: Part, names: Sequence[str]) -> None:
        of = names[part.columns[0]]
        if part.observation.measure is Measure.NONE:
            raise UsageError(
                f"column {of!r} needs a likelihood, but {part.observation.name} is a loss; take a normalised family, "
                "such as continuous-bernoulli"
            )
        if part.observation.is_profile:
            raise UsageError(
                f"column {of!r} needs a scale of its own, but {part.observation.name} has scale=optimal, which looks "
                "at all columns together; take scale=per-unit"
            )

    @property
    def used(self) -> Tensor:
        """Which of the outputs each column takes, ``(D, outputs)``."""
        used = torch.zeros(len(self.names), self.outputs, dtype=torch.bool)
        for part, columns in zip(self.parts, self.columns, strict=True):
            used[list(columns), : part.outputs] = True
        return used

    def forward(self, eta: Tensor) -> Distribution:
        """Return the columns' distributions, side by side."""
        of_parts = [part(eta_of) for part, eta_of in self._split(eta)]
        return exact.ByColumn(of_parts, self.order, self.places)

    def mean(self, eta: Tensor) -> Tensor:
        """Return E[x] of each column; of categories the mean level."""
        return torch.cat([part.mean(eta_of) for part, eta_of in self._split(eta)], -1)[..., self.places]

    def exposure(self, eta: Tensor) -> Tensor:
        """Return that of each column's family, ``(D, outputs)``; 0 for outputs that it does not take."""
        found = []
        for (part, eta_of), columns in zip(self._split(eta), self.columns, strict=True):
            with self._named(columns):
                of_part = part.exposure(eta_of).expand(len(columns), part.outputs)
            found.append(torch.nn.functional.pad(of_part, (0, self.outputs - part.outputs)))
        return torch.cat(found)[self.places]

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise each column from its own data."""
        eta = torch.zeros(*x.shape[1:], self.outputs, dtype=x.dtype, device=x.device)
        for part, columns in zip(self.parts, self.columns, strict=True):
            with self._named(columns):
                eta[list(columns), : part.outputs] = part.initialise(x[:, list(columns)])
        return eta

    def with_masses(self, cells: Cells) -> Observation:
        """Return the masses of the columns that lie on a grid, and the densities of the others."""
        masses = []
        for part, columns in zip(self.parts, self.columns, strict=True):
            with self._named(columns):
                masses.append(part.with_masses(cells.of_columns(columns)))
        if all(mass is part for mass, part in zip(masses, self.parts, strict=True)):
            return self
        parts = [Part(mass, columns) for mass, columns in zip(masses, self.columns, strict=True)]
        return ByColumn(parts, self.names).to(self.places.device)

    def refusal(self, x: Tensor, outside: Tensor, rows: Tensor | None = None) -> UsageError:
        """Return the error for data outside the support of a column's family, with the column's name."""
        row, d = first_of(outside, rows)
        part = next(part for part, columns in zip(self.parts, self.columns, strict=True) if d in columns)
        also = f" and in {int(outside.sum()) - 1} more places" if int(outside.sum()) > 1 else ""
        return UsageError(
            f"column {self.names[d]!r} as {part.name} needs {part.support.words.replace('{x}', 'x')}, but found "
            f"{x[row, d].item():g} in row {row if rows is None else int(rows[row])}{also} (counted from 0); "
            f"{_of_schema(part.support.remedy)}"
        )

    def called(self, feature: Sequence[int]) -> str:
        """Return the name of a column."""
        return f"column {self.names[feature[0]]!r}"

    def is_outside(self, x: Tensor) -> Tensor:
        """Return, elementwise, whether x lies outside the support of its column."""
        of_parts = x.index_select(-1, self.order).split([len(columns) for columns in self.columns], -1)
        outside = [part.is_outside(of_part) for part, of_part in zip(self.parts, of_parts, strict=True)]
        return torch.cat(outside, -1)[..., self.places]

    def describe(self) -> dict[str, object]:
        """Return the fitted parameters by family and columns."""
        found = zip(self.parts, self.columns, strict=True)
        return {
            f"{part.name} of {self._called(columns)}": about for part, columns in found if (about := part.describe())
        }

    def _split(self, eta: Tensor) -> list[tuple[Observation, Tensor]]:
        """Return each part with its own outputs ``(*batch, n, outputs)``."""
        of_parts = eta.index_select(-2, self.order).split([len(columns) for columns in self.columns], -2)
        return [(part, of_part[..., : part.outputs]) for part, of_part in zip(self.parts, of_parts, strict=True)]

    @contextmanager
    def _named(self, columns: Sequence[int]) -> Iterator[None]:
        """Say of an error which columns it is about."""
        try:
            yield
        except UsageError as error:
            raise type(error)(f"column {self._called(columns)}: {error}") from None

    def _contains(self, x: Tensor) -> Tensor:
        return ~self.is_outside(x)

    def _called(self, columns: Sequence[int]) -> str:
        named = ", ".join(repr(self.names[d]) for d in columns[:_NAMED])
        return f"{named} and {len(columns) - _NAMED} more" if len(columns) > _NAMED else named


def _of_schema(remedy: str) -> str:
    """Return a remedy as it goes with a table: its schema declares bounds, and its entries are not prepared."""
    without = re.sub(r"(binarise the data \([^)]*\), or|spread integers out \([^)]*\),) ", "", remedy)
    return without.replace("bounds=(low, high)", "bounds = [low, high] in the schema")
