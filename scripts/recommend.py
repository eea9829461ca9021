"""Find out which observation distribution data want, and write down why."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from obsvae.experiments.architectures import ARCHITECTURES
from obsvae.experiments.command_line.arguments import (
    Parser,
    add_device,
    add_jobs,
    device,
    job_options,
    positive_float,
    positive_int,
    seed,
)
from obsvae.experiments.command_line.data import add_data, load_data, notes_on
from obsvae.experiments.command_line.pairs import add_described
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.recommendation.recommend import recommend
from obsvae.experiments.recommendation.say.files import PAGE
from obsvae.experiments.recommendation.say.text import printed

EXAMPLES = """\
  obsvae recommend measurements.csv --out rec
  obsvae recommend measurements.csv --columns income age --minutes 2 --seeds 3 --out rec
  obsvae recommend digits --minutes 10 --jobs 2 --out rec-digits
  obsvae recommend --data train.csv validation.csv test.csv --schema schema.toml --out rec
"""
_JOBS = 4  # processes at most, where nobody says


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("DATA", nargs="*", help="the data, as --data takes them")
    add_data(parser)
    parser.add_argument(
        "--columns", nargs="+", metavar="NAME", help="columns of a table that are asked for (default: all)"
    )
    parser.add_argument(
        "--minutes",
        type=positive_float,
        default=5.0,
        metavar="M",
        help="that it may take; where they run out, it says which answers are less certain (default: 5)",
    )
    parser.add_argument(
        "--seeds", type=positive_int, default=2, metavar="N", help="runs of each candidate that is left (default: 2)"
    )
    jobs = min(_JOBS, os.cpu_count() or 1)
    add_jobs(parser, jobs, f"(default: one for each core, {_JOBS} at most, of one thread each)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/recommended"),
        help="folder; an interrupted recommendation in it goes on, also with more minutes or seeds "
        "(default: runs/recommended)",
    )
    group = parser.add_argument_group("trials")
    group.add_argument(
        "--latent",
        type=positive_int,
        metavar="D",
        help="size of z (default: root of the number of features, 8 at most)",
    )
    group.add_argument(
        "--hidden",
        type=positive_int,
        nargs="+",
        metavar="H",
        help="hidden layers from x to z, mirrored in the decoder (default: 64 64, or 128 128 of many features)",
    )
    add_described(group, "architecture", ARCHITECTURES, "mlp", "of the networks")
    group.add_argument(
        "--epochs", type=positive_int, default=200, metavar="N", help="passes over the data at most (default: 200)"
    )
    group.add_argument(
        "--patience",
        type=positive_int,
        default=20,
        metavar="N",
        help="epochs without improvement after which training ends (default: 20)",
    )
    group.add_argument(
        "--batch-size", type=positive_int, metavar="N", help="minibatch (default: a tenth of the rows, 16 to 400)"
    )
    group.add_argument("--lr", type=positive_float, default=4e-3, help="Adam's learning rate (default: 0.004)")
    group.add_argument(
        "--particles", type=positive_int, default=100, metavar="K", help="per row that is scored (default: 100)"
    )
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="the first of the seeds (default: 0)")
    add_device(group)
    parser.set_defaults(data=None)
    args = parser.parse_args(arguments)
    if bool(args.DATA) == bool(args.data):
        parser.error("needs the data once: obsvae recommend DATA, or --data DATA")
    args.data = args.DATA or args.data

    data = load_data(args)
    for note in notes_on(data, args):
        print(note, file=sys.stderr)
    found = recommend(
        data,
        minutes=args.minutes,
        seeds=args.seeds,
        out=args.out,
        columns=args.columns,
        latent=args.latent,
        hidden=args.hidden,
        architecture=args.architecture,
        epochs=args.epochs,
        patience=args.patience,
        batch_size=args.batch_size,
        lr=args.lr,
        particles=args.particles,
        seed=args.seed,
        device=device(args),
        **job_options(args),
    )
    print(in_flags(printed(found)))
    print(f"\nwritten to {args.out}; first read {shlex.quote(str(args.out / PAGE))}")


if __name__ == "__main__":
    run(main)
