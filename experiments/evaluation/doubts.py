"""What a reader must know before any number: of the data, of what the model does not say, of latents and floors."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from obsvae.data import Dataset, suspicions_of
from obsvae.experiments.evaluation.findings import Finding
from obsvae.experiments.given import given
from obsvae.experiments.runs.run import Run
from obsvae.guides import Guide
from obsvae.inference import active_units, check_misfits, posterior_means
from obsvae.inference.conditions import rows_of
from obsvae.inference.modes import device_of
from obsvae.model import VAE, Measure, Observation, share_at_floor
from obsvae.modes import evaluating

# Lines of one kind that are told; the others are counted.
MOST = 5
# Data whose latents and scales are looked at.
_DATA = 1000
Z_IGNORED = "the decoder ignores z, and the numbers are those of entries that do not depend on one another"
# What helps where latents are unused.
AGAINST_COLLAPSE = (
    "try a KL that costs less at first (kl_warmup), or, of guide and prior normal, nothing below a level (objective "
    "elbo:free=0.1)"
)
# Share of the scales near their floor from which on it decides.
NEAR_FLOOR = 0.01
FLOOR_DECIDES = (
    "where a density has no other bound: the numbers change with the floor; rank masses on a grid, or take a family "
    "with a mass at 0"
)
# Gradient steps that are few.
FEW_STEPS = 500


def doubts(run: Run, model: VAE, x: Tensor, seed: int = 0, c: Tensor | None = None) -> list[Finding]:
    """Return what a reader must know before any number, the worst first.

    Args:
        run: that is evaluated.
        model: of it, as it is judged.
        x: held-out data ``(N, *event)``, on the model's device.
        seed: of draws.
        c: their conditions ``(N, C)``; None where there are none.
    """
    return [
        *of_misfits(model, x, run.data, seed, c),
        *of_floor(scales_near_floor(model, run.guide, x, seed, c)),
        *of_latents(active_latents(run, seed)),
        *of_steps(run.config, len(run.data.train)),
        *of_data(run.data, model.observation),
    ]


def of_data(data: Dataset, observation: Observation) -> list[Finding]:
    """Return what looks wrong in the data, if this observation is to be trained on them.

    Args:
        data: to be trained on.
        observation: of the model.
    """
    has_density = observation.measure in (Measure.LEBESGUE, Measure.PRODUCT)
    said = [str(one) for one in suspicions_of(data) if has_density or not one.is_of_density]
    return _first("suspicion", said, "further remarks on the data: obsvae.suspicions_of(data) lists them")


def of_misfits(model: VAE, x: Tensor, data: Dataset, seed: int = 0, c: Tensor | None = None) -> list[Finding]:
    """Return what held-out data x ``(N, *event)`` have that the model does not say, given their conditions, if any."""
    said = check_misfits(model, x, data.columns, seed, c=c)
    return _first("misfit", map(str, said), "further misfits: obsvae report shows them")


def of_latents(active: Tensor) -> list[Finding]:
    """Return how many latents are used, where not all are: a warning where none is, with what to try."""
    number, D = int(active.sum()), len(active)
    if number == D:
        return []
    if number:
        return [Finding("latents", f"{number} of {D} latent dimensions are active")]
    return [Finding("ignored", f"0 of {D} latent dimensions are active: {Z_IGNORED}; {AGAINST_COLLAPSE}")]


def of_floor(share: float | None) -> list[Finding]:
    """Return a warning where the floor of the scales decides the density."""
    if share is None or share < NEAR_FLOOR:
        return []
    text = f"{100 * share:.0f} % of the scales σ are near their floor, {FLOOR_DECIDES}"
    return [Finding("floor", text)]


def of_steps(config: Mapping[str, Any], rows: int) -> list[Finding]:
    """Return a warning where training took few steps.

    Args:
        config: of the run, which tells how long it was trained; without an end it does not.
        rows: that it was trained on.
    """
    epochs = config["outcome"].get("epochs")
    steps = None if epochs is None else epochs * math.ceil(rows / config["training"]["batch_size"])
    if steps is None or steps >= FEW_STEPS:
        return []
    text = (
        f"only {steps} gradient steps in all: the model may be far from trained; take more epochs, or smaller batches"
    )
    return [Finding("few steps", text)]


def active_latents(run: Run, seed: int = 0) -> Tensor:
    """Return whether each latent is active ``(D,)``, on the first data that a run was trained on."""
    first, device = slice(_DATA), device_of(run.model)
    x, c = run.data.train[first].to(device), given(run.data, "train", first, device)
    return active_units(posterior_means(run.guide, x, c=c, seed=seed))


@torch.no_grad()
def scales_near_floor(model: VAE, guide: Guide, x: Tensor, seed: int = 0, c: Tensor | None = None) -> float | None:
    """Return the share of the scales that are near their floor, at the guide's means for the first data."""
    x, c = x[:_DATA], rows_of(c, slice(_DATA))
    z = posterior_means(guide, x, c=c, seed=seed).to(device_of(model))
    with evaluating(model):
        return share_at_floor(model.observation, model.decode(z, c))


def _first(kind: Any, texts: Iterable[str], more: str) -> list[Finding]:
    """Return a finding for each of the first texts, and one that counts the others."""
    said: Sequence[str] = list(texts)
    found = [Finding(kind, text) for text in said[:MOST]]
    return [*found, Finding(kind, f"{len(said) - MOST} {more}")] if len(said) > MOST else found
