"""What the timing of training programs has found, as text and as lines of a table."""

import statistics
from collections.abc import Sequence

from tabulate import tabulate

from obsvae.experiments.benchmarks.training.programs import PEERS
from obsvae.experiments.benchmarks.training.run import FIRST, Comparison
from obsvae.experiments.csv_files import csv_text

EXPLAINED = (
    "Medians over the rounds, in which the programs take turns; ratios, pair by pair within a round, are the time of\n"
    f"this project / the program's, with their range. First: seconds to the end of step {FIRST}, with tracing and\n"
    "compiling. ELBO: nats per datum of training data after all steps, from the same start; one draw of z."
)


def text_of(found: Comparison) -> str:
    """Return a table with a row for each program."""
    rows = []
    for timed in found.timed:
        ratios = found.ratios(timed)
        rows.append(
            {
                "program": timed.program,
                "ms a step": f"{statistics.median(found.ms(timed)):.3g}",
                "ratio": f"{statistics.median(ratios):.2f}",
                "range": f"{min(ratios):.2f} to {max(ratios):.2f}",
                "first, s": f"{timed.first:.1f}",
                "ELBO": None if timed.elbo is None else f"{timed.elbo:.2f}",
            }
        )
    head = f"{found.family}, minibatches of {found.batch_size}, {found.all_steps} steps"
    notes = [f"{timed.program}: {PEERS[timed.program].note}" for timed in found.timed if _has_note(timed.program)]
    right = ("left", *["right"] * 5)
    return "\n".join([head, tabulate(rows, "keys", missingval="–", colalign=right, disable_numparse=True), *notes])


def _has_note(program: str) -> bool:
    return program in PEERS and bool(PEERS[program].note)


def lines_of(found: Sequence[Comparison]) -> str:
    """Return a line for each program and round, as comma-separated text with a header."""
    return csv_text(
        [
            {
                "family": comparison.family,
                "batch_size": comparison.batch_size,
                "program": timed.program,
                "round": turn,
                "steps": comparison.steps,
                "ms_per_step": ms,
                "ratio": ratio,
                "first_seconds": timed.first,
                "elbo_nats_per_datum": timed.elbo,
            }
            for comparison in found
            for timed in comparison.timed
            for turn, (ms, ratio) in enumerate(zip(comparison.ms(timed), comparison.ratios(timed), strict=True), 1)
        ]
    )
