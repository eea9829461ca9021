"""Arguments that commands share."""

import argparse
import re
import reprlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import torch

from obsvae.errors import UsageError, one_line
from obsvae.inference.processes.joining import join
from obsvae.names import lookup

# Numbers that argparse takes for flags: it knows -1 and -.5, but neither -1e3 nor -1. nor -inf.
_NEGATIVE = re.compile(r"-((\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|inf|nan)")


class Parser(argparse.ArgumentParser):
    """A parser that shows defaults and examples, and whose errors take one line.

    Args:
        description: of the command.
        examples: a line each.
        is_shared: whether several processes, which torchrun starts, can share the command.
    """

    def __init__(self, description: str, examples: str, *, is_shared: bool = False) -> None:
        self.is_shared = is_shared
        super().__init__(
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse_args(  # type: ignore[override]  # argparse has two more overloads, for namespaces of one's own
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        """Return the arguments; a negative number is one however it is written.

        Raises:
            UsageError: where several processes run a command that they cannot share.
        """
        if not self.is_shared and (size := join().size) > 1:
            raise UsageError(f"one process is needed, but there are {size}; run this command without torchrun")
        given = sys.argv[1:] if args is None else args
        # What starts with a space is no flag to argparse, and float() does not mind it.
        return super().parse_args([f" {arg}" if _NEGATIVE.fullmatch(arg) else arg for arg in given], namespace)

    def parse_given(self, args: Sequence[str] | None = None) -> tuple[argparse.Namespace, dict[str, str]]:
        """Return the arguments as :meth:`parse_args` does, and the flag of each that was given, by its name."""
        flags = {action.dest: action.option_strings[-1] for action in self._actions if action.option_strings}
        parsed = self.parse_args(args)
        # Without a default what is not given is not there.
        defaults = {action: action.default for action in self._actions}
        for action in defaults:
            action.default = argparse.SUPPRESS
        try:
            given = vars(self.parse_args(args))
        finally:
            for action, default in defaults.items():
                action.default = default
        return parsed, {name: flag for name, flag in flags.items() if name in given}

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {one_line(message)} (see --help)\n")


def positive_int(text: str) -> int:
    """Return a whole number of at least 1."""
    return _whole(text, 1, 31)


def count(text: str) -> int:
    """Return a whole number of at least 0."""
    return _whole(text, 0, 31)


def seed(text: str) -> int:
    """Return a whole number that can seed a generator."""
    return _whole(text, 0, 63)


def number(text: str) -> float:
    """Return a number, which need not be finite."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"needs a number, but got {_given(text)}") from None


def positive_float(text: str) -> float:
    """Return a positive, finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"needs a positive number, but got {_given(text)}")
    return value


def non_negative_float(text: str) -> float:
    """Return 0 or a positive, finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"needs a number of at least 0, but got {_given(text)}")
    return value


def _whole(text: str, least: int, bits: int) -> int:
    """Return a whole number from the least to 2^bits - 1; Python refuses to read thousands of digits."""
    if not (text.isdecimal() and len(text) <= 20 and least <= int(text) < 2**bits):
        raise argparse.ArgumentTypeError(f"needs a whole number from {least} to 2^{bits} - 1, but got {_given(text)}")
    return int(text)


def _given(text: str) -> str:
    """Return an argument in a message: as it was given, without the space of ``parse_args``, and shortened."""
    return reprlib.repr(text.removeprefix(" "))


def one_of(kind: str, names: Iterable[str]) -> Callable[[str], str]:
    """Return a converter that takes one of the names, and tells the nearest one of any other."""
    known = {name: name for name in names}

    def convert(text: str) -> str:
        try:
            return lookup(kind, text, known)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def add_jobs(parser: argparse.ArgumentParser, default: int = 0, words: str = "(default: 0)") -> None:
    """Add ``--jobs`` and ``--scheduler``, of which one may be given.

    Args:
        parser: to add them to.
        default: of ``--jobs``; 0: all in this process, without Dask.
        words: the rest of its help.
    """
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--jobs",
        type=count,
        default=default,
        metavar="N",
        help=f"Dask workers, processes side by side; 0: one job after another, in this process {words}",
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask scheduler whose workers are taken instead, such as tcp://10.0.0.5:8786 (docs/scaling.md)",
    )


def job_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of ``compare`` that :func:`add_jobs` has added."""
    return {"jobs": None if args.scheduler is not None or args.jobs == 0 else args.jobs, "scheduler": args.scheduler}


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
        raise UsageError("--device cuda needs a GPU that torch can use, but there is none; take --device cpu")
    if args.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(args.device)
