"""Repeat a published table: the numbers that were published, and ours beside them."""

from collections.abc import Sequence
from pathlib import Path

from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import Parser, one_of, positive_float, positive_int, seed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.files import require_place, save_text
from obsvae.experiments.published.not_miwae import METHODS, TABLES
from obsvae.experiments.published.registry import PUBLISHED
from obsvae.experiments.published.row import Row, lines_of, text_of
from obsvae.names import lookup

EXAMPLES = """\
  obsvae published not-miwae --tables banknote breast --out not-miwae.csv
  obsvae published not-miwae --steps 100000
  obsvae published exemplar-vae --models standard --minutes 60 --limit 1000 --runs runs/published --out exemplar.csv
  obsvae published iwae --models vae iwae-50 dreg-50 --epochs 100
  obsvae published frey-faces --models normal flow
Tables elsewhere: the continuous Bernoulli's is obsvae warp_study, HI-VAE's is obsvae benchmark imputation.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument(
        "table", type=one_of("table", PUBLISHED), metavar="NAME", help=f"{', '.join(PUBLISHED)}; see docs/published.md"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of whatever is random (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a line for each number, as .csv, kept up to date")
    parser.add_argument(
        "--particles", type=positive_int, metavar="K", help="of the guide, per datum (default: 5000, not-miwae 10000)"
    )
    group = parser.add_argument_group("not-miwae")
    group.add_argument(
        "--tables", type=one_of("table", TABLES), nargs="+", metavar="NAME", help=f"(default: {' '.join(TABLES)})"
    )
    group.add_argument(
        "--methods", type=one_of("method", METHODS), nargs="+", metavar="NAME", help=f"(default: {' '.join(METHODS)})"
    )
    group.add_argument("--steps", type=positive_int, metavar="N", help="of MIWAE's training (default: 30000)")
    group = parser.add_argument_group("tables of likelihoods: exemplar-vae, iwae, frey-faces")
    shown = "; ".join(
        f"{name}: {' '.join(one.models)} (default: {' '.join(map(str, _defaults(name)))})"
        for name, one in PUBLISHED.items()
        if one.models
    )
    group.add_argument("--models", nargs="+", metavar="NAME", help=shown)
    group.add_argument("--epochs", type=positive_int, metavar="N", help="at most (default: those of the protocol)")
    group.add_argument("--minutes", type=positive_float, metavar="M", help="of training each (default: no limit)")
    group.add_argument("--limit", type=positive_int, metavar="N", help="score the first N test data only")
    group.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="keep the runs here; those that were interrupted or had fewer epochs go on",
    )
    args = parser.parse_args(arguments)

    published = PUBLISHED[args.table]
    options = {name: getattr(args, name) for name in (*published.options, "seed")}
    for name in {name for one in PUBLISHED.values() for name in one.options} - set(published.options):
        if getattr(args, name) is not None:
            its = ", ".join(f"--{one}" for one in published.options)
            parser.error(f"--{name} is not for {args.table}, whose options are {its}: leave it out")
    options |= {name: default for name, default in published.options.items() if options[name] is None}
    for name in options.get("models", ()):
        try:
            lookup("model", name, dict.fromkeys(published.models))
        except UsageError as error:
            parser.error(f"argument --models: {error}")
    if args.out:
        require_place(args.out)

    print(f"{published.reference}\n\n{published.protocol}\n", flush=True)
    rows: list[Row] = []
    for row in published.rows(options):
        rows.append(row)
        print(f"{row.data}, {row.method}: {row.ours:.2f} after {row.seconds:,.0f} s", flush=True)
        if args.out:
            save_text(args.out, lines_of(rows))
    print(f"\n{text_of(rows)}")
    if args.out:
        print(f"written to {args.out}")


def _defaults(name: str) -> Sequence[str]:
    found = PUBLISHED[name].options["models"]
    assert isinstance(found, tuple)
    return found


if __name__ == "__main__":
    run(main)
