"""What pieces of a work were computed from, by which they are known again."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor, nn

from obsvae.experiments.runs.run import Run

# Rows x and their conditions c, None where there are none.
Given = tuple[Tensor, Tensor | None]


def origin_of(run: Run, rows: Mapping[str, Given], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return as plain values all that numbers depend on: weights, rows, their conditions, options and programs.

    Args:
        run: whose model and guide compute them.
        rows: x ``(N, *event)`` and their conditions ``(N, C)``, or None, by what they are for.
        options: plain values by name.
    """
    pair = nn.ModuleDict({"model": run.model, "guide": run.guide})
    return {
        "weights": _sha256(pair.state_dict()),
        **{name: run.config[name] for name in ("observation", "latent", "architecture", "guide", "prior")},
        **{name: run.config.get(name) for name in ("decoder", "encoder")},
        "columns, bounds and grids": fingerprint(run.config["observed"]),
        **{f"{name} rows": len(x) for name, (x, _) in rows.items()},
        **{f"values of the {name} rows": _sha256({name: x}) for name, (x, _) in rows.items()},
        **{f"conditions of the {name} rows": c if c is None else _sha256({name: c}) for name, (_, c) in rows.items()},
        **options,
        "device": str(next(run.model.parameters()).device),
        "obsvae": _installed("obsvae"),
        "torch": torch.__version__,
    }


def fingerprint(origin: Mapping[str, Any]) -> str:
    """Return a name that two origins have in common only where they are equal."""
    return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:16]


def first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return what is another in two origins, in words."""
    for name in now:
        if before.get(name) != now[name]:
            is_long = len(f"{before.get(name)}{now[name]}") > 80
            return f"other {name}" if is_long else f"{name} {before.get(name)}, not {now[name]}"
    return "what this version does not know"


def _sha256(tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256()
    for name, value in tensors.items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # as from a checkout that was not installed
        return "not installed"
