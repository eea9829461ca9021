"""The measure by which a trained model is judged: on a grid, the mass of the grid's cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from obsvae.data import Dataset
from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.model import VAE, on_grid


@dataclass(frozen=True)
class Headline:
    """A trained model under the likelihood by which it is judged, and under its own.

    Attributes:
        name: how the decoder's output is taken, where it was trained by a loss; else empty.
        model: the model whose numbers are the headline: on a grid, the mass of the grid's cells.
        own: the model under the measure that it was trained by, where that is another one.
        note: why the headline is no mass although the data lie on a grid; else empty.
        is_preferred: whether it is the one to show where there is room for one.
    """

    name: str
    model: VAE
    own: VAE | None = None
    note: str = ""
    is_preferred: bool = True

    @property
    def measure(self) -> str:
        """The measure of the headline in words."""
        return measure_in_words(self.model)


def headlines(model: VAE, data: Dataset) -> list[Headline]:
    """Return what a trained model is judged by: one likelihood, or one for each correction of a loss.

    Args:
        model: the trained model.
        data: what it is a model of.
    """
    corrections = model.observation.corrections()
    if not corrections:
        return [_on_grid(model, data)]
    return [
        _on_grid(model.with_observation(correction.observation), data, correction.name, correction.is_preferred)
        for correction in corrections
    ]


def preferred(found: Sequence[Headline]) -> Headline:
    """Return the one to show where there is room for one: the last that is preferred, or the last."""
    return max(reversed(found), key=lambda headline: headline.is_preferred)


def measure_in_words(model: VAE) -> str:
    """Return the measure of a model's numbers, and whether they are lower bounds."""
    return f"{model.measure.value}, a lower bound" if model.is_bound else model.measure.value


def _on_grid(model: VAE, data: Dataset, name: str = "", is_preferred: bool = True) -> Headline:
    try:
        scored = on_grid(model.observation, data.grids)
        for split in SPLITS:  # the same measure, whichever split is scored
            scored.check(data.split(split), data.rows[split])
    except UsageError as error:
        note = (
            "the data lie on a grid, but there is no mass of its cells here: the headline is the "
            f"{model.measure.value}, which may not be ranked against a mass ({error})"
        )
        return Headline(name, model, note=note, is_preferred=is_preferred)
    if scored is model.observation:
        return Headline(name, model, is_preferred=is_preferred)
    return Headline(name, model.with_observation(scored), model, is_preferred=is_preferred)
