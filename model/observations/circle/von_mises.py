"""Angles."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.parameters import outputs_of, split
from obsvae.model.observations.support import ANGLES
from obsvae.model.observations.with_concentration import WithConcentration


class VonMises(WithConcentration):
    r"""The von Mises density of an angle, by a direction in the plane and a concentration κ.

    .. math:: p(x \mid \eta) = \frac{e^{\kappa \cos(x - \mu)}}{2 \pi I_0(\kappa)}, \qquad
              \mu = \operatorname{atan2}(\eta_1, \eta_0), \qquad -\pi \le x \le \pi

    Two outputs give the direction, so that nothing tears where the angle wraps round. Other units than radians come
    from the data's bounds, which are one turn.

    Shapes: ``eta (*batch, *event, 2)``, or ``(…, 3)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    locations = 2
    turn = (-math.pi, math.pi)
    support = ANGLES
    equivalent = "direction of two outputs + cosine of the error"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return VonMises(μ, κ)."""
        sine, concentration = split(eta[..., 1:], self.concentration)
        return exact.VonMises(torch.atan2(sine, eta[..., 0]), concentration)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean direction of each feature, and the concentration of the mean resultant length."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            length = torch.hypot(torch.cos(x).mean(0), torch.sin(x).mean(0))
            length = (length if shape else length.mean()).clamp(0.01, 0.99)
            # Banerjee et al. 2005, equation 4.4, in two dimensions
            return length * (2.0 - length.square()) / (1.0 - length.square())

        self.concentration.initialise(estimate)
        angle = torch.atan2(torch.sin(x).mean(0), torch.cos(x).mean(0))
        eta = outputs_of(torch.cos(angle), self.outputs)
        eta[..., 1] = torch.sin(angle)
        return eta
