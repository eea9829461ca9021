"""What the commands share: arguments, and errors of one line."""

import argparse
import csv
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import torch

from inference import TrainingDiverged, flushing_denormals
from model.lookup import lookup

# Hidden sizes of each architecture where none are given.
HIDDEN = {"mlp": [300, 300], "conv": [32, 64]}


class Parser(argparse.ArgumentParser):
    """A parser that shows defaults and examples, and whose errors take one line."""

    def __init__(self, description: str, examples: str) -> None:
        super().__init__(
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def run(main: Callable[[Sequence[str] | None], None], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command: exit code 2 for wrong use, 1 where training diverged, 130 for an interrupt; each with one line."""
    name = sys.modules[main.__module__].__file__ or main.__module__
    name = name.rpartition("/")[2]
    try:
        with flushing_denormals():
            main(arguments)
        sys.stdout.flush()
    except ValueError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = error.filename2 or error.filename
        what = error.strerror or error
        print(f"{name}: error: {where}: {what}" if where else f"{name}: error: {what}", file=sys.stderr)
        sys.exit(2)
    except (MemoryError, RuntimeError) as error:
        needed = _memory_needed(error)
        if needed is None:
            raise
        print(f"{name}: error: {needed}; take smaller networks, batches or data", file=sys.stderr)
        sys.exit(2)
    except TrainingDiverged as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)


def _memory_needed(error: MemoryError | RuntimeError) -> str | None:
    """Return what an error says of too little memory, or None where it speaks of something else.

    torch has a class of its own for a full GPU, but on the CPU it raises a bare RuntimeError.
    """
    text = " ".join(str(error).split())
    if size := re.search(r"(?:tried|unable) to allocate ([\d.]+ ?\w+)", text, re.IGNORECASE):
        return f"{size[1]} of memory were needed at once, and there are not so many"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "Storage size calculation overflowed" in text:
        return f"more memory was needed than there is ({text})"
    return None


def positive_int(text: str) -> int:
    """Return a whole number of at least 1."""
    if not (text.isdecimal() and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"needs a whole number from 1 to 2^31 - 1, but got {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    """Return a positive, finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"needs a positive number, but got {text!r}")
    return value


def seed(text: str) -> int:
    """Return a whole number that can seed a generator."""
    if not (text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"needs a whole number from 0 to 2^63 - 1, but got {text!r}")
    return int(text)


def one_of(kind: str, names: Iterable[str]) -> Callable[[str], str]:
    """Return a converter that takes one of the names, and tells the nearest one of any other."""
    known = {name: name for name in names}

    def convert(text: str) -> str:
        try:
            return lookup(kind, text, known)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which data, and how they are seen."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data", default="digits", metavar="NAME", help="a known name, or a path to .npy or .npz (default: digits)"
    )
    group.add_argument(
        "--binarise",
        type=one_of("binarisation", ["dynamic", "static", "threshold"]),
        metavar="HOW",
        help="make data binary: dynamic (drawn afresh each epoch), static (drawn once), threshold (cut in the middle)",
    )
    group.add_argument("--dequantise", action="store_true", help="add uniform noise within each grid cell")
    group.add_argument(
        "--warp",
        type=float,
        metavar="GAMMA",
        help="bring data to [0, 1], from binary (-0.5) by way of as they are (0) towards mid-grey (0.5)",
    )
    scaling = group.add_mutually_exclusive_group()
    scaling.add_argument(
        "--standardise",
        dest="scaling",
        action="store_const",
        const="standardise",
        help="the family sees (x - mean) / sd of the training data; the likelihood stays in data units",
    )
    scaling.add_argument(
        "--unit-interval",
        dest="scaling",
        action="store_const",
        const="unit-interval",
        help="the family sees x mapped from its bounds to [0, 1]; the likelihood stays in data units",
    )
    group.add_argument(
        "--data-seed", type=seed, default=0, metavar="N", help="of what --binarise and --dequantise draw (default: 0)"
    )
    group.add_argument(
        "--bounds", nargs=2, type=float, metavar=("LOW", "HIGH"), help="what the data are known to lie between"
    )


def data_config(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of ``data.load`` as plain values, to be recorded with the run."""
    return {
        "name": args.data,
        "binarise": args.binarise,
        "dequantise": args.dequantise,
        "warp": args.warp,
        "scaling": args.scaling,
        "bounds": args.bounds,
        "seed": args.data_seed,
    }


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which networks, and how they are trained."""
    group = parser.add_argument_group("networks")
    group.add_argument("--latent", type=positive_int, default=40, metavar="D", help="size of z (default: 40)")
    group.add_argument(
        "--hidden",
        type=positive_int,
        nargs="+",
        metavar="H",
        help="hidden layers from x to z, mirrored in the decoder: widths (default for mlp: 300 300) or channels (conv: "
        "32 64)",
    )
    group.add_argument(
        "--architecture",
        type=one_of("architecture", HIDDEN),
        default="mlp",
        metavar="NAME",
        help="of the networks: mlp or conv (default: mlp)",
    )
    group = parser.add_argument_group("training")
    group.add_argument(
        "--epochs", type=positive_int, default=20, metavar="N", help="passes over the data (default: 20)"
    )
    group.add_argument("--batch-size", type=positive_int, default=100, metavar="N", help="minibatch (default: 100)")
    group.add_argument("--lr", type=positive_float, default=1e-3, help="Adam's learning rate (default: 0.001)")
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="of weights and minibatches (default: 0)")
    add_device(group)


def hidden(args: argparse.Namespace) -> list[int]:
    """Return the hidden sizes: those given, or the architecture's own."""
    return args.hidden or HIDDEN[args.architecture]


def add_device(parser: argparse._ActionsContainer) -> None:
    """Add ``--device``."""
    parser.add_argument(
        "--device",
        type=one_of("device", ["auto", "cpu", "cuda"]),
        default="auto",
        metavar="NAME",
        help="auto (a GPU where there is one), cpu or cuda (default: auto)",
    )


def device(args: argparse.Namespace) -> torch.device:
    """Return the device asked for."""
    if args.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda needs a GPU that torch can use, but there is none; take --device cpu")
    if args.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(args.device)


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Return rows with the same keys as comma-separated text with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
