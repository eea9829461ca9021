"""Train several observation distributions on the same data with the same networks, and rank them on one scale."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from candidate import Job, scored_as, threads_each
from command import Parser, add_data, add_network, device, positive_int, run
from comparison_report import folder_of, report, rows_of
from jobs import open_folder, refusal, run_jobs
from pair import pair_config

from data import load
from model import make_observation, on_common_scale

EXAMPLES = """\
  python scripts/compare.py --data digits --observations normal continuous-bernoulli discretised:inner=logistic \\
      categorical ordinal --latent 8 --hidden 128 128 --epochs 60 --seeds 3 --jobs 2 --out runs/digits-compared
  python scripts/compare.py --data mnist --observations bernoulli normal:scale=shared continuous-bernoulli \\
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
        help="candidates, each name:option=value,...; scripts/train.py --observation help lists them",
    )
    add_network(parser)
    parser.add_argument("--seeds", type=positive_int, default=1, metavar="N", help="runs of each (default: 1)")
    parser.add_argument("--jobs", type=positive_int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N test data only")
    parser.add_argument("--memory", type=positive_int, default=256, metavar="MB", help="for scoring (default: 256)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/compared"), help="folder; an interrupted comparison in it goes on"
    )
    args = parser.parse_args(arguments)
    if len({folder_of(args.out, spec, args.seed) for spec in args.observations}) < len(args.observations):
        raise ValueError(f"--observations names one of its candidates twice: {' '.join(args.observations)}")

    configs = {spec: pair_config(args, spec, "normal") for spec in args.observations}
    data = load(**next(iter(configs.values()))["data"])
    observations = {spec: make_observation(spec, data) for spec in args.observations}
    refused = {spec: why for spec, o in observations.items() if (why := refusal(o, data))}
    taken = {
        f"{spec}{suffix}": scored
        for spec, observation in observations.items()
        if spec not in refused
        for suffix, scored in scored_as(observation).items()
    }
    if not taken:
        raise ValueError(f"no candidate takes these data; of {args.observations[0]}: {refused[args.observations[0]]}")
    on_common_scale(taken, data.grid)  # before any training, so that nothing is trained in vain

    training = {"epochs": args.epochs, "batch_size": args.batch_size, "lr": args.lr}
    evaluation = {
        "proposal": "refined",
        "particles": args.particles,
        "limit": args.limit,
        "memory": args.memory * 2**20,
        "seed": args.seed,
    }
    shared = {**configs[args.observations[0]], "observation": None, **training, "evaluation": evaluation}
    open_folder(args.out, {**shared, "data_sha256": data.sha256, "device": device(args).type})
    seeds = range(args.seed, args.seed + args.seeds)
    jobs = [
        Job(
            configs[spec],
            {**training, "seed": seed},
            evaluation,
            device(args).type,
            folder_of(args.out, spec, seed),
            threads_each(args.jobs),
        )
        for seed in seeds  # each candidate once before any twice
        for spec in args.observations
        if spec not in refused
    ]
    run_jobs(jobs, args.jobs)
    rows = [rows_of(spec, seeds, args.out, observation, data, refused) for spec, observation in observations.items()]
    report(args.out, list(chain.from_iterable(rows)), data, args.jobs)


if __name__ == "__main__":
    run(main)
