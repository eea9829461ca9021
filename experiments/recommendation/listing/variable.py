"""A variable that an observation is wanted for: what it looks like, and what is declared of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from obsvae.data import Column, Dataset, Grid, Kind
from obsvae.data.inspection.look import Look
from obsvae.data.splits import SPLITS
from obsvae.data.tables.numerals import as_number
from obsvae.experiments.recommendation.listing.ranked_on import has_spike, is_coarse, ranked_on

# Values at most that are looked at one by one; rows of an array on which families are tried.
_VALUES, _ROWS = 2_000_000, 200
# Shares end at 1; numbers that stay below half of it may be anything.
_NEAR_ONE = 0.5


@dataclass(frozen=True, eq=False)
class Variable:
    """A column of a table, or an array as a whole.

    Attributes:
        look: what its values look like.
        data: it alone, on the grid by whose cells it is ranked.
        column: of a table; None for an array.
        grid: whose cells' masses it is ranked by; None: it is ranked by densities.
        values: those that are present, over all splits, ``(n,)``; of very many some.
    """

    look: Look
    data: Dataset
    column: Column | None
    grid: Grid | None
    values: np.ndarray

    @classmethod
    def of_column(cls, data: Dataset, d: int, look: Look) -> "Variable":
        """Return a column of a table."""
        assert data.columns is not None
        single, values, column = alone(data, d), present(data, d), data.columns[d]
        grid = column.grid or ranked_on(look, values, _bounds_of(column, look))
        return cls(look, replace(single, columns=(replace(column, grid=grid),)), column, grid, values)

    @classmethod
    def of_array(cls, data: Dataset, look: Look) -> "Variable":
        """Return an array as a whole."""
        values = present(data)
        grid = data.grid or ranked_on(look, values, data.bounds or _unit_interval(look), has_ends=True)
        return cls(look, replace(data, grid=grid), None, grid, values)

    @cached_property
    def telling(self) -> Dataset:
        """The data, or of a large array rows of each split that tell whether a family takes them all.

        They hold the least and the greatest value, a 0 and a number that is not whole, if there are any.
        """
        data, kept = self.data, dict[str, torch.Tensor]()
        if self.column is not None:
            return data
        for split in SPLITS:
            x = data.split(split).flatten(1)
            low, high = x.nan_to_num(torch.inf).amin(1).argmin(), x.nan_to_num(-torch.inf).amax(1).argmax()
            odd = [(x == 0).any(1), ((x != x.round()) & ~x.isnan()).any(1)]
            some = [torch.arange(min(_ROWS, len(x))), low.view(1), high.view(1), *(o.nonzero()[:1, 0] for o in odd)]
            kept[split] = torch.cat([one.cpu() for one in some]).unique()
        return replace(
            data,
            train=data.train[kept["train"]],
            validation=data.validation[kept["validation"]],
            test=data.test[kept["test"]],
            rows={split: data.rows[split][rows] for split, rows in kept.items()},
            given={split: c[kept[split]] for split, c in data.given.items()},
        )

    @property
    def kind(self) -> Kind | None:
        """The kind of a column, as declared or guessed; None for an array."""
        return None if self.column is None else self.column.kind

    @property
    def has_levels(self) -> bool:
        """Whether its numbers are the codes of levels."""
        return self.look.levels is not None

    @property
    def is_binary(self) -> bool:
        """Whether it takes two values, which stand for 0 and 1."""
        if self.has_levels:
            return self.look.levels == 2
        if self.grid is not None and self.grid.levels == 2:
            return True
        return self.look.is_whole and (self.look.low, self.look.high) == (0.0, 1.0)

    @property
    def has_order(self) -> bool:
        """Whether its levels have a natural order: declared, or that of numbers."""
        if self.column is None or self.column.levels is None:
            return True
        return self.kind is Kind.ORDINAL or all(as_number(level) is not None for level in self.column.levels)

    @property
    def is_number(self) -> bool:
        """Whether sums and differences of its values mean something."""
        return not self.has_levels or self.has_order

    @property
    def is_count(self) -> bool:
        """Whether its values are whole numbers from 0, and neither levels nor angles."""
        return self.look.is_whole and self.look.low >= 0 and not self.has_levels and self.look.period is None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Its ends: those declared, or 0 and 1 where all values lie between and near both."""
        if self.column is None:
            return self.data.bounds or _unit_interval(self.look)
        return _bounds_of(self.column, self.look)

    @property
    def has_ends(self) -> bool:
        """Whether it has bounds beyond doubt: declared ones, or 0 and 1 where values are at both."""
        declared = (self.data if self.column is None else self.column).bounds is not None
        return declared or (self.bounds is not None and (self.look.low, self.look.high) == self.bounds)

    @cached_property
    def is_coarse(self) -> bool:
        """Whether the cells of its grid are wide enough for a density to say something else than their masses."""
        return self.grid is not None and is_coarse(self.grid.step, self.look, self.values)

    @cached_property
    def has_spike(self) -> bool:
        """Whether 0 is a value of its own, to which no density gives a mass."""
        return has_spike(self.look, self.values, self.bounds)

    def masses(self, text: str) -> str:
        """Return the text of a density as it is to be trained: on a coarse grid by the masses of its cells.

        Between two bounds with values at them, too, where a density may be 0 or infinite.
        """
        look, bounds = self.look, self.bounds
        is_at_end = bounds is not None and (look.low <= bounds[0] or look.high >= bounds[1])
        return within("discretised", text) if self.is_coarse or (is_at_end and self.grid is not None) else text


def within(wrapper: str, text: str) -> str:
    """Return the text of a wrapper, perhaps with options, around an observation."""
    opened = f"{wrapper}{',' if ':' in wrapper else ':'}inner={text.partition(':')[0]}"
    options = text.partition(":")[2]
    return f"{opened},{options}" if options else opened


def present(data: Dataset, d: int | None = None) -> np.ndarray:
    """Return the values of a column, or of an array, that are not missing, over all splits; some of very many."""
    parts = [(data.split(split) if d is None else data.split(split)[:, d]).flatten() for split in SPLITS]
    every = sum(map(len, parts)) // _VALUES + 1
    values = torch.cat([part[::every] for part in parts])
    return values[~torch.isnan(values)].cpu().numpy()


def alone(data: Dataset, d: int) -> Dataset:
    """Return a column of a table as a table of its own."""
    assert data.columns is not None
    columns: Sequence[Column] = data.columns
    return replace(
        data,
        train=data.train[:, d : d + 1],
        validation=data.validation[:, d : d + 1],
        test=data.test[:, d : d + 1],
        columns=(columns[d],),
        names=(columns[d].name,),
        schema=None,
        recipe=None,
    )


def _bounds_of(column: Column, look: Look) -> tuple[float, float] | None:
    if column.kind is Kind.ANGLE or look.levels is not None:
        return None
    return column.bounds or _unit_interval(look)


def _unit_interval(look: Look) -> tuple[float, float] | None:
    """Return 0 and 1 for real numbers that lie between and near both."""
    return (0.0, 1.0) if not look.is_whole and look.low >= 0 and _NEAR_ONE < look.high <= 1 else None
