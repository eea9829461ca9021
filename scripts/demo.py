"""Try every observation on the embedded digits, in about three minutes."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from obsvae.cli import evaluate, report, reproductions, train
from obsvae.data import load
from obsvae.experiments.command_line.arguments import Parser, positive_int
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.comparison.acceptance import refusal
from obsvae.experiments.demo import first_free, result_rows
from obsvae.experiments.files import create_run, save_text
from obsvae.model import OBSERVATIONS, make_observation

EXAMPLES = """\
  make demo
  obsvae demo --out runs/demo
"""

NETWORK = ["--data", "digits", "--latent", "8", "--hidden", "128", "128", "--lr", "0.003", "--seed", "0"]
REPORTED = ("normal", "continuous-bernoulli")
BINARY = {"bernoulli"}  # families for which the grey levels are first cut to 0 and 1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--out", type=Path, help="folder, which must not exist (default: runs/demo, or the next free)")
    parser.add_argument(
        "--epochs", type=positive_int, default=40, metavar="N", help="passes over the data (default: 40)"
    )
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument(
        "--limit", type=positive_int, default=100, metavar="N", help="test data that are scored (default: 100)"
    )
    args = parser.parse_args(arguments)
    epochs, scoring = ["--epochs", str(args.epochs)], ["--particles", str(args.particles), "--limit", str(args.limit)]
    start = time.perf_counter()
    out = create_run(args.out or first_free(Path("runs/demo")))

    rows: list[dict[str, Any]] = []
    unfit: list[str] = []
    grey = load("digits")
    for name in OBSERVATIONS:
        folder = out / name
        binary = ["--binarise", "threshold"] if name in BINARY else []
        print(f"\n== {name} ==")
        if not binary and (why := refusal(make_observation(name, grey), grey)):
            print(f"not for these data: {in_flags(why)}")
            unfit.append(name)
            continue
        train.main([*NETWORK, *binary, "--observation", name, *epochs, "--out", str(folder)])
        evaluate.main([str(folder), *scoring])
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        rows += result_rows(name, "0 or 1" if binary else "0 … 16", metrics)

    print("\n== plain autoencoders with four output heads ==")
    reproductions.main([*NETWORK, *epochs, "--out", str(out / "reproductions")])

    print(
        f"\n== every observation that takes them, {args.epochs} epochs, {args.particles} particles, "
        f"{args.limit} digits =="
    )
    print(tabulate(rows, headers="keys", floatfmt=".2f"))
    print("The grey levels lie on a grid: log p(x) is the mass of its cells, of densities as well.")
    print("Binary and grey data are never ranked against each other.")
    if unfit:
        print(f"Not for these data, whose values they do not all cover: {', '.join(unfit)}.")
    save_text(out / "table.md", tabulate(rows, headers="keys", floatfmt=".2f", tablefmt="github") + "\n")
    print("\n== a page on two of them ==")
    reported = [str(out / name) for name in REPORTED]
    report.main([*reported, *scoring, "--out", str(out / "report.html")])
    print(f"\n{time.perf_counter() - start:.0f} s. Where to look:")
    print(f"  {out / 'report.html'}   what {' and '.join(REPORTED)} say of the data, and their failures")
    print(f"  {out / 'reproductions/reproductions.png'}   what the output activation does")
    print(f"  {out / 'table.md'}   the table above")
    print(f"  {out / 'normal'}   a run: config.json, history.csv, metrics.json, posterior.nc, figures/")


if __name__ == "__main__":
    run(main)
