"""Binarisation and dequantisation: drawn afresh for training, once for validation and test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from data.dataset import Dataset, Grid, Noise
from data.words import unknown

MINIMUM_LEVELS = 64  # float32 values wanted within one grid cell before its noise counts as continuous


@dataclass(frozen=True, eq=False)
class Bernoulli:
    """x ~ Bernoulli(p), elementwise.

    Args:
        p: probabilities, (N, *event).

    """

    p: Tensor

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Return zeros and ones, (N, *event)."""
        return torch.bernoulli(self.p, generator=generator)

    def to(self, device: torch.device | str) -> Bernoulli:
        """Return the same noise with its tensor on the device."""
        return Bernoulli(self.p.to(device))


@dataclass(frozen=True, eq=False)
class Uniform:
    """x + step · u, u ~ U(0, 1), elementwise, and strictly within the cell.

    Args:
        x: values on a grid, (N, *event).
        step: the grid's.

    """

    x: Tensor
    step: float

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Return values within their cells, (N, *event)."""
        u = torch.rand(self.x.shape, generator=generator, device=self.x.device)
        # torch draws 0 too, and in float32 255 + 0.99999994 rounds to 256: such sums go to the nearest value within.
        end = self.x + self.step
        first, last = torch.nextafter(self.x, end), torch.nextafter(end, self.x)
        return torch.minimum(torch.maximum(self.x + self.step * u, first), last)

    def to(self, device: torch.device | str) -> Uniform:
        """Return the same noise with its tensor on the device."""
        return Uniform(self.x.to(device), self.step)


def binarise(dataset: Dataset, how: str, seed: int) -> Dataset:
    """Return zeros and ones in place of grey values, with p = (x − low) / (high − low).

    Args:
        dataset: with declared bounds.
        how: "dynamic" draws from p, afresh each epoch for training and once elsewhere; "static" draws every split
            once; "threshold" is 1 where x lies above the middle of the bounds.
        seed: of the draws.

    """
    if how not in BINARISATIONS:
        raise unknown("binarisation", how, BINARISATIONS)
    if dataset.bounds is None:
        raise ValueError(f"binarising needs declared bounds; {dataset.name!r} has none: pass bounds=(low, high)")
    return replace(BINARISATIONS[how](dataset, dataset.bounds, seed), bounds=(0.0, 1.0), grid=Grid(0.0, 1.0, 2))


def dequantise(dataset: Dataset, seed: int) -> Dataset:
    """Return x + step · U(0, 1) in place of x: afresh each epoch for training, once elsewhere.

    Declared bounds (low, high) become (low, high + step); where none were declared there are none afterwards.

    Args:
        dataset: on a grid.
        seed: of the draws.

    """
    grid = dataset.grid
    if grid is None:
        raise ValueError(
            f"dequantising needs data on a grid, stored as integers; {dataset.name!r} has none: load without dequantise"
        )
    largest = torch.tensor(max(abs(grid.low), abs(grid.high)))
    spacing = float(torch.nextafter(largest, torch.tensor(torch.inf)) - largest)
    if spacing * MINIMUM_LEVELS > grid.step:
        raise ValueError(
            f"dequantising needs values small enough for float32 to resolve a cell of width {grid.step}; "
            f"{dataset.name!r} reaches {largest.item():.0f}: subtract an offset or load without dequantise"
        )
    bounds = None if dataset.bounds is None else (dataset.bounds[0], dataset.bounds[1] + grid.step)
    return replace(_drawn(dataset, lambda x: Uniform(x, grid.step), seed), bounds=bounds, grid=None)


def _drawn(dataset: Dataset, noise: Callable[[Tensor], Noise], seed: int) -> Dataset:
    """Draw each split once, and keep the noise for further epochs."""
    generator = torch.Generator().manual_seed(seed)
    fresh = noise(dataset.train)
    return replace(
        dataset,
        test=noise(dataset.test)(generator),
        validation=noise(dataset.validation)(generator),
        train=fresh(generator),
        noise=fresh,
    )


def _dynamic(dataset: Dataset, bounds: tuple[float, float], seed: int) -> Dataset:
    low, high = bounds
    # x lies within the bounds in float32; the quotient may still round to just above 1, which is no probability.
    return _drawn(dataset, lambda x: Bernoulli(((x - low) / (high - low)).clamp(0, 1)), seed)


def _static(dataset: Dataset, bounds: tuple[float, float], seed: int) -> Dataset:
    return replace(_dynamic(dataset, bounds, seed), noise=None)


def _threshold(dataset: Dataset, bounds: tuple[float, float], seed: int) -> Dataset:
    middle = (bounds[0] + bounds[1]) / 2
    return replace(
        dataset,
        train=(dataset.train > middle).float(),
        validation=(dataset.validation > middle).float(),
        test=(dataset.test > middle).float(),
    )


BINARISATIONS: dict[str, Callable[[Dataset, tuple[float, float], int], Dataset]] = {
    "dynamic": _dynamic,
    "static": _static,
    "threshold": _threshold,
}
