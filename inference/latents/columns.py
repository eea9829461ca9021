"""Reproductions of tables: numbers by their means, levels by the most probable one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from obsvae.inference.columns import ColumnLike
from obsvae.inference.conditions import batches, rows_of
from obsvae.inference.latents.location import location
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior, require_sites
from obsvae.modes import evaluating, seeded


def reproduce_columns(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    columns: Sequence[ColumnLike],
    batch_size: int = 500,
    *,
    c: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Return E[x | z] of numbers and the likeliest level of others at the guide's location of z, ``(N, D)``.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, D)`` in data units, NaN where missing.
        columns: of the table.
        batch_size: how many data at a time.
        c: conditions of the data ``(N, C)``; None where the model has none.
        seed: of the draws that locate a guide whose mean is not known.

    Raises:
        UsageError: for data that are not the model's.
    """
    model.check(x, c=c)
    with torch.no_grad(), evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        require_sites(model, guide, x[:2], rows_of(c, slice(2)))
        parts = []
        for batch, given in batches(x, c, batch_size):
            z = location(posterior(guide, batch, given))
            parts.append(points(model, z, batch, columns, given))
    return torch.cat(parts)


def points(
    model: GenerativeModel, z: Tensor, x: Tensor, columns: Sequence[ColumnLike], c: Tensor | None = None
) -> Tensor:
    """Return E[x | z] of numbers and the likeliest level of others, ``(N, D)``.

    Args:
        model: the generative model, in evaluation mode.
        z: latents ``(N, latent)``.
        x: any data of the model ``(N, D)``, which hold the places of numbers while levels are tried.
        columns: of the table.
        c: conditions of the data ``(N, C)``; None where the model has none.
    """
    found = model.mean(z, c)
    for d, shares in level_probabilities(model, z, x, columns, c).items():
        found[:, d] = shares.argmax(-1).to(found.dtype)
    return found


def level_probabilities(
    model: GenerativeModel, z: Tensor, x: Tensor, columns: Sequence[ColumnLike], c: Tensor | None = None
) -> dict[int, Tensor]:
    """Return p(x_d = level | z) ``(N, levels)`` of columns of levels, by number; arguments as :func:`points`."""
    number = {d: len(column.levels) for d, column in enumerate(columns) if column.levels is not None}
    if not number:
        return {}
    p_x, tried = model.given(z, c), []
    for level in range(max(number.values())):
        at = x.clone()
        for d, levels in number.items():
            at[:, d] = min(level, levels - 1)
        tried.append(p_x.log_prob(at).exp())
    together = torch.stack(tried, -1)  # (N, D, levels)
    return {d: together[:, d, :levels] for d, levels in number.items()}


def walk_columns(
    model: GenerativeModel,
    z: Tensor,
    dimensions: Sequence[int],
    values: Sequence[float],
    columns: Sequence[ColumnLike],
    x: Tensor,
    c: Tensor | None = None,
) -> list[Tensor]:
    """Return what each column is expected to be where one latent at a time takes other values.

    Of numbers the mean ``(dimensions, values)``, of levels their probabilities ``(dimensions, values, levels)``.

    Args:
        model: the generative model.
        z: where the other latents stay, ``(latent,)``.
        dimensions: which latents.
        values: what each takes.
        columns: of the table.
        x: a datum of the model ``(D,)``.
        c: its conditions ``(1, C)``; None where the model has none.
    """
    at = z.repeat(len(dimensions), len(values), 1)
    for row, d in enumerate(dimensions):
        at[row, :, d] = torch.as_tensor(values, dtype=z.dtype, device=z.device)
    flat = at.flatten(0, 1)
    with torch.no_grad(), evaluating(model), unchecked():
        means = model.mean(flat, c)
        shares = level_probabilities(model, flat, x.expand(len(flat), -1), columns, c)
    found = [shares.get(d, means[:, d]) for d in range(len(columns))]
    return [of.unflatten(0, at.shape[:2]) for of in found]
