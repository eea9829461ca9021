"""Two to three minutes on the embedded digits: every observation that takes them, and the reproductions experiment."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import evaluate
import report
import reproductions
import train
from command import Parser, run
from jobs import refusal
from tabulate import tabulate

from data import load
from inference import create_run, save_text
from model import OBSERVATIONS, make_observation

EXAMPLES = """\
  make demo
  python scripts/demo.py --out runs/demo
"""

NETWORK = ["--data", "digits", "--latent", "8", "--hidden", "128", "128", "--lr", "0.003", "--seed", "0"]
REPORTED = ("normal", "continuous-bernoulli")
BINARY = {"bernoulli"}  # families for which the grey levels are first cut to 0 and 1
HEADERS = {
    "nats_per_datum": "log p(x)",
    "standard_error": "± s.e.",
    "bits_per_dim": "bits/dim",
    "ess_median": "ESS",
    "khat_median": "k̂",
    "khat_above_0.7": "k̂ > 0.7",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--out", type=Path, help="folder, which must not exist (default: runs/demo, or the next free)")
    parser.add_argument("--epochs", default="40", metavar="N", help="passes over the data (default: 40)")
    parser.add_argument("--particles", default="500", metavar="K", help="per datum (default: 500)")
    parser.add_argument("--limit", default="100", metavar="N", help="test data that are scored (default: 100)")
    args = parser.parse_args(arguments)
    start = time.perf_counter()
    out = create_run(args.out or free(Path("runs/demo")))

    rows: list[dict[str, Any]] = []
    unfit: list[str] = []
    grey = load("digits")
    for name in OBSERVATIONS:
        folder = out / name
        binary = ["--binarise", "threshold"] if name in BINARY else []
        print(f"\n== {name} ==")
        if not binary and (why := refusal(make_observation(name, grey), grey)):
            print(f"not for these data: {why}")
            unfit.append(name)
            continue
        train.main([*NETWORK, *binary, "--observation", name, "--epochs", args.epochs, "--out", str(folder)])
        evaluate.main([str(folder), "--particles", args.particles, "--limit", args.limit])
        rows += results(name, json.loads((folder / "metrics.json").read_text(encoding="utf-8")))

    print("\n== plain autoencoders with four output heads ==")
    reproductions.main([*NETWORK, "--epochs", args.epochs, "--out", str(out / "reproductions")])

    print(
        f"\n== every observation that takes them, {args.epochs} epochs, {args.particles} particles, "
        f"{args.limit} digits =="
    )
    print(tabulate(rows, headers="keys", floatfmt=".2f"))
    print("A density and a mass are never ranked against each other, nor are binary and grey data.")
    if unfit:
        print(f"Not for these data, whose values they do not all cover: {', '.join(unfit)}.")
    save_text(out / "table.md", tabulate(rows, headers="keys", floatfmt=".2f", tablefmt="github") + "\n")
    print("\n== a page on two of them ==")
    reported = [str(out / name) for name in REPORTED]
    report.main([*reported, "--limit", args.limit, "--particles", args.particles, "--out", str(out / "report.html")])
    print(f"\n{time.perf_counter() - start:.0f} s. Where to look:")
    print(f"  {out / 'report.html'}   what {' and '.join(REPORTED)} say of the data, and their failures")
    print(f"  {out / 'reproductions/reproductions.png'}   what the output activation does")
    print(f"  {out / 'table.md'}   the table above")
    print(f"  {out / 'normal'}   a run: config.json, history.csv, metrics.json, posterior.nc, figures/")


def free(path: Path) -> Path:
    """Return the path, or the first of path-2, path-3, … that does not exist."""
    candidates = (path if n == 1 else path.with_name(f"{path.name}-{n}") for n in range(1, 10_000))
    return next(candidate for candidate in candidates if not candidate.exists())


def results(name: str, metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of one run: one, or one for each correction of an unnormalised loss."""
    data = "0 or 1" if name in BINARY else "0 … 16"
    scored = metrics.get("corrections")
    named = {name: metrics} if scored is None else {f"{name}, {how}": found for how, found in scored.items()}
    return [
        {"observation": title, "data": data, "measure": m["measure"], **{HEADERS[key]: m[key] for key in HEADERS}}
        for title, m in named.items()
    ]


if __name__ == "__main__":
    run(main)
