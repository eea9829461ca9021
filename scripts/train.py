"""Train a model/guide pair by SVI, and leave a run folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from command import (
    Parser,
    add_data,
    add_network,
    data_config,
    device,
    hidden,
    one_of,
    positive_float,
    positive_int,
    run,
)
from observation_arguments import add_observation, observation_help, observation_spec
from pair import FORMAT, build
from torch import nn

from data import load
from guides import GUIDES
from inference import (
    History,
    TrainingDiverged,
    create_run,
    fit,
    plot_history,
    plot_reproductions,
    prior_means,
    reproduce,
    save_figure,
    save_history,
    save_json,
    save_weights,
)
from model import VAE

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

    config = {
        "format": FORMAT,
        "data": data_config(args),
        "observation": observation_spec(args),
        "architecture": args.architecture,
        "latent": args.latent,
        "hidden": hidden(args),
        "guide": args.guide,
    }
    training = {name: getattr(args, name) for name in ("epochs", "batch_size", "lr", "patience", "clip", "seed")}
    training["kl_warmup"] = args.kl_warmup or 0
    where = device(args)
    data = load(**config["data"])
    torch.manual_seed(args.seed)
    model, guide = build(config, data)
    for split in ("train", "validation", "test"):
        model.check(data.split(split), data.rows[split])
    model.initialise(data.train)
    guide.encoder.initialise(data.train)
    data, model, guide = data.to(where), model.to(where), guide.to(where)
    out = create_run(args.out or Path("runs") / f"{Path(args.data).stem}-{model.observation.name}")
    config |= {"data_sha256": data.sha256, "training": training, "device": where.type, "torch": torch.__version__}
    save_json(out / "config.json", {**config, "outcome": {"stopped": "unfinished", "best_epoch": None}})

    def checkpoint(history: History) -> None:
        if history.best is history.epochs[-1]:
            save_weights(out, model, guide)
        save_history(out, history)

    try:
        history = fit(model, guide, data, **training, initialise=False, after_epoch=checkpoint)
    except TrainingDiverged as error:
        keep(out, model, guide, config, error.history)
        raise
    keep(out, model, guide, config, history)
    if history.best:
        save_figure(out / "figures/learning_curve.png", plot_history(history))
    few = data.validation[:10]
    rows = {"data": few, "reproduction\n(mean)": reproduce(model, guide, few)}
    if guide.kl_weight:
        rows["mean at z\nfrom the prior"] = prior_means(model, len(few), seed=args.seed)
    save_figure(out / "figures/reproductions.png", plot_reproductions(rows, data.bounds))
    report(history, out, evaluable=bool(guide.kl_weight))


def keep(out: Path, model: VAE, guide: nn.Module, config: dict[str, Any], history: History) -> None:
    save_weights(out, model, guide)
    save_history(out, history)
    outcome = {"stopped": history.stopped, "best_epoch": history.best.epoch if history.best else None}
    save_json(out / "config.json", {**config, "outcome": outcome})


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
