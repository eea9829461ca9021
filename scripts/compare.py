"""Train several observation distributions on the same data, and rank them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from obsvae.experiments.command_line.arguments import Parser, add_jobs, device, job_options, positive_int
from obsvae.experiments.command_line.data import add_data, load_data, notes_on
from obsvae.experiments.command_line.pairs import add_network, add_pair, network_options, training_options
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.comparison.compare import compare

EXAMPLES = """\
  obsvae compare --data digits --observations normal continuous-bernoulli discretised:inner=logistic categorical \\
      ordinal --latent 8 --hidden 128 128 --epochs 60 --seeds 3 --jobs 2 --out runs/digits-compared
  obsvae compare --data mnist --observations bernoulli normal:scale=shared continuous-bernoulli \\
      discretised:inner=mixture,components=3,inner=logistic,scale=decoder --seeds 3 --jobs 2 --out runs/cmp
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_data(parser)
    parser.add_argument(
        "--observations",
        nargs="+",
        required=True,
        metavar="SPEC",
        help="candidates, each name:option=value,...; obsvae train --observation help lists them",
    )
    add_network(parser)
    add_pair(parser, needs_density=True)
    parser.add_argument("--seeds", type=positive_int, default=1, metavar="N", help="runs of each (default: 1)")
    add_jobs(parser)
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N test data only")
    parser.add_argument("--memory", type=positive_int, default=256, metavar="MB", help="for scoring (default: 256)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/compared"), help="folder; an interrupted comparison in it goes on"
    )
    args = parser.parse_args(arguments)

    data = load_data(args)
    for note in notes_on(data, args):
        print(note, file=sys.stderr)
    comparison = compare(
        args.observations,
        data,
        seeds=args.seeds,
        out=args.out,
        guide=args.guide,
        prior=args.prior,
        particles=args.particles,
        limit=args.limit,
        memory=args.memory * 2**20,
        device=device(args),
        **job_options(args),
        **network_options(args),
        **training_options(args),
    )
    print(in_flags(comparison.table()))
    print(f"\nwritten to {args.out}: table.md, table.csv, figures/ranking.png, figures/learning.png, a folder a run")


if __name__ == "__main__":
    run(main)
