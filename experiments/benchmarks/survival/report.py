"""What kills have found, as text."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from tabulate import tabulate

from obsvae.experiments.benchmarks.survival.run import Life

EXPLAINED = (
    "Each work is killed (SIGKILL) up to four times, at a random moment or right before or after a file takes its\n"
    "name, begun again in the same folder until it ends, and held against an undisturbed one: the same files with the\n"
    "same bytes, but for seconds."
)


def table(lives: Sequence[Life]) -> str:
    """Return a line for each command."""
    rows = []
    for command in dict.fromkeys(life.command for life in lives):
        some = [life for life in lives if life.command == command]
        differing = Counter(name for life in some for name in life.differing)
        rows.append(
            {
                "command": command,
                "kills": sum(life.moments + life.writes for life in some),
                "while writing": sum(life.writes for life in some),
                "ended before": sum(life.missed for life in some),
                "lives": len(some),
                "failed": sum(bool(life.failure) for life in some),
                "identical": sum(life.is_same for life in some),
                "what differed": ", ".join(f"{name} ({n})" for name, n in differing.most_common(5)) or "nothing",
            }
        )
    failures = [f"{life.command} failed: {life.failure}" for life in lives if life.failure]
    return "\n".join([tabulate(rows, "keys"), *failures])


def lines_of(lives: Sequence[Life]) -> str:
    """Return a line for each life, as .csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["command", "at a moment", "while writing", "ended before", "identical", "differing", "failure"])
    for life in lives:
        counts = [life.command, life.moments, life.writes, life.missed, int(life.is_same)]
        writer.writerow([*counts, " ".join(life.differing), life.failure])
    return text.getvalue()
