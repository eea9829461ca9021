"""Binarisation and dequantisation: drawn afresh for training, once for validation and test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from obsvae.data.dataset import Dataset, Noise
from obsvae.data.grid import Grid
from obsvae.errors import UsageError
from obsvae.names import lookup
from obsvae.within_cell import within_cell

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
        return within_cell(self.x, self.step, u)

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
    binarised = lookup("binarisation", how, BINARISATIONS)
    if dataset.bounds is None:
        raise UsageError(f"binarising needs declared bounds; {dataset.name!r} has none: pass bounds=(low, high)")
    return replace(binarised(dataset, dataset.bounds, seed), bounds=(0.0, 1.0), grid=Grid(0.0, 1.0, 2))


def dequantise(dataset: Dataset, seed: int) -> Dataset:
    """Return x + step · U(0, 1) in place of x: afresh each epoch for training, once elsewhere.

    Declared bounds (low, high) become (low, high + step); where none were declared there are none afterwards.

    Args:
        dataset: on a grid.
        seed: of the draws.

    """
    grid = dataset.grid
    if grid is None or grid.high is None:
        raise UsageError(
            f"dequantising needs data on a grid, stored as integers; {dataset.name!r} has none: load without dequantise"
        )
    largest = torch.tensor(max(abs(grid.low), abs(grid.high)))
    spacing = float(torch.nextafter(largest, torch.tensor(torch.inf)) - largest)
    if spacing * MINIMUM_LEVELS > grid.step:
        raise UsageError(
            f"dequantising needs values small enough for float32 to resolve a cell of width {grid.step}; "
            f"{dataset.name!r} reaches {largest.item():.0f}: subtract an offset or load without dequantise"
        )
    bounds = None if dataset.bounds is None else (dataset.bounds[0], dataset.bounds[1] + grid.step)
    return replace(_drawn(dataset, lambda x: Uniform(x, grid.step), seed), bounds=bounds, grid=None)


def warp(dataset: Dataset, gamma: float) -> Dataset:
    """Return data mapped to [0, 1]: binary for γ = −½, only shifted and scaled for γ = 0, near ½ for γ near ½.

    With u = (x − low) / (high − low) the warped value is 1 where u ≥ ½ and 0 elsewhere for γ = −½; for γ in (−½, 0) it
    is (u + γ) / (1 + 2γ), cut to [0, 1]; and for γ in [0, ½) it is γ + (1 − 2γ) u.

    Args:
        dataset: with declared bounds; dequantised first for a comparison of densities as in the paper.
        gamma: γ, from −½ to below ½.

    Reference: Loaiza-Ganem and Cunningham, *The continuous Bernoulli*, NeurIPS 2019, section 5.1.
    """
    if not -0.5 <= gamma < 0.5:
        raise UsageError(f"warping needs gamma from -0.5 to below 0.5; got {gamma:g}: 0 only maps the data to [0, 1]")
    if dataset.bounds is None:
        raise UsageError(f"warping needs declared bounds; {dataset.name!r} has none: pass bounds=(low, high)")
    warped = Warp(*dataset.bounds, gamma)
    return replace(
        dataset,
        train=warped(dataset.train),
        validation=warped(dataset.validation),
        test=warped(dataset.test),
        bounds=(0.0, 1.0),
        grid=Grid(0.0, 1.0, 2) if gamma == -0.5 else None,
        noise=None if dataset.noise is None else Warped(dataset.noise, warped),
    )


@dataclass(frozen=True)
class Warp:
    """The map that `warp` applies to data with bounds (low, high)."""

    low: float
    high: float
    gamma: float

    def __call__(self, x: Tensor) -> Tensor:
        """Return the warped values."""
        u, gamma = (x - self.low) / (self.high - self.low), self.gamma
        if gamma == -0.5:
            return (u >= 0.5).to(x.dtype)
        return gamma + (1.0 - 2.0 * gamma) * u if gamma >= 0 else ((u + gamma) / (1.0 + 2.0 * gamma)).clamp(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Warped:
    """Warped noise.

    Args:
        noise: draws the data.
        warp: the map applied to each draw.

    """

    noise: Noise
    warp: Warp

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Return a draw of the training data, (N, *event)."""
        return self.warp(self.noise(generator))

    def to(self, device: torch.device | str) -> Warped:
        """Return the same noise with its tensors on the device."""
        return Warped(self.noise.to(device), self.warp)


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
    # x lies within the bounds in float32, but the quotient may round to just above 1, which is no probability.
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
