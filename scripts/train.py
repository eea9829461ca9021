"""Train a model/guide pair by SVI, and leave a run folder."""

from collections.abc import Sequence
from pathlib import Path

from command import (
    Parser,
    add_data,
    add_network,
    device,
    one_of,
    positive_float,
    positive_int,
    run,
)
from observation_arguments import add_observation, observation_help, observation_spec
from pair import pair_config
from training import train_run

from guides import GUIDES
from inference import History

EXAMPLES = """\
  python scripts/train.py --data digits --observation normal --scale shared --epochs 50 --out runs/digits-normal
  python scripts/train.py --data mnist --observation bernoulli --binarise dynamic --out runs/mnist-bernoulli
  python scripts/train.py --observation help
  python scripts/train.py --data measurements.npy --observation "normal:scale=per-feature" --standardise
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_data(parser)
    add_observation(parser)
    add_network(parser)
    parser.add_argument(
        "--guide",
        type=one_of("guide", GUIDES),
        default="normal",
        metavar="NAME",
        help="normal, or delta for a plain autoencoder (default: normal)",
    )
    parser.add_argument("--kl-warmup", type=positive_int, metavar="N", help="epochs over which the KL's weight rises")
    parser.add_argument("--patience", type=positive_int, metavar="N", help="stop after N epochs without improvement")
    parser.add_argument("--clip", type=positive_float, metavar="NORM", help="greatest norm of the gradient")
    parser.add_argument("--out", type=Path, help="run folder, which must not exist (default: runs/DATA-OBSERVATION)")
    args = parser.parse_args(arguments)
    if args.observation == "help":
        print(observation_help())
        return

    config = pair_config(args, observation_spec(args), args.guide)
    training = {name: getattr(args, name) for name in ("epochs", "batch_size", "lr", "patience", "clip", "seed")}
    training["kl_warmup"] = args.kl_warmup or 0
    out, history, _, guide = train_run(config, training, device(args), args.out)
    report(history, out, evaluable=bool(guide.kl_weight))


def report(history: History, out: Path, evaluable: bool) -> None:
    if history.best:
        seconds = history.epochs[-1].seconds / len(history)
        print(
            f"{history.stopped} after {len(history)} epochs of {seconds:.1f} s; weights of epoch {history.best.epoch}, "
            f"validation {history.objective} {history.best.validation_elbo:.2f} nats per datum"
        )
    else:
        print(f"{history.stopped} before the first epoch ended")
    # A point mass has no likelihood to evaluate.
    print(f"written to {out}; now: python scripts/evaluate.py {out}" if evaluable else f"written to {out}")
    if history.stopped == "interrupted":
        raise KeyboardInterrupt  # whoever called this must not take the run for a whole one


if __name__ == "__main__":
    run(main)
