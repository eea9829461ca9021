"""Show when the choice matters: several decoders on MNIST warped from binary to grey."""

from collections.abc import Sequence
from pathlib import Path

from obsvae.experiments.command_line.arguments import Parser, add_jobs, device, job_options, number, positive_int
from obsvae.experiments.command_line.pairs import add_network, network_options, training_options
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.warp_study import GAMMAS, warp_study

EXAMPLES = """\
  obsvae warp_study --jobs 2 --out runs/warp
  obsvae warp_study --data digits --gammas -0.5 0 0.4 --epochs 5 --latent 4 --hidden 64 --out runs/warp-small
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--data", default="mnist", metavar="NAME", help="data on a grid, with bounds (default: mnist)")
    parser.add_argument("--gammas", type=number, nargs="+", default=GAMMAS, metavar="G", help="-0.5 ... below 0.5")
    add_network(parser, latent=20, hidden=[500, 500], epochs=10)
    add_jobs(parser)
    parser.add_argument("--particles", type=positive_int, default=100, metavar="K", help="per datum (default: 100)")
    parser.add_argument("--limit", type=positive_int, default=1000, metavar="N", help="test data (default: 1000)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/warp"), help="folder; an interrupted study in it goes on"
    )
    args = parser.parse_args(arguments)

    study = warp_study(
        args.data,
        args.gammas,
        out=args.out,
        particles=args.particles,
        limit=args.limit,
        device=device(args),
        **job_options(args),
        **network_options(args),
        **training_options(args),
    )
    study.save(args.out)
    print(in_flags(study.table()))
    print(f"\nwritten to {args.out}: table.md, table.csv, figures/warp.png, and a folder for each run")


if __name__ == "__main__":
    run(main)
