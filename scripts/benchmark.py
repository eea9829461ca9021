"""Time training against a hand-written loop, or likelihood estimates against one another, in turn."""

from collections.abc import Sequence
from pathlib import Path

import likelihood_benchmark
import training_benchmark
from command import Parser, one_of, positive_int, run

EXAMPLES = """\
  python scripts/benchmark.py training --data mnist --rounds 5
  python scripts/benchmark.py likelihood runs/mnist-bernoulli runs/mnist-normal --annealed 50
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument(
        "what", type=one_of("benchmark", ["training", "likelihood"]), metavar="WHAT", help="training or likelihood"
    )
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders (likelihood)")
    parser.add_argument("--rounds", type=positive_int, default=3, metavar="N", help="how often each (default: 3)")
    parser.add_argument(
        "--data", default="digits", metavar="NAME", help="binarised by threshold (training; default: digits)"
    )
    group = parser.add_argument_group("likelihood")
    group.add_argument("--timed", type=positive_int, default=200, metavar="N", help="test data (default: 200)")
    group.add_argument("--annealed", type=positive_int, default=50, metavar="N", help="of these (default: 50)")
    group.add_argument("--temperatures", type=positive_int, default=200, metavar="T", help="(default: 200)")
    args = parser.parse_args(arguments)

    if (args.what == "likelihood") != bool(args.runs):
        parser.error("likelihood needs at least one run folder, and training none")
    if args.what == "training":
        print(training_benchmark.report(args.data, args.rounds))
    else:
        likelihood_benchmark.report(args.runs, args.timed, args.annealed, args.rounds, args.temperatures)


if __name__ == "__main__":
    run(main)
