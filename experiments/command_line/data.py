"""The arguments that say which data."""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence

import torch

from obsvae.data import Dataset, load
from obsvae.data.images.channels import CHANNELS
from obsvae.data.splits import SPLITS
from obsvae.data.tables.load import is_table
from obsvae.errors import UsageError, one_line
from obsvae.experiments.command_line.arguments import number, one_of, seed
from obsvae.units import UNITS


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which data, and how they are seen."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        nargs="+",
        default=["digits"],
        metavar="NAME",
        help="a known name, or a path: to .npy, to .npz (file.npz:images is its array images), to a table (.csv, .tsv, "
        ".parquet, .h5ad), or to a folder of PNG and JPEG images; or three tables: train, validation and test "
        "(default: digits)",
    )
    group.add_argument(
        "--schema",
        metavar="FILE",
        help="what the columns of a table are, in TOML, as obsvae inspect --out writes it (default: guessed)",
    )
    group.add_argument("--layer", metavar="NAME", help="layer of an .h5ad file, in place of X")
    group.add_argument(
        "--condition",
        nargs="+",
        default=[],
        metavar="NAME",
        help="what the model is given beside x, and does not predict: columns of a table, or label, that of images",
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
        type=number,
        metavar="GAMMA",
        help="map data to [0, 1]: binary for -0.5, only shifted and scaled for 0, near 1/2 for GAMMA near 0.5",
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
        "--data-seed",
        type=seed,
        default=0,
        metavar="N",
        help="of --binarise and --dequantise (default: 0)",
    )
    group.add_argument(
        "--units",
        type=one_of("units", UNITS),
        metavar="WHICH",
        help="entries with a unit, and so a mean and a spread, of their own: column (of the last axis), channel or all "
        "(one unit); default: columns of vectors and windows, channels of images",
    )
    group.add_argument(
        "--channels",
        type=one_of("place of channels", CHANNELS),
        metavar="WHERE",
        help="where the images of an array have their channels: last, (images, rows, columns, channels), moves them to "
        "the first place; each is then a unit of its own; default: no axis is moved",
    )
    group.add_argument(
        "--missing", action="store_true", help="NaN is a missing entry, left out of the likelihood; else it is refused"
    )
    group.add_argument(
        "--bounds",
        nargs=2,
        type=number,
        metavar=("LOW", "HIGH"),
        help="least and greatest value that the data can have",
    )
    group.add_argument(
        "--grid",
        nargs="+",
        type=number,
        metavar=("LOW STEP", "LEVELS"),
        help="lattice that an array of real numbers lies on, such as 0 0.0625 17; without LEVELS it has no ends "
        "(default: that of integers)",
    )


def load_data(args: argparse.Namespace) -> Dataset:
    """Return the data that the arguments of :func:`add_data` ask for."""
    return load(
        _named(args.data),
        schema=args.schema,
        layer=args.layer,
        binarise=args.binarise,
        dequantise=args.dequantise,
        warp=args.warp,
        scaling=args.scaling,
        bounds=args.bounds,
        grid=args.grid,
        units=args.units,
        missing=args.missing,
        channels=args.channels,
        conditions=args.condition,
        seed=args.data_seed,
    )


def notes_on(data: Dataset, args: argparse.Namespace) -> list[str]:
    """Return what was guessed of a table, and which levels nothing teaches: to be told once the data are accepted."""
    notes = [f"warning: {one_line(text)}" for text in untrained_levels(data)]
    if data.columns is None or args.schema is not None:
        return notes
    return [f"guessed: {guessed(data)}; obsvae inspect {shlex.quote(args.data[0])} shows why", *notes]


def untrained_levels(data: Dataset) -> list[str]:
    """Return in words the levels of a table that occur in held-out rows alone: nothing teaches their probability."""
    found = []
    for d, column in enumerate(data.columns or ()):
        if column.levels is not None:
            trained, held_out = set(data.train[:, d].tolist()), torch.cat([data.validation[:, d], data.test[:, d]])
            unknown = {int(code) for code in held_out[~held_out.isnan()].tolist()} - trained
            found += [
                f"level {column.levels[code]!r} of column {column.name!r} occurs in held-out rows alone: nothing "
                "teaches its probability"
                for code in sorted(unknown)
            ]
    return found


def _named(data: Sequence[str]) -> str | dict[str, str]:
    """Return what ``load`` takes for one name or, for a table, a file for each split."""
    if len(data) == 1:
        return data[0]
    if len(data) != len(SPLITS):
        raise UsageError(
            f"--data needs one name, or three tables, {', '.join(SPLITS)}, but got {len(data)}: {' '.join(data)}"
        )
    if others := [name for name in data if not is_table(name)]:
        raise UsageError(f"--data takes a file for each split of tables alone, such as .csv; got {others[0]!r}")
    return dict(zip(SPLITS, data, strict=True))


def guessed(data: Dataset) -> str:
    """Return how many columns of a table have which family, and how many are left out."""
    families = Counter(column.observation for column in data.columns or ())
    said = [f"{number} {family}" for family, number in families.most_common()]
    left_out = sum(column["role"] == "ignore" for column in (data.recipe or {})["schema"]["columns"].values())
    return ", ".join([*said, f"{left_out} left out"] if left_out else said)
