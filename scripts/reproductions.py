"""Show the effect of the output activation: an autoencoder with four output heads.

(a) sigmoid + cross-entropy on [0, 1]; (b) identity + squared error on standardised data; (c) continuous Bernoulli;
(d) Normal with a learned scale. Same networks, same budget, same seed; plain autoencoders, or VAEs with --variational.
"""

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.data import load
from obsvae.experiments.architectures import sizes_of
from obsvae.experiments.command_line.arguments import Parser, device
from obsvae.experiments.command_line.pairs import add_network, network_options, training_options
from obsvae.experiments.command_line.program import run
from obsvae.experiments.csv_files import csv_text
from obsvae.experiments.files import create_run, save_figure, save_json, save_text
from obsvae.experiments.reproductions import HEADS, check_heads, errors, load_scaled, train_head

EXAMPLES = """\
  obsvae reproductions --data digits
  obsvae reproductions --data mnist --variational --epochs 10 --out runs/reproductions
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--data", default="digits", metavar="NAME", help="a known name, or a path (default: digits)")
    parser.add_argument("--variational", action="store_true", help="VAEs in the place of plain autoencoders")
    add_network(parser)
    parser.add_argument("--out", type=Path, help="folder, which must not exist (default: runs/reproductions-DATA)")
    args = parser.parse_args(arguments)

    networks = network_options(args) | {"guide": "normal" if args.variational else "delta"}
    datasets = load_scaled(lambda scaling: load(args.data, scaling=scaling))
    check_heads(datasets, networks)  # before anything is written
    suffix = "-variational" if args.variational else ""
    out = create_run(args.out or Path("runs") / f"reproductions-{Path(args.data).stem}{suffix}")
    x = datasets[None].test[:1000].to(device(args))
    reproductions = {}
    try:
        for title, head in HEADS.items():
            print(f"training {head.observation} ({networks['guide']} guide)")
            reproductions[title] = train_head(head, datasets[head.scaling], x, networks, training_options(args))
    except BaseException:
        out.rmdir()  # nothing is in it, and nothing will be: the same command may be given again
        raise
    bounds = datasets[None].bounds
    assert bounds is not None
    rows = [errors(title, x, reproduction, bounds) for title, reproduction in reproductions.items()]
    print(tabulate(rows, headers="keys", floatfmt=".3f"))
    save_text(out / "table.md", tabulate(rows, headers="keys", floatfmt=".3f", tablefmt="github") + "\n")
    save_text(out / "table.csv", csv_text(rows))
    save_json(out / "config.json", vars(args) | {"out": str(out), "hidden": sizes_of(args.architecture, args.hidden)})
    unit = "grey level" if x.ndim > 2 else "value"
    save_figure(out / "reproductions.png", inference.plot_comparison(x, reproductions, bounds, unit=unit))
    print(f"written to {out}: look at {out / 'reproductions.png'}")


if __name__ == "__main__":
    run(main)
