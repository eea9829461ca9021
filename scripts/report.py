"""Write one page on one or more runs: results, pictures, checks."""

from collections.abc import Sequence
from pathlib import Path

from obsvae.experiments.command_line.arguments import Parser, positive_int, seed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.reporting.report import make_report, page_file

EXAMPLES = """\
  obsvae report runs/mnist-normal --out report.html
  obsvae report runs/a runs/b --limit 500 --particles 1000 --out report.html
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(f"{__doc__}\n\nThe page needs no other file, and no network.", EXAMPLES)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders, as obsvae train leaves them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page, a name that ends in .html")
    parser.add_argument(
        "--limit", type=positive_int, default=200, metavar="N", help="look at the first N test data (default: 200)"
    )
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of all draws (default: 0)")
    args = parser.parse_args(arguments)

    out = page_file(args.out)
    report = make_report(args.runs, limit=args.limit, particles=args.particles, seed=args.seed)
    written = report.save(out)
    warnings = [f"warning: {in_flags(line)}" for line in report.warnings]
    notes = [f"note: {in_flags(line)}" for line in report.notes]
    print("\n".join([*warnings, *notes, f"written: {written}", *report.verdicts]))


if __name__ == "__main__":
    run(main)
