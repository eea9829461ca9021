"""The figures of a recommendation: data beside what the winners draw, rankings, and how candidates learn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.data import Column, Dataset, Kind
from obsvae.experiments.recommendation.results import Answer
from obsvae.experiments.recommendation.say.answers import confirmed
from obsvae.experiments.recommendation.say.looks import measure_words
from obsvae.inference import Difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Panels in one figure, and data that are shown as pictures.
_PANELS, _PICTURES = 12, 10


def marginals(answers: Sequence[Answer], data: Dataset, draws: Mapping[str, np.ndarray]) -> "list[Figure]":
    """Draw test data beside what each winner draws, up to twelve in a figure; without draws nothing is drawn.

    Args:
        answers: to the questions of the data.
        data: which they are about.
        draws: by the name of the question, from its winner, of any shape, in data units.
    """
    shown = []
    for answer in answers:
        column, observed = _values(answer, data)
        drawn = np.asarray(draws.get(answer.question.name, np.zeros(0)), np.float64).ravel()
        if np.isfinite(observed).any() and np.isfinite(drawn).any():
            shown.append((observed, drawn[np.isfinite(drawn)], column, answer.winner))
    return [
        inference.plot_marginals(*map(list, zip(*shown[first : first + _PANELS], strict=True)))
        for first in range(0, len(shown), _PANELS)
    ]


def pictures(data: Dataset, draws: Mapping[str, np.ndarray]) -> "Figure | None":
    """Draw test data that are images above some that the winner draws; None for others."""
    drawn = draws.get("")
    if drawn is None or data.train.ndim < 3 or drawn.ndim != data.train.ndim:
        return None
    rows = {"data": data.test[:_PICTURES], "drawn": torch.as_tensor(drawn[:_PICTURES])}
    return inference.plot_reproductions(rows, data.bounds or inference.limits_of(data.train.numpy(), data.unit_shape))


def ranking(answer: Answer) -> "Figure | None":
    """Draw the differences of the contenders to the winner, on the final rows where any of these are known.

    None where there is one alone.
    """
    ended = {one.candidate.observation: one for one in confirmed(answer)}
    final = {name: one.final for name, one in ended.items() if one.final is not None}
    chosen = {name: one.difference for name, one in ended.items() if one.difference is not None}
    if len(ended) < 2:
        return None
    if not final:
        return inference.plot_ranking(chosen, measure_words(answer.question), "the choice")
    # That of the winner to itself may go without saying.
    shown = {name: final.get(name, Difference(0.0, 0.0)) for name in ended if name in final or name == answer.winner}
    return inference.plot_ranking(shown, measure_words(answer.question), "the choice")


def learning(answer: Answer) -> "Figure | None":
    """Draw how the contenders learn; None where no curves were kept."""
    curves = {one.candidate.observation: one.curves for one in answer.contenders if one.curves or one.diverged}
    named = {
        f"{one.candidate.observation} ({one.diverged} of {one.seeds} diverged)" if one.diverged else name: curves[name]
        for one in answer.contenders
        if (name := one.candidate.observation) in curves
    }
    return inference.plot_learning(named, measure_words(answer.question)) if any(named.values()) else None


def _values(answer: Answer, data: Dataset) -> tuple[Column, np.ndarray]:
    """Return a column with its test values; all entries of an array together."""
    for d, column in enumerate(data.columns or ()):
        if column.name == answer.question.name:
            return column, data.test[:, d].cpu().numpy().astype(np.float64)
    grid = data.grid
    is_counts = grid is not None and grid.step == 1
    kind = Kind.COUNT if is_counts else Kind.REAL
    column = Column("x", kind, answer.winner, data.bounds, grid)
    return column, data.test.cpu().numpy().astype(np.float64).ravel()
