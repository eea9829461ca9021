"""What does the output activation do? The same autoencoder with four claims about its data, side by side.

(a) sigmoid + cross-entropy on [0, 1]; (b) identity + squared error on standardised data; (c) continuous Bernoulli;
(d) Normal with a learned scale. Same networks, same budget, same seed; plain autoencoders, or VAEs with --variational.
"""

import math
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from command import Parser, add_network, csv_text, device, hidden, run
from pair import build
from tabulate import tabulate
from torch import Tensor

from data import Dataset, load
from inference import create_run, fit, plot_comparison, reproduce, save_figure, save_json, save_text

EXAMPLES = """\
  python scripts/reproductions.py --data digits
  python scripts/reproductions.py --data mnist --variational --epochs 10 --out runs/reproductions
"""

# Title: observation, and the scaling under which it sees the data.
MODELS = {
    "sigmoid +\ncross-entropy": ("unnormalised-bernoulli", None),
    "identity +\nsquared error": (f"normal:scale={math.sqrt(0.5)},link=identity", "standardise"),
    "continuous\nBernoulli": ("continuous-bernoulli", None),
    "Normal,\nlearned σ": ("normal:scale=shared,link=identity", None),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--data", default="digits", metavar="NAME", help="a known name, or a path (default: digits)")
    parser.add_argument("--variational", action="store_true", help="VAEs in the place of plain autoencoders")
    add_network(parser)
    parser.add_argument("--out", type=Path, help="folder, which must not exist (default: runs/reproductions-DATA)")
    args = parser.parse_args(arguments)

    where = device(args)
    datasets = {scaling: load(args.data, scaling=scaling) for _, scaling in MODELS.values()}
    data = datasets[None]
    if data.bounds is None:
        raise ValueError(f"the experiment needs data with bounds, such as grey levels, but {args.data} declares none")
    suffix = "-variational" if args.variational else ""
    for observation, scaling in MODELS.values():  # whatever cannot be built is refused before anything is written
        build(config(args, observation), datasets[scaling])[0].initialise(datasets[scaling].train)
    out = create_run(args.out or Path("runs") / f"reproductions-{Path(args.data).stem}{suffix}")
    x = data.test[:1000].to(where)
    try:
        reproductions = {
            title: train(args, observation, datasets[scaling].to(where), x)
            for title, (observation, scaling) in MODELS.items()
        }
    except BaseException:
        out.rmdir()  # nothing is in it, and nothing will be: the same command may be given again
        raise
    unit = "grey level" if len(data.event_shape) > 1 else "value"
    rows = [measure(title, x, r, data.bounds) for title, r in reproductions.items()]
    print(tabulate(rows, headers="keys", floatfmt=".3f"))
    save_text(out / "table.md", tabulate(rows, headers="keys", floatfmt=".3f", tablefmt="github") + "\n")
    save_text(out / "table.csv", csv_text(rows))
    save_json(out / "config.json", {**vars(args), "out": str(out), "hidden": hidden(args)})
    save_figure(out / "reproductions.png", plot_comparison(x, reproductions, data.bounds, unit=unit))
    print(f"written to {out}: look at {out / 'reproductions.png'}")


def config(args: Namespace, observation: str) -> dict[str, Any]:
    """Return the configuration of one of the models."""
    return {
        "observation": observation,
        "architecture": args.architecture,
        "latent": args.latent,
        "hidden": hidden(args),
        "guide": "normal" if args.variational else "delta",
    }


def train(args: Namespace, observation: str, data: Dataset, x: Tensor) -> Tensor:
    """Train one of the models, and return its reproductions of x."""
    torch.manual_seed(args.seed)
    model, guide = build(config(args, observation), data)
    model, guide = model.to(x.device), guide.to(x.device)
    print(f"training {observation} ({'normal' if args.variational else 'delta'} guide)")
    history = fit(model, guide, data, epochs=args.epochs, batch_size=args.batch_size, lr=args.lr, seed=args.seed)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt  # a model trained for less would be compared unfairly
    return reproduce(model, guide, x)


def measure(title: str, x: Tensor, reproduction: Tensor, bounds: tuple[float, float]) -> dict[str, Any]:
    """Return the table's row: errors in data units, and how much lies where no datum can."""
    outside = (reproduction < bounds[0]) | (reproduction > bounds[1])
    return {
        "model": title.replace("\n", " "),
        "mean absolute error": (reproduction - x).abs().mean().item(),
        "root mean square error": (reproduction - x).square().mean().sqrt().item(),
        f"% outside [{bounds[0]:g}, {bounds[1]:g}]": 100 * outside.float().mean().item(),
        "least": reproduction.min().item(),
        "greatest": reproduction.max().item(),
    }


if __name__ == "__main__":
    run(main)
