"""Time training and likelihood estimates, or count estimates that are silently wrong."""

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from obsvae.experiments.benchmarks.likelihood import compare_estimators, has_peer, throughput
from obsvae.experiments.benchmarks.training import compare_loops
from obsvae.experiments.benchmarks.trust.parts import PARTS, run_part
from obsvae.experiments.benchmarks.trust.verdicts import Verdicts
from obsvae.experiments.command_line.arguments import Parser, one_of, positive_int, seed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.files import save_text

EXAMPLES = """\
  obsvae benchmark training --data mnist --rounds 5
  obsvae benchmark likelihood runs/mnist-bernoulli runs/mnist-normal --annealed 50
  obsvae benchmark trust --quick
  obsvae benchmark trust --what adversarial --out trust.csv
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument(
        "benchmark",
        type=one_of("benchmark", ["training", "likelihood", "trust"]),
        metavar="WHAT",
        help="training, likelihood or trust",
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
    group = parser.add_argument_group("trust: estimates of log p(x) that are wrong and not flagged, by quadrature")
    group.add_argument(
        "--what",
        type=one_of("part", [*PARTS, "both"]),
        default="both",
        metavar="PART",
        help="adversarial (small models made to mislead), trained (digits, 1 to 3 latents) or both (default: both)",
    )
    group.add_argument("--limit", type=positive_int, metavar="N", help="data of each model (default: 13, trained 200)")
    group.add_argument("--particles", type=positive_int, default=500, metavar="K", help="refined (default: 500)")
    group.add_argument("--quick", action="store_true", help="a few models and data of each: about a minute")
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="of models, data, particles (default: 0)")
    group.add_argument("--out", type=Path, metavar="FILE", help="a line for each estimate, as .csv")
    args = parser.parse_args(arguments)
    if (args.benchmark == "likelihood") != bool(args.runs):
        parser.error("likelihood needs at least one run folder, and training none, nor does trust take any")
    if args.out and args.out.is_dir():
        parser.error(f"--out needs a file, but {args.out} is a folder")

    if args.benchmark == "trust":
        found = list[Verdicts]()
        for name in PARTS if args.what == "both" else [args.what]:
            tried = run_part(name, particles=args.particles, data=args.limit, quick=args.quick, seed=args.seed)
            print(f"{PARTS[name].report(tried)}\n", flush=True)
            found.append(tried.verdicts)
            if args.out:
                save_text(args.out, Verdicts.joined(found).text())
        if args.out:
            print(f"written to {args.out}")
        return
    if args.benchmark == "training":
        print(tabulate(compare_loops(args.data, args.rounds), headers="keys", floatfmt=".3f"))
        print(
            "The second epoch of each, without validation: this project traces its objective in the first, once a run."
        )
        return
    print(f"Nats per datum over the first {args.annealed} test data; times over {args.timed}.")
    print(f"The times are medians of {args.rounds} rounds, in which the estimators take turns.")
    for folder in args.runs:
        rows = compare_estimators(folder, args.timed, args.annealed, args.rounds, args.temperatures)
        print(f"\n{tabulate(rows, 'keys', floatfmt='.5g', missingval='–')}", flush=True)
    print(f"\nOf {args.runs[0].name}:\n{tabulate(throughput(args.runs[0], args.rounds), 'keys', floatfmt='.3g')}")
    if not has_peer():
        print("pythae is not installed, and was left out (pip install pythae==0.1.2)")


if __name__ == "__main__":
    run(main)
