"""The outcomes as tables and as lines of a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from obsvae.experiments.benchmarks.recommendation.run import OURS, PEER, Outcome
from obsvae.experiments.csv_files import csv_text

EXPLAINED = """\
Data from decoders with known heads. Right: the answer is the family that they were drawn from, or one that says the
same of them. Tied: that family cannot be told from the answer. Declared wrong: the answer is another family, said to be
better by two standard errors, or the true one was left out. A marginal fit has no ties: what is not right is wrong."""


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the shares of right answers by kind, size and method."""
    cells = dict.fromkeys((one.kind, one.rows, one.method) for one in outcomes)
    rows = []
    for kind, n, method in cells:
        of = [one for one in outcomes if (one.kind, one.rows, one.method) == (kind, n, method)]
        rows.append(
            {
                "data": kind,
                "rows": n,
                "method": method,
                "answers": len(of),
                "right %": _percent([one.is_right for one in of]),
                "right or tied %": _percent([one.is_tied or one.is_right for one in of]),
                "declared wrong %": _percent([one.is_declared_wrong for one in of]),
            }
        )
    return tabulate(rows, "keys", floatfmt=".1f")


def confusion(outcomes: Sequence[Outcome]) -> str:
    """Return, for each truth, how often each method is right, and what it answers, the most frequent first."""
    rows = []
    for truth in dict.fromkeys(one.truth for one in outcomes):
        row: dict[str, Any] = {"truth": truth}
        for method in (OURS, PEER):
            of = [one for one in outcomes if (one.truth, one.method) == (truth, method)]
            row[f"{method}: right or tied"] = f"{sum(one.is_right or one.is_tied for one in of)}/{len(of)}"
            answers = Counter(one.answer for one in of).most_common()
            row[f"{method}: answers"] = ", ".join(f"{name} {times}" for name, times in answers)
        rows.append(row)
    return tabulate(rows, "keys", maxcolwidths=[None, None, 44, None, 30])


def wrong(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each answer of a recommendation that declares a wrong family; empty without any."""
    lines = [
        f"{one.kind} of {one.rows} rows, seed {one.seed}: {one.answer} in the place of {one.truth}, "
        + ("which was left out" if one.behind != one.behind else f"{-one.behind:.3f} ± {one.error:.3f} nats behind")
        for one in outcomes
        if one.method == OURS and one.is_declared_wrong
    ]
    return "\n".join(lines)


def lines_of(outcomes: Sequence[Outcome]) -> str:
    """Return comma-separated text with a line for each answer."""
    return csv_text([asdict(one) for one in outcomes])


def _percent(found: Sequence[bool]) -> float:
    return 100 * sum(found) / len(found)
