"""Which numbers may be ranked against one another."""

from collections.abc import Mapping

from model.observations.base import Measure, MeasureMismatch, Observation
from model.observations.data_like import GridLike

_REMEDIES = {
    Measure.COUNTING: "take densities alone, or bring the data on their grid (integers are), where the mass of each "
    "cell compares with any mass",
    Measure.MIXED: "compare zero-inflated densities with one another alone, or bring the data on their grid",
}


def on_common_scale(observations: Mapping[str, Observation], grid: GridLike | None) -> dict[str, Observation]:
    """Return, for each observation, the one whose log-probabilities compare with the others'.

    On a grid that is its mass of the grid's cells (:meth:`Observation.on_grid`). Without one it is the observation
    itself, if all have one measure.

    Args:
        observations: normalised ones, by name, of the same data.
        grid: that of the data, or None.

    Raises:
        MeasureMismatch: for observations of different measures without a grid, or one that is not normalised.
    """
    for observation in observations.values():
        observation.require_likelihood()
    if grid is not None:
        return {name: observation.on_grid(grid) for name, observation in observations.items()}
    require_one_measure({name: observation.measure for name, observation in observations.items()})
    return dict(observations)


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
