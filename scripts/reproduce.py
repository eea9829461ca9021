"""Reproduce rows by a run: every entry as the model has it, given the row."""

from collections.abc import Sequence

from obsvae.experiments.command_line.arguments import Parser
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.use import (
    add_out,
    add_particles,
    add_run,
    particle_options,
    read_run,
    save_values,
)
from obsvae.experiments.use.values import reproduce_rows

EXAMPLES = """\
  obsvae reproduce runs/penguins-by-column penguins.csv --out reproduced.csv
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_run(parser, "rows to reproduce")
    add_out(parser, "a point value in every entry")
    add_particles(parser)
    args = parser.parse_args(arguments)
    trained, rows = read_run(args)

    print(f"written to {save_values(args.out, reproduce_rows(trained, rows, **particle_options(args)))}")


if __name__ == "__main__":
    run(main)
