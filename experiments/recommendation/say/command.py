"""The command that trains what is recommended."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obsvae.data import Dataset, Grid
from obsvae.experiments.recommendation.results import Recommendation

# What stands for data that have no file.
NO_FILE = "DATA"
# Arguments of networks and training that are flags of the command, unless they are its own defaults.
_FLAGS: Mapping[str, object] = {
    "latent": None,
    "hidden": None,
    "architecture": "mlp",
    "guide": "normal",
    "prior": "standard-normal",
    "batch_size": 100,
    "lr": 1e-3,
    "epochs": None,
    "patience": None,
    "kl_warmup": 0,
}


def command(recommendation: Recommendation, data: Dataset, schema: Path | None) -> str:
    """Return the command that trains the recommended observation with the networks that were tried.

    Args:
        recommendation: what to train.
        data: what it is for; those of memory, which have no file, are called DATA.
        schema: the file that says what the columns of a table are; None for an array.
    """
    recipe = dict(data.recipe or {"name": NO_FILE})
    name = recipe.pop("name")
    words = ["obsvae", "train", "--data", *(name.values() if isinstance(name, Mapping) else [name])]
    if schema is None:
        found = None if data.grid is not None else recommendation.answers[0].question.grid
        words += ["--observation", recommendation.observation, *_prepared({**recipe, **_declared(found)})]
        words += ["--condition", *(one.name for one in data.conditions)] if data.conditions else []
    else:
        layer = recipe.get("layer")
        words += ["--schema", str(schema), *(["--layer", str(layer)] if layer else [])]
    words += _flags({**recommendation.networks, **recommendation.training})
    return shlex.join(words)


def _declared(grid: Grid | None) -> dict[str, Any]:
    """Return what says of an array that it lies on a grid that looking at it has found."""
    if grid is None:
        return {}
    return {"grid": [grid.low, grid.step, *([] if grid.levels is None else [grid.levels])]}


def _prepared(recipe: Mapping[str, Any]) -> list[str]:
    """Return the flags by which an array is seen as it was."""
    words: list[str] = []
    for key in ("binarise", "warp", "units", "channels"):
        if recipe.get(key) is not None:
            words += [f"--{key}", str(recipe[key])]
    words += [f"--{key}" for key in ("dequantise", "missing") if recipe.get(key)]
    if recipe.get("scaling") is not None:
        words.append(f"--{recipe['scaling']}")
    for key in ("bounds", "grid"):
        if recipe.get(key) is not None:
            words += [f"--{key}", *(f"{number:.17g}" for number in recipe[key])]
    if recipe.get("seed"):
        words += ["--data-seed", str(recipe["seed"])]
    return words


def _flags(settings: Mapping[str, object]) -> list[str]:
    words: list[str] = []
    for key, default in _FLAGS.items():
        value = settings.get(key)
        if value is None or value == default:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        words += [f"--{key.replace('_', '-')}", *map(str, values)]
    return words
