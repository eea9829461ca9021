"""Encode rows by a run: mean and standard deviation of p(z | x) of each."""

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
from obsvae.experiments.use.values import encode_rows

EXAMPLES = """\
  obsvae encode runs/penguins-by-column new.csv --out codes.csv
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_run(parser, "rows to encode")
    add_out(parser, "a line for each row (.csv, .tsv, .parquet)")
    add_particles(parser)
    args = parser.parse_args(arguments)
    trained, rows = read_run(args, is_table=True)

    print(f"written to {save_values(args.out, encode_rows(trained, rows, **particle_options(args)))}")


if __name__ == "__main__":
    run(main)
