"""Draw rows from a run: a synthetic table, or an array."""

from collections.abc import Sequence

from obsvae.experiments.command_line.arguments import Parser, positive_int, seed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.use import add_out, add_run, given, require_format, save_values
from obsvae.experiments.runs.run import load_run
from obsvae.experiments.use.values import sample_rows

EXAMPLES = """\
  obsvae sample runs/penguins-by-column --n 1000 --out drawn.csv
  obsvae sample runs/mnist-bernoulli --n 64 --out drawn.npy
  obsvae sample runs/digits-given --given label=3 --out threes.npy
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_run(parser)
    add_out(parser, "the rows")
    parser.add_argument("--n", type=positive_int, default=1000, metavar="N", help="how many (default: 1000)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the draws (default: 0)")
    args = parser.parse_args(arguments)
    trained = load_run(args.run)
    require_format(trained, args.out)

    print(f"written to {save_values(args.out, sample_rows(trained, args.n, given=given(args), seed=args.seed))}")


if __name__ == "__main__":
    run(main)
