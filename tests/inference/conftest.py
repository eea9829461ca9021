"""Small problems with exact answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyro.distributions as dist
import pytest
import torch
from torch import Tensor

from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import posterior
from obsvae.inference.likelihood.proposals.base import Proposal, Sampler
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal


class Drawn(Sampler):
    """Particles from a given distribution."""

    def __init__(self, joint, q, record=lambda x, z: None):
        self.joint, self.q, self.record = joint, q, record
        self.spent = torch.zeros(len(joint), dtype=torch.long)

    def __call__(self, k):
        z = self.q.sample((k,))
        self.record(self.joint.x, z)
        return z, self.joint.log_prob(z) - self.q.log_prob(z)


@dataclass
class LinearGaussian:
    """z ~ N(0, I), x | z ~ N(W z + b, sigma² I): the marginal and the posterior are Normal, in closed form."""

    model: VAE
    guide: AmortisedNormal
    sigma: float

    @property
    def W(self) -> Tensor:  # noqa: N802
        return self.model.observation.spread.double() * self.model.decoder.head.weight.detach().double()

    @property
    def b(self) -> Tensor:
        observation, bias = self.model.observation, self.model.decoder.head.bias.detach().double()
        return observation.centre.double() + observation.spread.double() * bias

    def marginal(self) -> torch.distributions.MultivariateNormal:
        W = self.W
        covariance = W @ W.T + self.sigma**2 * torch.eye(len(W), dtype=torch.float64)
        return torch.distributions.MultivariateNormal(self.b, covariance)

    def log_marginal(self, x: Tensor) -> np.ndarray:
        return self.marginal().log_prob(x.double()).numpy()

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean (N, D) and covariance (D, D) of p(z | x)."""
        W = self.W
        covariance = torch.linalg.inv(torch.eye(W.shape[1], dtype=torch.float64) + W.T @ W / self.sigma**2)
        return (x.double() - self.b) @ W @ covariance / self.sigma**2, covariance

    def elbo(self, x: Tensor) -> np.ndarray:
        """Return the guide's ELBO of each datum, in closed form."""
        with torch.no_grad():
            q = posterior(self.guide, x).base_dist
        m, s = q.loc.double(), q.scale.double()
        W, b, variance = self.W, self.b, self.sigma**2
        squares = (x.double() - m @ W.T - b).square().sum(1) + s.square() @ W.square().sum(0)
        reconstruction = -0.5 * squares / variance - 0.5 * x.shape[1] * np.log(2 * np.pi * variance)
        kl = 0.5 * (m.square() + s.square() - 1 - 2 * s.log()).sum(1)
        return (reconstruction - kl).numpy()

    def proposal(
        self, widened: float = 1.0, record: Callable[[Tensor, Tensor], object] = lambda x, z: None
    ) -> Proposal:
        """Return a proposal: the posterior with its covariance times ``widened``; ``record`` sees data and each z."""
        problem = self

        class Exact(Proposal):
            name = "exact"

            def __call__(self, joint):
                mean, covariance = problem.posterior(joint.x)
                q = dist.MultivariateNormal(mean.to(joint.x), (widened * covariance).to(joint.x))
                return Drawn(joint, q, record)

        return Exact()

    def draw(self, n: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        W, b = self.W, self.b
        z = torch.randn(n, W.shape[1], generator=generator, dtype=torch.float64)
        noise = torch.randn(n, len(W), generator=generator, dtype=torch.float64)
        return (z @ W.T + b + self.sigma * noise).to(self.model.decoder.head.weight.dtype)


@pytest.fixture
def linear_gaussian():
    """Return a builder of linear-Gaussian problems."""

    def build(latent=2, features=4, sigma=0.5, seed=0, dtype=torch.float32, hidden=()):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = VAE(StandardNormal(latent), MLPDecoder(latent, (features,), hidden=()), Normal(scale=sigma))
            guide = AmortisedNormal(MLPEncoder((features,), 2 * latent, hidden))
            with torch.no_grad():
                model.decoder.head.weight.normal_()
                model.decoder.head.bias.normal_()
        return LinearGaussian(model.to(dtype), guide.to(dtype), sigma)

    return build


@dataclass
class Tensors:
    """Training data as `fit` wants them; every call of ``epoch`` is counted, and may be told what to do."""

    train: Tensor
    validation: Tensor
    noise: float = 0.0
    at_epoch: dict[int, Callable[[Tensor], Tensor]] = field(default_factory=dict)
    drawn: list[Tensor] = field(default_factory=list)
    generators: list[torch.Generator] = field(default_factory=list)
    given: dict[str, Tensor] = field(default_factory=dict)

    def epoch(self, generator: torch.Generator) -> Tensor:
        self.generators.append(generator)
        x = self.train
        if self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=generator)
        x = self.at_epoch.get(len(self.generators), lambda x: x)(x)
        self.drawn.append(x)
        return x


@pytest.fixture
def tensors():
    return Tensors
