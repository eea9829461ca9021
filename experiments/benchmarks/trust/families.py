"""Observation families with parameters that make posteriors narrow, around a decoder of some shape."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from obsvae.experiments.benchmarks.trust.shapes import SHAPES, ShapedDecoder
from obsvae.model import VAE, StandardNormal, make_observation
from obsvae.modes import seeded

# Data are drawn until enough of them lie in the support: float32 rounds some to its edge.
_DRAWN = 10


@dataclass(frozen=True)
class Family:
    """An observation, and which outputs its decoder gives.

    Attributes:
        spec: of the observation, in its own units.
        gains: how far each output moves where the signal moves by its standard deviation.
        offsets: where each output is on average.
        features: of a datum; the less a feature tells, the more.
        apart: how far the features' offsets lie from one another, in gains.
    """

    spec: str
    gains: tuple[float, ...] = (1.0,)
    offsets: tuple[float, ...] = (0.0,)
    features: int = 3
    apart: float = 0.5


FAMILIES: Mapping[str, Family] = {
    family.spec.partition(":")[0] if family.spec != "normal:scale=decoder" else family.spec: family
    for family in (
        Family("bernoulli", (4.0,), features=24, apart=1.5),
        Family("continuous-bernoulli", (8.0,), features=12, apart=1.0),
        Family("beta:concentration=100", (1.2,)),
        Family("kumaraswamy:concentration=200", (1.2,)),
        Family("logit-normal:scale=0.1"),
        Family("truncated-normal:scale=0.05", (0.25,), (0.5,)),
        Family("normal:scale=0.1"),
        Family("normal:scale=decoder", (1.0, 0.4), (0.0, -2.5)),
        Family("laplace:scale=0.1"),
        Family("logistic:scale=0.07"),
        Family("student-t:scale=0.1,df=4"),
        Family("log-normal:scale=0.1"),
        Family("gamma:concentration=100"),
        Family("weibull:concentration=10"),
        Family("poisson", (0.7,), (3.5,)),
        Family("negative-binomial:dispersion=0.01", (0.7,), (3.5,)),
        Family("binomial:n=100", (1.2,)),
        Family("ordinal:categories=5", (4.0,), (1.0,), features=12),
        Family("categorical:categories=5", (-6.0, -3.0, 0.0, 3.0, 6.0), (-3.0, -0.75, 0.0, -0.75, -3.0), features=12),
        Family("von-mises:concentration=30", (0.0, 1.5), (1.0, 0.0)),
    )
}


def seed_of(seed: int, *names: str) -> int:
    """Return a seed for what has these names, so that its draws are no others' draws again."""
    return zlib.crc32("/".join([str(seed), *names]).encode())


def make_model(family: str, shape: str, seed: int = 0) -> VAE:
    """Return the model of a family in ``FAMILIES`` and a shape in ``SHAPES``; gains, signs and offsets are drawn."""
    chosen, seed = FAMILIES[family], seed_of(seed, family, shape)
    with seeded(seed, torch.device("cpu")):
        own = torch.rand(chosen.features, 1)
        sign = torch.where(torch.rand(chosen.features, 1) < 0.5, -1.0, 1.0)
        apart = chosen.apart * (2.0 * torch.rand(chosen.features, 1) - 1.0)
    gains = torch.tensor(chosen.gains)
    offsets = torch.tensor(chosen.offsets) + apart * gains
    decoder = ShapedDecoder(SHAPES[shape], offsets, sign * (0.7 + 0.6 * own) * gains, seed)
    return VAE(StandardNormal(SHAPES[shape].latent), decoder, make_observation(chosen.spec))


def draw(model: VAE, n: int, seed: int) -> Tensor:
    """Return n data from a model, ``(n, *event)``: those in its support, by the family's own test."""
    with seeded(seed, torch.device("cpu")), torch.no_grad():
        x = model(n=_DRAWN * n).to(torch.get_default_dtype())
    inside = (model.observation.support.contains(x) & torch.isfinite(x)).flatten(1).all(1)
    return x[inside][:n]
