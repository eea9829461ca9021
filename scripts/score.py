"""Score rows by a run: log p, its place among held-out rows, and which entry is odd."""

import argparse
from collections.abc import Sequence

import numpy as np

from obsvae.data.tables.write import save_table
from obsvae.experiments.command_line.arguments import Parser, count
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.use import (
    add_out,
    add_particles,
    add_run,
    particle_options,
    pieces_beside,
    read_run,
)
from obsvae.experiments.use.scores import held_out_rows, score_rows
from obsvae.inference.processes.joining import join

EXAMPLES = """\
  obsvae score runs/penguins-by-column new.csv --out scores.csv
  obsvae score runs/penguins-by-column new.csv --out scores.parquet --no-by-column --reference 2000
"""
NOTE = (
    "The percentile is the share of held-out rows with a lower log p: a low one says that the model would seldom draw "
    "such a row, not that anything is wrong with it; a row with fewer entries has a higher log p."
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES, is_shared=True)
    add_run(parser, "rows to score")
    add_out(parser, "a line for each row (.csv, .tsv, .parquet)")
    parser.add_argument(
        "--by-column",
        action=argparse.BooleanOptionalAction,
        help="score each entry given the others of its row (default: for tables of at most 100 columns)",
    )
    parser.add_argument(
        "--reference",
        type=count,
        default=500,
        metavar="N",
        help="held-out rows of the run's data among which each is placed; 0: none (default: 500)",
    )
    add_particles(parser)
    args = parser.parse_args(arguments)
    processes = join()
    trained, rows = read_run(args, is_table=True)

    options = {"by_column": args.by_column, "reference": args.reference, **particle_options(args)}
    known = {"held-out": held_out_rows(trained, args.reference)} if args.reference else {}
    with pieces_beside(args.out, "scoring", trained, {"new": (rows.x, rows.c), **known}, options, processes) as pieces:
        found = score_rows(trained, rows, processes=processes, pieces=pieces, **options)
        if processes.is_first:
            save_table(args.out, found.columns)
    if not processes.is_first:
        return
    if found.held_out is not None:
        print(f"Held-out rows of {trained.data.name}, nats an entry:")
        print(found.held_out)
    mean, flagged = np.nanmean(found.weights.estimate), 100 * found.weights.flagged.mean()
    print(f"log p {mean:.3f} nats a row on average, {flagged:.1f} % flagged")
    if rows.ignored:
        print(f"left out, as the run knows nothing of them: {', '.join(rows.ignored[:10])}")
    if found.percentile is not None:
        print(NOTE)
    print(f"written to {args.out}")


if __name__ == "__main__":
    run(main)
