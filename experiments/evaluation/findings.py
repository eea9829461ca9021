"""What a reader must know of an evaluation beside its numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from obsvae.experiments.verdicts.words import listed
from obsvae.inference import KHAT_LIMIT, LogLikelihood

Kind = Literal[
    "misfit",
    "floor",
    "ignored",
    "latents",
    "few steps",
    "suspicion",
    "lost",
    "flagged",
    "distrusted",
    "unknown",
    "trusted",
    "missed",
    "bracketed",
    "disagreement",
    "bound",
    "partial",
    "measure",
    "given",
    "loss",
    "behind",
    "cut short",
    "not converged",
    "replaced",
    "no guide",
    "no reference",
]
_WARNINGS: tuple[Kind, ...] = (
    "misfit",
    "floor",
    "ignored",
    "few steps",
    "suspicion",
    "lost",
    "distrusted",
    "unknown",
    "missed",
    "disagreement",
    "behind",
    "cut short",
)
_NOTES: tuple[Kind, ...] = (
    "latents",
    "bound",
    "partial",
    "measure",
    "given",
    "loss",
    "not converged",
    "replaced",
    "no guide",
    "no reference",
)


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the numbers must know.

    Attributes:
        kind: ``misfit``: the data have something that the model does not say; ``floor``: the floor of the scales
            decides the density; ``ignored``, ``latents``: no latent is active, or not all; ``few steps``: training was
            short; ``suspicion``: something looks wrong in the data; ``lost``: data without an estimate; ``flagged``:
            data whose estimate is not to be trusted; ``distrusted``, ``unknown``, ``trusted``: what k̂ says of all of
            them; ``missed``, ``bracketed``: how much of log p(x) the estimates miss on data from the model, too much or
            little; ``disagreement``: data of which refined particles and annealing tell different things; ``bound``:
            the numbers are lower bounds; ``partial``: entries are missing; ``measure``: they are of another measure
            than expected; ``given``: they are conditional; ``loss``: a decoder that was trained by a loss is scored
            under likelihoods; ``behind``: the model says less of a column than the column's own marginal; ``cut
            short``: training did not come to its end; ``not converged``: it ended while it was still improving;
            ``replaced``: earlier numbers were overwritten; ``no guide``: a point mass has no amortised estimate; ``no
            reference``: annealing has left nothing to hold estimates against.
        text: a line about it.
        data: indices of the data that it is about.
    """

    kind: Kind
    text: str
    data: tuple[int, ...] = ()

    @property
    def is_warning(self) -> bool:
        """Whether the numbers may be wrong."""
        return self.kind in _WARNINGS

    def __str__(self) -> str:
        """Return the line as it is printed."""
        return (
            f"warning: {self.text}" if self.is_warning else f"note: {self.text}" if self.kind in _NOTES else self.text
        )


def trust(shares: Mapping[str, float]) -> list[Finding]:
    """Return what k̂ says of estimates, a line for each thing that it says.

    Args:
        shares: of the data with k̂ above 0.7, by name; NaN where k̂ is not known.
    """
    unknown = [name for name, share in shares.items() if math.isnan(share)]
    high = [f"{100 * share:.1f} % of the data for {name}" for name, share in shares.items() if share > 0]
    low = [name for name, share in shares.items() if share == 0]
    found = []
    if unknown:
        text = f"too few particles for k̂: nothing says whether to trust {_all_of(unknown)}"
        found.append(Finding("unknown", text))
    if high:
        text = (
            f"k̂ > {KHAT_LIMIT} in {_all_of(high)}: there the estimate is probably too low, by an unknown amount, "
            "whatever its standard error, and more particles hardly help"
        )
        found.append(Finding("distrusted", text))
    if low:
        text = (
            f"k̂ is at most {KHAT_LIMIT} for every datum in {_all_of(low)}: the weights give no reason to distrust the "
            "estimate; of a mode that no particle has reached they cannot tell"
        )
        found.append(Finding("trusted", text))
    return found


def _all_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def doubtful(likelihood: LogLikelihood, rows: np.ndarray | None = None, is_bound: bool = False) -> list[Finding]:
    """Return which data have no estimate, and which have one that is not to be trusted.

    Args:
        likelihood: of the data.
        rows: the row of each datum in its file ``(N,)``, by number or name, where there is one.
        is_bound: whether the log-density is random, as with dequantisation: annealing, the remedy otherwise, cannot
            take it.
    """
    found, weights = [], likelihood.weights
    if len(lost := np.flatnonzero(~weights.usable)):
        found.append(
            Finding(
                "lost",
                f"no estimate for {in_words(lost, rows)}: their weights are NaN, infinite or all 0; their x may be "
                "impossible under the model, or the decoder's outputs not finite; the means are over the others. Look "
                "at these data, take an observation with heavier tails, or train again",
                tuple(lost.tolist()),
            )
        )
    if len(flagged := np.flatnonzero(weights.flagged & weights.usable)):
        remedy = "take more particles" if is_bound else likelihood.remedy
        found.append(
            Finding(
                "flagged",
                f"flagged (k̂ above {KHAT_LIMIT} or unknown, or an ESS below 10): {in_words(flagged, rows)}; {remedy}",
                tuple(flagged.tolist()),
            )
        )
    return found


def of_conditions(names: Sequence[str]) -> list[Finding]:
    """Return a note that numbers are those of p(x | c), by the names of the conditions; none where there are none."""
    if not names:
        return []
    text = f"the numbers are of p(x | {', '.join(names)}): what is given is not predicted, and p(x) is another thing"
    return [Finding("given", text)]


def of_columns(behind: Sequence[str]) -> list[Finding]:
    """Return a warning of columns of which a model says less than their own marginals."""
    if not behind:
        return []
    text = (
        f"of {listed(behind)} the model says less, given the others of a row, than the column's own marginal: train it "
        "for longer, or take another family"
    )
    return [Finding("behind", text)]


def cut_short(outcome: Mapping[str, Any]) -> list[Finding]:
    """Return a warning where training did not come to its end, and a note where more epochs would be better.

    Args:
        outcome: of a run, as ``config.json`` has it: how training ``stopped``, the number of ``epochs``, and whether
            it ``is_improving``.
    """
    stopped = outcome["stopped"]
    if stopped not in ("finished", "patience"):
        text = f"training was cut short ({stopped}): these are not the numbers of a trained model"
        return [Finding("cut short", text)]
    if outcome.get("is_improving"):
        text = f"training had not converged: it still gained after {outcome['epochs']} epochs; train for more"
        return [Finding("not converged", text)]
    return []


def in_words(which: Sequence[int] | np.ndarray, rows: np.ndarray | None = None, most: int = 20) -> str:
    """Return data by index, and by the row of the file where there is one: ``datum 3 (row 41), 7 (row 12)``."""
    named = [f"{i}" if rows is None else f"{i} (row {rows[i]})" for i in which[:most]]
    more = f" and {len(which) - most} more" if len(which) > most else ""
    return f"datum {', '.join(named)}{more}"
