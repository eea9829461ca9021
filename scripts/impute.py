"""Fill missing entries of rows by a run: point values and multiple imputations."""

from collections.abc import Sequence
from pathlib import Path

from obsvae.experiments.command_line.arguments import Parser, count
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.use import (
    add_out,
    add_particles,
    add_run,
    particle_options,
    pieces_beside,
    read_run,
    save_values,
)
from obsvae.experiments.use.values import impute_rows
from obsvae.inference.processes.joining import join

EXAMPLES = """\
  obsvae impute runs/penguins-by-column penguins.csv --out filled.csv
  obsvae impute runs/penguins-by-column penguins.csv --draws 20 --out filled.csv
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES, is_shared=True)
    add_run(parser, "rows with missing entries")
    add_out(parser, "the rows with a point value in each missing entry: mean, median or mode, by what the column holds")
    parser.add_argument(
        "--draws",
        type=count,
        default=0,
        metavar="M",
        help="imputations, too, in a file FILE-draws of their own, with their numbers in its first column (default: 0)",
    )
    add_particles(parser)
    args = parser.parse_args(arguments)
    processes = join()
    trained, rows = read_run(args)

    options = {"draws": args.draws, **particle_options(args)}
    with pieces_beside(args.out, "imputation", trained, {"new": (rows.x, rows.c)}, options, processes) as pieces:
        found = impute_rows(trained, rows, processes=processes, pieces=pieces, **options)
        written = list[Path]()
        if processes.is_first:
            written.append(save_values(args.out, found.point))
            if found.draws is not None:
                written.append(save_values(args.out.with_stem(f"{args.out.stem}-draws"), found.draws))
    if not processes.is_first:
        return
    if found.flagged:
        print(f"warning: the particles of {found.flagged} rows are too few to trust what they were filled with")
    print(f"{found.filled} entries filled; written to {' and '.join(map(str, written))}")


if __name__ == "__main__":
    run(main)
