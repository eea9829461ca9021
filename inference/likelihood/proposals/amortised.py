"""Particles from the guide as it was trained."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.proposals.base import Proposal, Sampler


@dataclass(frozen=True)
class Amortised(Proposal):
    """The guide as it was trained: the usual estimate, which may be far too low.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016.
    """

    name: ClassVar[str] = "amortised"
    remedy: ClassVar[str] = "take the refined proposal (proposal=Refined())"

    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler from the guide.

        Raises:
            UsageError: for a guide without a density.
        """
        if not joint.guide.has_density:
            raise UsageError(
                "the guide puts a point mass on 'z', as a plain autoencoder does: it has no density to weight by; take "
                "the refined proposal, or train with a normal guide"
            )
        return _FromGuide(joint)


class _FromGuide(Sampler):
    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        self.spent = torch.zeros(len(joint), dtype=torch.long)

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        drawn = self.joint.from_guide(torch.full((len(self.joint),), k))
        z, log_q = (torch.stack(values, 1) for values in zip(*drawn, strict=True))
        return z, self.joint.log_prob(z) - log_q

    def log_density(self, z: Tensor) -> Tensor:
        """Return log q(z | x) of the guide."""
        return self.joint.proposed.log_prob(z)
