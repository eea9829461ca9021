"""What looks wrong in the data or in the trials, to be read before any answer."""

from collections.abc import Iterator

from obsvae.data import Dataset, suspicions_of
from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.recommendation.confirming.answers import Found
from obsvae.experiments.recommendation.confirming.confirm import Confirmed
from obsvae.experiments.verdicts.rules import FLAGGED
from obsvae.names import listed

# Held-out rows below which they tell little.
_FEW = 50
_NAMED = 5


def warnings_of(
    found: Found, confirmed: Confirmed, data: Dataset, used: Dataset, epochs: int, minutes: float
) -> list[str]:
    """Return what to read before the answers, in a line each: first what looks wrong in the data, then in the trials.

    Args:
        found: the answers.
        confirmed: the trials.
        data: all of them.
        used: those of which trials have seen the training rows.
        epochs: at most.
        minutes: that it may take.
    """
    return [
        *_suspicions(found, data),
        *_time(found, minutes),
        *_estimates(found),
        *_training(confirmed, epochs),
        *_rows(data, used),
    ]


def _suspicions(found: Found, data: Dataset) -> Iterator[str]:
    """Return what looks wrong in the data; that numbers are rounded only where densities are ranked on them."""
    by_density = {answer.question.name for answer in found.answers if answer.question.grid is None}
    for one in suspicions_of(data):
        # The one question of an array is about all its features.
        if not one.is_of_density or by_density & {"", *one.columns}:
            yield str(one)


def _time(found: Found, minutes: float) -> Iterator[str]:
    if found.unsure:
        of = "" if found.unsure == ("",) else f" of {listed(found.unsure, _NAMED)}"
        were = "minute was" if minutes == 1 else "minutes were"
        yield (
            f"{minutes:g} {were} too few: the answer{of} rests on fewer trials than planned; allow more minutes with "
            "the same folder to go on"
        )
    if found.unscored:
        which = "it" if found.unscored == ("",) else listed(found.unscored, _NAMED)
        yield f"no held-out value of {which} is there to score by: what is taken is what the screen prefers"


def _estimates(found: Found) -> Iterator[str]:
    for answer in found.answers:
        doubtful = [one for one in answer.contenders if one.flagged > FLAGGED and not one.dropped]
        if doubtful:
            worst = max(doubtful, key=lambda one: one.flagged)
            of = f"column {answer.question.name!r}: " if answer.question.name else ""
            yield (
                f"{of}{100 * worst.flagged:.0f} % of the estimates of {worst.candidate.observation} are not to be "
                "trusted (k̂ above 0.7, or few effective particles); its place is uncertain"
            )


def _training(confirmed: Confirmed, epochs: int) -> Iterator[str]:
    results = [read_result(one.out) or {} for one in confirmed.second]
    ended = [result for result in results if "seconds" in result]
    last = sum(result["best_epoch"] == epochs for result in ended)
    cut = sum(bool(result.get("was_cut")) for result in ended)
    if last:
        yield f"{last} of {len(ended)} trials were still learning after {epochs} epochs: allow more epochs"
    if cut:
        yield f"{cut} of {len(ended)} trials were cut for want of time, in training or in scoring: allow more minutes"


def _rows(data: Dataset, used: Dataset) -> Iterator[str]:
    if len(used.train) < len(data.train):
        yield f"trials saw {len(used.train)} of {len(data.train)} training rows, drawn at random"
    fewest = min(len(data.validation), len(data.test))
    if fewest < _FEW:
        yield f"only {fewest} held-out rows: differences are found where they are large"
