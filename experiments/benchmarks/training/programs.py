"""The training programs, and where those of others are found."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import obsvae

# This project's programs, with their arguments: whether the step is compiled, and the precision of its products.
OURS: Mapping[str, tuple[str, str]] = {
    "this project": ("true", "f32"),
    "this project, bf16": ("true", "bf16"),
    "this project, uncompiled": ("false", "f32"),
}
_HERE = Path(__file__).parent
_ROOT = Path(obsvae.__file__).parents[1]


@dataclass(frozen=True)
class Program:
    """A training program, which is called with a job's file behind its line.

    Attributes:
        name: in tables.
        line: the command.
        behind: arguments behind the job's file.
        folder: where it is called; None: here.
        variables: of its environment.
        families: that it can train; None: all.
        note: said of it under tables.
    """

    name: str
    line: tuple[str, ...]
    behind: tuple[str, ...] = ()
    folder: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    families: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """Another program.

    Attributes:
        is_apart: whether it has an environment of its own, and no part of this project's.
        families: as a program has them.
        note: as a program has it.
    """

    is_apart: bool
    families: tuple[str, ...] | None = None
    note: str = ""


# A file of the folder peers each.
PEERS: Mapping[str, Peer] = {
    "torch": Peer(is_apart=False),
    "pyro": Peer(
        is_apart=False, note="SVI as it comes: arguments are checked, and Adam updates each parameter by itself"
    ),
    "numpyro": Peer(is_apart=True),
    "pythae": Peer(
        is_apart=True,
        families=("bernoulli", "normal"),
        note="its trainer's step without its data loader; its guide has log σ² where others have a softplus, and its "
        "normal σ = 1, whose ELBO is no match",
    ),
}


def ours(images: str) -> list[Program]:
    """Return this project's programs in ``OURS``.

    Args:
        images: the set of images to train on, where images are trained on.
    """
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    line = (sys.executable, "-m", "obsvae.experiments.benchmarks.training.ours")
    return [
        Program(name, line, (*arguments, images), variables={"PYTHONPATH": path}) for name, arguments in OURS.items()
    ]


def peer(name: str) -> Program | None:
    """Return another program by its name in ``PEERS``; None where its environment was not made."""
    known = PEERS[name]
    python = _python(name) if known.is_apart else Path(sys.executable)
    if not python.exists():
        return None
    return Program(
        name,
        (str(python), "-m", f"peers.{name}"),
        folder=_HERE,
        variables={"PYTHONPATH": ""},
        families=known.families,
        note=known.note,
    )


def lacking(names: Iterable[str]) -> list[str]:
    """Return a line for each of the peers that are not there, which says how to get it."""
    return [
        f"{name} is left out: there is no {_python(name)}; make peers creates it (or set OBSVAE_PEERS to its folder)"
        for name in names
        if peer(name) is None
    ]


def _python(name: str) -> Path:
    """Return the Python of a peer's own environment."""
    folder = Path(os.environ.get("OBSVAE_PEERS", ".peers")).absolute() / name
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
