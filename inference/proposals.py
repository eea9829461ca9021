"""Where the particles of an importance-weighted likelihood come from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from pyro.distributions import Delta
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Tensor

from inference.joint import Joint


class Sampler(ABC):
    """Weighted particles of the data that it was prepared for.

    Attributes:
        spent: how often p(x, z) was evaluated in preparation, for each datum ``(B,)``.
        evaluations: how often it is for one particle.
    """

    spent: Tensor
    evaluations: int = 1

    @abstractmethod
    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        """Return k particles z ``(k, B, D)`` and their log-weights ``(k, B)``; E[exp(log-weight)] = p(x)."""


class Proposal(ABC):
    """How particles are proposed: prepared for a batch of data, it gives a :class:`Sampler`."""

    name: ClassVar[str]
    # How many data are worth preparing at once.
    batch: ClassVar[int] = 100

    @abstractmethod
    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler for the data of ``joint``."""

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return about how many bytes a datum takes beside its log-weights and the decoder's passes."""
        return 0


def at_least(least: float, **settings: float) -> None:
    """Refuse settings below the least that makes sense.

    Raises:
        ValueError: naming the first of them.
    """
    for name, value in settings.items():
        if not value >= least:
            raise ValueError(f"{name} must be at least {least}, but got {value}")


def is_point_mass(q: TorchDistribution) -> bool:
    """Return whether a distribution has no density: that of a plain autoencoder's guide."""
    return isinstance(getattr(q, "base_dist", q), Delta)


@dataclass(frozen=True)
class Amortised(Proposal):
    """The guide as it was trained: what is usually reported, and no reason to believe it.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016.
    """

    name: ClassVar[str] = "amortised"

    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler from the guide.

        Raises:
            ValueError: for a guide without a density.
        """
        if is_point_mass(joint.proposed):
            raise ValueError(
                "the guide puts a point mass on 'z', as a plain autoencoder does: it has no density to weight by; take "
                "the refined proposal, or train with a normal guide"
            )
        return _FromGuide(joint)


class _FromGuide(Sampler):
    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        self.spent = torch.zeros(len(joint), dtype=torch.long)

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        q = self.joint.proposed
        z = q.sample(torch.Size((k,)))
        return z, self.joint.log_prob(z) - q.log_prob(z)
