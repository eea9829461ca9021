"""A mixture of diagonal Normals, whose draws have gradients in all of its parameters."""

import math
from typing import ClassVar

import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class MixtureOfNormals(TorchDistribution):
    r"""A mixture of K Normals, each with independent dimensions.

    .. math:: q(z) = \sum_{k=1}^{K} \pi_k \prod_{d=1}^{D} \mathcal{N}(z_d;\; m_{kd},\; s_{kd}^2)

    The draws are reparameterised implicitly. Let F be the map from z to the values of the conditional distribution
    functions, which makes z uniform; with z held, a change of the parameters moves F, and the draw follows it:

    .. math:: F_d(z) = \sum_k w_{kd} \Phi\Big(\frac{z_d - m_{kd}}{s_{kd}}\Big), \quad
              w_{kd} \propto \pi_k \prod_{e<d} \mathcal{N}(z_e; m_{ke}, s_{ke}^2), \qquad
              \frac{\partial z}{\partial \phi} = -\Big(\frac{\partial F}{\partial z}\Big)^{-1}
              \frac{\partial F}{\partial \phi}

    Args:
        logits: log π, but for a constant, ``(*batch, K)``.
        loc: m, ``(*batch, K, D)``.
        scale: s, positive, ``(*batch, K, D)``.

    Reference: Figurnov, Mohamed and Mnih, *Implicit reparameterization gradients*, NeurIPS 2018, section 3.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "logits": constraints.real_vector,
        "loc": constraints.independent(constraints.real, 2),
        "scale": constraints.independent(constraints.positive, 2),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, logits: Tensor, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        batch = torch.broadcast_shapes(logits.shape[:-1], loc.shape[:-2], scale.shape[:-2])
        self.logits = logits.expand(*batch, -1)
        self.loc, self.scale = loc.expand(*batch, -1, -1), scale.expand(*batch, -1, -1)
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: object = None) -> "MixtureOfNormals":
        """Return the same mixture over a larger batch shape."""
        batch = Size(batch_shape)
        parts = self.logits.expand(*batch, -1), self.loc.expand(*batch, -1, -1), self.scale.expand(*batch, -1, -1)
        return MixtureOfNormals(*parts, validate_args=False)

    @property
    def mean(self) -> Tensor:
        """E[z], ``(*batch, D)``."""
        return (self.logits.softmax(-1).unsqueeze(-1) * self.loc).sum(-2)

    @property
    def variance(self) -> Tensor:
        """The variance of each dimension, ``(*batch, D)``."""
        from_mean = (self.loc - self.mean.unsqueeze(-2)).square()
        return (self.logits.softmax(-1).unsqueeze(-1) * (self.scale.square() + from_mean)).sum(-2)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log q(z) in nats ``(*sample, *batch)`` for z ``(*sample, *batch, D)``."""
        return (self.logits.log_softmax(-1) + self._log_normal(value)[1].sum(-1)).logsumexp(-1)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty tuple, as torch has it
        """Draw z ``(*sample, *batch, D)``."""
        shape = Size((*sample_shape, *self.batch_shape))
        u = torch.rand_like(self.logits[..., :1].expand(*shape, 1))
        k = (self.logits.detach().softmax(-1).cumsum(-1)[..., :-1] < u).sum(-1, keepdim=True)
        at = k.unsqueeze(-1).expand(*shape, 1, *self.event_shape)
        loc, scale = (
            part.detach().expand(*shape, *part.shape[-2:]).gather(-2, at).squeeze(-2) for part in (self.loc, self.scale)
        )
        z = loc + scale * torch.randn_like(loc)
        return self._follow(z) if torch.is_grad_enabled() else z

    def _follow(self, z: Tensor) -> Tensor:
        """Return z itself, with the derivative in the parameters that implicit reparameterisation gives it."""
        t, log_normal = self._log_normal(z)  # (*shape, K, D)
        before = log_normal.cumsum(-1) - log_normal
        w = (self.logits.log_softmax(-1).unsqueeze(-1) + before).softmax(-2)
        phi = torch.special.ndtr(t)
        F = (w * phi).sum(-2)  # (*shape, D)
        slope = -t / self.scale  # of log N in z
        J = ((w * (phi - F.unsqueeze(-2))).mT @ slope).tril(-1)  # (*shape, D, D): dF_d / dz_e
        density = (w * log_normal.exp()).sum(-2).clamp_min(torch.finfo(z.dtype).tiny)
        J = J + torch.diag_embed(density)
        moved = torch.linalg.solve_triangular(J.detach(), (F - F.detach()).unsqueeze(-1), upper=False)
        return z - moved.squeeze(-1)

    def _log_normal(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z − m) / s and the log-density of each component and dimension, ``(*sample, *batch, K, D)``."""
        t = (z.unsqueeze(-2) - self.loc) / self.scale
        return t, -0.5 * t.square() - self.scale.log() - _HALF_LOG_TWO_PI
