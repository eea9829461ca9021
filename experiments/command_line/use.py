"""The arguments of commands that put a run to use, and the files that they write."""

import argparse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data.tables.write import WRITERS, save_table
from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import positive_int, seed
from obsvae.experiments.files import require_place
from obsvae.experiments.pieces.kept import KeptPieces, kept_pieces
from obsvae.experiments.pieces.origin import Given, origin_of
from obsvae.experiments.runs.run import Run, load_run
from obsvae.experiments.use.rows import Rows, rows_for
from obsvae.inference.processes.alone import Processes
from obsvae.whole_files import write_whole

TABLES = ", ".join(WRITERS)


def add_run(parser: argparse.ArgumentParser, rows: str = "") -> None:
    """Add the run and, where a command takes rows, their file.

    Args:
        parser: to add them to.
        rows: what the rows are for, in words; empty where there are none.
    """
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run, from obsvae train")
    if rows:
        parser.add_argument(
            "rows",
            metavar="ROWS",
            help=f"{rows}: a table (.csv, .tsv, .parquet, .h5ad) with the columns that the run observes, in any order; "
            "of a run on an array .npy, .npz, or a folder of images",
        )
        parser.add_argument("--layer", metavar="NAME", help="layer of an .h5ad file, in place of X")
    parser.add_argument(
        "--given",
        nargs="+",
        type=_value,
        default=[],
        metavar="NAME=VALUE",
        help="of a run with conditions: a value of one for all rows, such as label=3"
        + (", in the place of a column, if there is one" if rows else ""),
    )


def given(args: argparse.Namespace) -> dict[str, str]:
    """Return the values of conditions that the arguments of :func:`add_run` give, by name.

    Raises:
        UsageError: for two values of one.
    """
    names = [name for name, _ in args.given]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UsageError(f"--given has more than one value of {twice[0]}: give one")
    return dict(args.given)


def add_out(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--out``."""
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"{what}; replaced where it exists")


def add_particles(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of estimates by particles."""
    group = parser.add_argument_group("estimates")
    group.add_argument("--particles", type=positive_int, default=500, metavar="K", help="of each row (default: 500)")
    group.add_argument("--memory", type=positive_int, default=128, metavar="MB", help="to work in (default: 128)")
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="of particles and draws (default: 0)")


def particle_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return what :func:`add_particles` has added, as functions take it."""
    return {"particles": args.particles, "memory": args.memory * 2**20, "seed": args.seed}


def read_run(args: argparse.Namespace, is_table: bool = False) -> tuple[Run, Rows]:
    """Return the run and the rows that the arguments ask for, where ``--out`` can hold the results.

    Args:
        args: of :func:`add_run` and :func:`add_out`.
        is_table: whether the results are a table, whatever the run was trained on.

    Raises:
        UsageError: where ``--out`` is of another format, or the file of the rows.
    """
    out = args.out
    if is_table:
        require_table(out)
    run = load_run(args.run)
    if not is_table:
        require_format(run, out)
    if Path(args.rows).exists() and out.exists() and out.samefile(args.rows):
        raise UsageError(f"--out {out} would replace the rows that are read; choose another file")
    return run, rows_for(run, args.rows, layer=args.layer, given=given(args))


def require_format(run: Run, out: Path) -> None:
    """Refuse a file that cannot hold what the run makes: a table, or an array."""
    if run.config["schema"] is None and out.suffix.lower() != ".npy":
        raise UsageError(f"--out needs .npy, as {run.folder} was trained on an array, but got {out}; name it .npy")
    if run.config["schema"] is not None:
        require_table(out)
    require_place(out)


def require_table(out: Path) -> None:
    """Refuse a file that is no table by its suffix."""
    if out.suffix.lower() not in WRITERS:
        raise UsageError(f"--out needs a table, {TABLES}, but got {out}; choose a name that ends so")
    require_place(out)


def pieces_beside(
    out: Path, work: str, run: Run, rows: Mapping[str, Given], options: Mapping[str, Any], processes: Processes
) -> AbstractContextManager[KeptPieces]:
    """Return the pieces of a work whose result is a file, in a folder beside it: as :func:`kept_pieces` has them."""
    return kept_pieces(out.with_name(f"{out.name}.unfinished"), work, origin_of(run, rows, options), processes)


def _value(text: str) -> tuple[str, str]:
    """Return the name and the value of a condition."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as label=3")
    return name, value


def save_values(out: Path, values: Mapping[str, Any] | np.ndarray) -> Path:
    """Write a table or an array, whole."""
    if isinstance(values, np.ndarray):

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.save(file, values, allow_pickle=False)

        return write_whole(out, write)
    return save_table(out, values)
