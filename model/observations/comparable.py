"""Which numbers may be ranked against one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from obsvae.model.observations.base import Cells, Observation
from obsvae.model.observations.data_like import GridLike
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.wrappers.discretised import Discretised

_REMEDIES = {
    Measure.COUNTING: "take densities alone, or bring the data on their grid (integers are), where the mass of each "
    "cell compares with any mass",
    Measure.PRODUCT: "compare tables with tables alone",
    Measure.MIXED: "compare zero-inflated densities with one another alone, or bring the data on their grid",
}


# The grid that all features lie on, those of a table's columns, or none.
Grids = GridLike | Sequence[GridLike | None] | None


def on_grid(observation: Observation, grid: Grids) -> Observation:
    """Return the masses of a grid's cells under an observation, by an observation that holds the same parameters.

    Densities are compared by them, with one another and with masses. A mass is returned as it is.

    Args:
        observation: a likelihood.
        grid: the data's, ``data.grids``: the columns of a table have one each, or none, where the density stays.

    Raises:
        MeasureMismatch: for a loss that is no likelihood.
        UsageError: for a density whose mass of an interval is not known.
    """
    observation.require_likelihood()
    if grid is None:
        return observation
    return observation.with_masses(_OfColumns(grid) if isinstance(grid, Sequence) else _OfGrid(grid))


def on_common_scale(observations: Mapping[str, Observation], grid: Grids) -> dict[str, Observation]:
    """Return, for each observation, the one whose log-probabilities compare with the others'.

    On a grid that is its mass of the grid's cells (:func:`on_grid`). Without one it is the observation
    itself, if all have one measure. The columns of a table compare one by one.

    Args:
        observations: normalised ones, by name, of the same data.
        grid: that of the data, ``data.grids``.

    Raises:
        MeasureMismatch: for observations of different measures without a grid, or one that is not normalised.
    """
    found = {name: on_grid(observation, grid) for name, observation in observations.items()}
    _require_one_measure_by_column(found)
    require_one_measure({name: observation.measure for name, observation in found.items()})
    return found


@dataclass(frozen=True)
class _OfGrid(Cells):
    grid: GridLike

    def under(self, density: Observation, start: float) -> Observation:
        return Discretised(density, self.grid, start=start)

    def of_columns(self, columns: Sequence[int]) -> Cells:
        return self


class _OfNoGrid(Cells):
    def under(self, density: Observation, start: float) -> Observation:
        return density

    def of_columns(self, columns: Sequence[int]) -> Cells:
        return self


@dataclass(frozen=True)
class _OfColumns(Cells):
    grids: Sequence[GridLike | None]

    def under(self, density: Observation, start: float) -> Observation:
        raise MeasureMismatch(f"{density.name} is no observation of a table's columns; take by-column")

    def of_columns(self, columns: Sequence[int]) -> Cells:
        grid = self.grids[columns[0]]
        return _OfNoGrid() if grid is None else _OfGrid(grid)


def _require_one_measure_by_column(observations: Mapping[str, Observation]) -> None:
    (first, one), *others = observations.items()
    for name, other in others:
        for column, measure in one.measures.items():
            if other.measures.get(column, measure) is not measure:
                raise MeasureMismatch(
                    f"column {column!r} is a {measure.value} in {first}, and a {other.measures[column].value} in "
                    f"{name}: they are not of one measure, and cannot be ranked; take densities or masses alone for "
                    "it, or declare the grid that it lies on"
                )


def require_one_measure(measures: Mapping[str, Measure]) -> None:
    """Refuse to rank numbers of different measures.

    Raises:
        MeasureMismatch: one line with an example of each measure, and the remedy.
    """
    examples: dict[Measure, str] = {}
    for name, measure in measures.items():
        examples.setdefault(measure, name)
    if len(examples) > 1:
        named = " against ".join(f"a {measure.value} ({name})" for measure, name in examples.items())
        remedy = next(text for measure, text in _REMEDIES.items() if measure in examples)
        raise MeasureMismatch(f"{named} cannot be ranked: they are not of one measure; {remedy}")


def require_one_dataset(data: Mapping[str, str]) -> None:
    """Refuse to rank models of different data.

    Args:
        data: what each model was trained on, in words that differ where the data do.

    Raises:
        MeasureMismatch: one line with two that differ, and the remedy.
    """
    first, *others = data.items()
    for name, words in others:
        if words != first[1]:
            raise MeasureMismatch(
                f"{first[0]} is a model of {first[1]}, and {name} one of {words}: their likelihoods cannot be ranked; "
                "train both on the same data"
            )
