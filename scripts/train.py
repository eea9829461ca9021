"""Train a model/guide pair by SVI, and leave a run folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from obsvae.experiments.command_line.arguments import (
    Parser,
    add_network,
    add_pair,
    device,
    network_options,
    one_of,
    positive_float,
    positive_int,
    training_options,
)
from obsvae.experiments.command_line.data import add_data, load_data
from obsvae.experiments.command_line.observations import add_observation, observation_help, observation_spec
from obsvae.experiments.command_line.program import run
from obsvae.experiments.training import TellDoubts, summary, train_run

EXAMPLES = """\
  obsvae train --data digits --observation normal --scale shared --epochs 50 --out runs/digits-normal
  obsvae train --data mnist --observation bernoulli --binarise dynamic --out runs/mnist-bernoulli
  obsvae train --observation help
  obsvae train --data measurements.npy --observation "normal:scale=per-feature" --standardise
"""
# What fit takes for each choice.
COMPILED: Mapping[str, bool | Literal["auto"]] = {"auto": "auto", "yes": True, "no": False}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_data(parser)
    add_observation(parser)
    add_network(parser)
    add_pair(parser)
    parser.add_argument("--kl-warmup", type=positive_int, metavar="N", help="epochs over which the KL's weight rises")
    parser.add_argument(
        "--patience",
        type=positive_int,
        metavar="N",
        help="stop after N epochs without a gain (default: 10, and 1000 steps, where no --epochs are given)",
    )
    parser.add_argument("--clip", type=positive_float, metavar="NORM", help="greatest norm of the gradient")
    parser.add_argument(
        "--compiled",
        type=one_of("choice", COMPILED),
        default="auto",
        metavar="WHEN",
        help="compile the step: yes, no, or auto: with a C++ compiler, and steps that pay for it (default: auto)",
    )
    parser.add_argument("--out", type=Path, help="run folder, which must not exist (default: runs/DATA-OBSERVATION)")
    args = parser.parse_args(arguments)
    if args.observation == ["help"]:
        print(observation_help())
        return

    data = load_data(args)
    observation = observation_spec(args, data)
    trained = train_run(
        observation,
        data,
        args.out,
        guide=args.guide,
        prior=args.prior,
        kl_warmup=args.kl_warmup or 0,
        patience=args.patience,
        clip=args.clip,
        compiled=COMPILED[args.compiled],
        callbacks=[TellDoubts(data)],
        device=device(args),
        **network_options(args),
        **training_options(args),
    )
    print(summary(trained))
    # Whoever trains a plain autoencoder does not ask for a likelihood.
    then = f"; now: obsvae evaluate {trained.folder}" if trained.guide.has_density else ""
    print(f"written to {trained.folder}{then}")
    if trained.history.stopped == "interrupted":
        raise KeyboardInterrupt  # whoever called this must not take the run for a whole one


if __name__ == "__main__":
    run(main)
