"""What the trained winners draw, and what in the data they do not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.given import given
from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.recommendation.confirming.confirm import Confirmed
from obsvae.experiments.recommendation.confirming.trial import Trial
from obsvae.inference import Misfit, check_predictive, misfits

# Rows that are held against draws, and the values that are drawn at most.
_ROWS, _VALUES, _PER_ROW = 500, 2_000_000, 10


@dataclass(frozen=True)
class Checked:
    """What the winner of a question draws.

    Attributes:
        draws: from the model, in data units; of a column ``(S,)``, of an array ``(S, *event)``.
        misfits: what the test rows have that it does not say, the largest first.
    """

    draws: np.ndarray
    misfits: Sequence[Misfit]


def check_winners(confirmed: Confirmed, winners: Mapping[str, str], data: Dataset, seed: int) -> dict[str, Checked]:
    """Return by question what its winner draws and does not say, of those for which a trial has ended.

    Args:
        confirmed: the trials.
        winners: by question the text of its winner.
        data: on the grids of the questions.
        seed: of the draws.
    """
    told_by: dict[Trial, list[str]] = {}
    for name, winner in winners.items():
        ended = [one for one in confirmed.of(name, winner) if "seconds" in (read_result(one.out) or {})]
        if ended:
            told_by.setdefault(ended[0], []).append(name)
    found = {}
    for trial, names in told_by.items():
        model, _ = trial.trained()
        x = data.test[:_ROWS]
        number = max(len(x), min(_PER_ROW * len(x), _VALUES // x[0].numel()))
        check = check_predictive(model, x, number, seed, c=given(data, "test", slice(_ROWS)))
        said = misfits(check, data.columns)
        if data.columns is None:
            return {"": Checked(check.simulated, said)}
        places = {column.name: d for d, column in enumerate(data.columns)}
        for name in names:
            of_column = [one for one in said if one.column == name]
            found[name] = Checked(check.simulated[:, places[name]], of_column)
    return found
