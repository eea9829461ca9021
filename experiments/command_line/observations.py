"""The arguments that say which observation distribution, and the table of all there are."""

import argparse
import inspect

import torch
from tabulate import tabulate

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.model import (
    BY_COLUMN,
    OBSERVATIONS,
    TRANSFORMS,
    WRAPPERS,
    Observation,
    by_column_text,
    families_of,
    options_of,
)
from obsvae.model.observations.support import Support, Units
from obsvae.names import lookup

LEVELS = Support("{x} a whole number from 0 to C - 1", torch.isfinite, Units.LEVELS)


def add_observation(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which observation distribution."""
    group = parser.add_argument_group("observation distribution")
    group.add_argument(
        "--observation",
        action="append",
        metavar="[COLUMN=]NAME[:OPTION=VALUE,...]",
        help="a family with its options, such as student-t:df=4; help lists all. Of a table: COLUMN=NAME, as often as "
        "wanted, for a family other than that of the schema (default: normal; by-column for tables)",
    )
    group.add_argument(
        "--scale",
        help="σ of normal and its like: a number, per-unit (default), per-feature, shared, decoder; normal's may be "
        "optimal",
    )
    group.add_argument("--link", help="link of normal and its like: identity, sigmoid or softplus")


def observation_spec(args: argparse.Namespace, data: Dataset) -> str:
    """Return ``--observation`` with ``--scale`` and ``--link`` among its options.

    Of a table: the last family without a column is that of all columns that have none of their own.

    Raises:
        UsageError: for a column that the data lack.
    """
    columns = {column.name: column for column in data.columns or ()}
    whole, of_columns = "normal" if data.columns is None else BY_COLUMN, dict[str, str]()
    for text in args.observation or ():
        name = next((name for name in columns if text.startswith(f"{name}=")), None)
        if name is not None and name in of_columns:
            raise UsageError(f"--observation names column {name!r} twice; leave one of them out")
        if name is not None:
            of_columns[name] = text.removeprefix(f"{name}=")
        elif "=" in text.partition(":")[0]:
            column = text.partition("=")[0]
            if data.columns is None:
                raise UsageError(
                    f"--observation {text} needs a table, but {data.name!r} has no column {column!r}; take "
                    "NAME:OPTION=VALUE"
                )
            lookup("column", column, columns)
        else:
            whole = text
    extra = [f"{key}={getattr(args, key)}" for key in ("scale", "link") if getattr(args, key) is not None]
    if extra and whole.partition(":")[0] == BY_COLUMN:
        raise UsageError("--scale and --link go with one family for all columns; add them to the families of columns")
    name, _, options = whole.partition(":")
    whole = ":".join(filter(None, [name, ",".join(filter(None, [options, *extra]))]))
    if not of_columns:
        return whole
    others = dict(zip(columns, families_of(whole, data.columns or ()), strict=True))
    families = {**others, **of_columns}
    return by_column_text({name: family for name, family in families.items() if family != columns[name].observation})


def observation_help() -> str:
    """Return a table of all families: what x they take, their measure, their options, and what they correspond to."""
    families = [
        {
            "name": name,
            "x": _support(family).words.format(x="x").removeprefix("x ").removeprefix("to be "),
            "in units": _support(family).units.name.lower().replace("_", " "),
            "measure": family.measure.value,
            "options (defaults)": _options(name),
            "activation + loss": family.equivalent,
        }
        for name, family in OBSERVATIONS.items()
    ]
    wrappers = [
        {
            "name": name,
            "what it is": " ".join((inspect.getdoc(wrapper) or "").partition("\n\n")[0].split()),
            "options (defaults)": ", ".join(filter(None, [_options(name), "inner"])),
            "activation + loss": wrapper.equivalent,
        }
        for name, wrapper in WRAPPERS.items()
    ]
    sources = (
        "A scale, dispersion, concentration or df is a positive number (fixed), per-unit or per-feature (learned for\n"
        "each column, channel or entry), shared (one, in multiples of each unit's spread) or decoder"
    )
    return "\n".join(
        [
            tabulate(families, headers="keys", maxcolwidths=[None, 24, None, None, 30, 34]),
            f"{sources};",
            "normal's scale may be optimal, too. Links are identity, sigmoid and softplus.",
            "Written name:option=value,option=value; categories and n come from the data's grid.",
            "Units: scaled (the data's own, or those of --standardise), unit interval (from the data's bounds), levels",
            "(from the data's grid), circle (the bounds are one turn), own (as they are).",
            "",
            tabulate(wrappers, headers="keys", maxcolwidths=[None, 46, 30, 34]),
            "Of a table: by-column, the families that its schema names; one family, for all columns; COLUMN=FAMILY, as",
            "often as wanted, for some; by-column:schema=FILE, with the families of another schema.",
            f"A transform is one of {', '.join(TRANSFORMS)}. An option belongs to the innermost part before it that",
            "has it: discretised:inner=mixture,components=5,inner=logistic,scale=decoder",
        ]
    )


def _support(family: type[Observation]) -> Support:
    """Return the support of a family; where that depends on the number of levels, in words for any."""
    return getattr(family, "support", LEVELS)


def _options(name: str) -> str:
    return ", ".join(map(str, options_of(name)))
