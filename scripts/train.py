"""Train a model/guide pair by SVI, and leave a run folder; or go on with one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import (
    Parser,
    device,
    non_negative_float,
    one_of,
    positive_float,
    positive_int,
)
from obsvae.experiments.command_line.data import add_data, load_data, notes_on
from obsvae.experiments.command_line.observations import add_observation, observation_help, observation_spec
from obsvae.experiments.command_line.pairs import (
    add_described,
    add_network,
    add_own,
    add_pair,
    network_options,
    training_options,
)
from obsvae.experiments.command_line.program import run
from obsvae.experiments.evaluation.after_training import TellDoubts, summary
from obsvae.experiments.runs.resuming import resume_run
from obsvae.experiments.runs.run import Run
from obsvae.experiments.runs.training import train_run
from obsvae.inference import OBJECTIVES, SCHEDULES
from obsvae.inference.processes.joining import join
from obsvae.inference.training.objectives.products import PRECISIONS

EXAMPLES = """\
  obsvae train --data digits --observation normal --scale shared --epochs 50 --out runs/digits-normal
  obsvae train --data mnist --observation bernoulli --binarise dynamic --out runs/mnist-bernoulli
  obsvae train --observation help
  obsvae train --data measurements.npy --observation "normal:scale=per-feature" --standardise
  obsvae train --data digits --observation binomial --decoder mine.networks:Wide --hidden 64 64
  obsvae train --resume runs/mnist-bernoulli --epochs 300
  torchrun --nproc-per-node 4 --no-python obsvae train --data mnist --observation bernoulli --batch-size 1000
"""
# What may be changed of a run that goes on.
CHANGEABLE = ("resume", "epochs", "patience")
# What fit takes for each choice.
COMPILED: Mapping[str, bool | Literal["auto"]] = {"auto": "auto", "yes": True, "no": False}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES, is_shared=True)
    add_data(parser)
    add_observation(parser)
    add_network(parser)
    add_pair(parser)
    add_own(parser)
    add_described(parser, "objective", OBJECTIVES, "elbo", "what is maximised")
    add_described(parser, "schedule", SCHEDULES, "constant", "of the learning rate")
    parser.add_argument(
        "--weight-decay",
        type=non_negative_float,
        default=0.0,
        metavar="D",
        help="share of the learning rate by which weights are drawn to 0, as AdamW has it (default: 0)",
    )
    parser.add_argument(
        "--averaging",
        type=positive_float,
        metavar="D",
        help="keep an exponential moving average of the weights with this decay, such as 0.999, below 1; it is what is "
        "validated (default: the weights of the best epoch)",
    )
    parser.add_argument("--kl-warmup", type=positive_int, metavar="N", help="epochs over which the KL's weight rises")
    parser.add_argument(
        "--kl-cycles",
        type=positive_int,
        default=1,
        metavar="N",
        help="how often it does, and stays for as long in between (default: 1)",
    )
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
    parser.add_argument(
        "--precision",
        type=one_of("precision", PRECISIONS),
        default="f32",
        metavar="TYPE",
        help="of the products of networks in training: f32, or bf16, which is faster for wide layers on processors "
        "that multiply bfloat16; weights, densities and evaluation stay f32 (default: f32)",
    )
    parser.add_argument("--out", type=Path, help="run folder, which must not exist (default: runs/DATA-OBSERVATION)")
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="go on with a run that was interrupted or killed, as if it had never ended, or with more --epochs or "
        "--patience; its other options are those of before",
    )
    args, given = parser.parse_given(arguments)
    processes = join()
    if args.resume is not None:
        if others := [flag for name, flag in given.items() if name not in CHANGEABLE]:
            raise UsageError(
                "--resume goes on with the options of its run, of which --epochs and --patience alone may be others; "
                f"leave out {', '.join(others)}"
            )
        _tell(resume_run(args.resume, epochs=args.epochs, patience=args.patience, processes=processes))
        return
    if args.observation == ["help"]:
        print(observation_help())
        return

    with processes.in_turn():
        data = load_data(args)
    observation = observation_spec(args, data)
    trained = train_run(
        observation,
        data,
        args.out,
        guide=args.guide,
        prior=args.prior,
        decoder=args.decoder,
        encoder=args.encoder,
        objective=args.objective,
        schedule=args.schedule,
        weight_decay=args.weight_decay,
        averaging=args.averaging,
        kl_warmup=args.kl_warmup or 0,
        kl_cycles=args.kl_cycles,
        patience=args.patience,
        clip=args.clip,
        compiled=COMPILED[args.compiled],
        precision=args.precision,
        callbacks=[TellDoubts(data, notes_on(data, args))],
        device=device(args),
        processes=processes,
        **network_options(args),
        **training_options(args),
    )
    _tell(trained)


def _tell(trained: Run) -> None:
    """Print how training went; raise KeyboardInterrupt where it was interrupted."""
    print(summary(trained))
    is_interrupted, then = trained.history.stopped == "interrupted", ""
    if is_interrupted and trained.history.best:
        then = f"; obsvae train --resume {trained.folder} goes on"
    elif trained.guide.has_density and not is_interrupted:  # of a plain autoencoder nobody asks for a likelihood
        then = f"; now: obsvae evaluate {trained.folder}"
    print(f"written to {trained.folder}{then}")
    if is_interrupted:
        raise KeyboardInterrupt  # whoever called this must not take the run for a whole one


if __name__ == "__main__":
    run(main)
