"""Which numbers may be ranked against one another."""

from collections.abc import Mapping

from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import GridLike
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.wrappers.discretised import Discretised

_REMEDIES = {
    Measure.COUNTING: "take densities alone, or bring the data on their grid (integers are), where the mass of each "
    "cell compares with any mass",
    Measure.MIXED: "compare zero-inflated densities with one another alone, or bring the data on their grid",
}


def on_grid(observation: Observation, grid: GridLike) -> Observation:
    """Return the masses of a grid's cells under an observation, by an observation that holds the same parameters.

    Densities are compared by them, with one another and with masses. A mass is returned as it is.

    Raises:
        MeasureMismatch: for a loss that is no likelihood.
        UsageError: for a density whose mass of an interval is not known.
    """
    observation.require_likelihood()
    return observation.with_masses(lambda density, start: Discretised(density, grid, start=start))


def on_common_scale(observations: Mapping[str, Observation], grid: GridLike | None) -> dict[str, Observation]:
    """Return, for each observation, the one whose log-probabilities compare with the others'.

    On a grid that is its mass of the grid's cells (:func:`on_grid`). Without one it is the observation
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
        return {name: on_grid(observation, grid) for name, observation in observations.items()}
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
