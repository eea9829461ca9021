"""Normals for each of a batch of data, some with more of them than others."""

import math

import torch
from torch import Tensor

from obsvae.inference.likelihood.mixtures.normal_fit import NormalFit

# Each Normal comes twice, as it is and widened. Most draws of the wide one lie about 1.25 standard deviations farther
# out, which keeps the tails of the weights light.
_FARTHER = 1.25


class Normals:
    r"""Up to C Normals for each of B data, each as it is and widened, in equal parts.

    .. math:: q_c(z) = \tfrac12 \mathcal{N}(z; m_c, \Sigma_c) + \tfrac12 \mathcal{N}(z; m_c, s^2\, \Sigma_c),
              \qquad s = 1 + \frac{1.25}{\sqrt{D}}

    Args:
        like: latents ``(B, D)``, for shape, type and device; there are no Normals yet.

    Attributes:
        loc: m, ``(C, B, D)``.
        root: R, upper triangular, with Σ = R Rᵀ, ``(C, B, D, D)``.
        inverse: R⁻¹.
        count: number of Normals of each datum, ``(B,)``: the first of the C; what stands behind them has no meaning.
    """

    def __init__(self, like: Tensor) -> None:
        B, D = like.shape
        self.loc, self.root = like.new_zeros(0, B, D), like.new_zeros(0, B, D, D)
        self.inverse = self.root
        self.count = torch.zeros(B, dtype=torch.long, device=like.device)
        self.widened = 1.0 + _FARTHER / math.sqrt(D)

    def __len__(self) -> int:
        """Return C."""
        return len(self.loc)

    def add(self, which: Tensor, fit: NormalFit) -> None:
        """Give some of the data ``(b,)``, each once, a further Normal."""
        if len(which) and int(self.count[which].max()) == len(self):
            none = torch.zeros_like(self.loc.new_empty(1, *self.loc.shape[1:]))
            one = _identity(self.root.new_empty(1, *self.root.shape[1:]))
            self.loc = torch.cat([self.loc, none])
            self.root, self.inverse = torch.cat([self.root, one]), torch.cat([self.inverse, one])
        slot = self.count[which]
        self.loc[slot, which], self.root[slot, which] = fit.loc, fit.root.to(self.root)
        self.inverse[slot, which] = _inverse(fit.root).to(self.root)
        self.count[which] += 1

    def select(self, which: Tensor) -> "Normals":
        """Return the Normals of some of the data ``(b,)``."""
        part = Normals(self.loc.new_empty(len(which), self.loc.shape[-1]))
        part.loc, part.root, part.inverse = self.loc[:, which], self.root[:, which], self.inverse[:, which]
        part.count = self.count[which]
        return part

    def put(self, which: Tensor, part: "Normals") -> None:
        """Take back the Normals of some of the data, as :meth:`select` gave them out and they have become since."""
        self.loc[:, which], self.root[:, which], self.inverse[:, which] = part.loc, part.root, part.inverse

    def set(self, c: int, loc: Tensor, covariance: Tensor) -> None:
        """Give the Normals of number c other means ``(B, D)`` and covariances ``(B, D, D)``, where these are usable."""
        # The upper triangular root of a matrix is the lower one of the matrix in reverse, in reverse.
        lower, failed = torch.linalg.cholesky_ex(covariance.flip(-1, -2))
        root = lower.flip(-1, -2)
        usable = (failed == 0) & torch.isfinite(root).all(-1).all(-1) & torch.isfinite(loc).all(-1)
        root = torch.where(usable[:, None, None], root, self.root[c].to(root))
        self.loc[c] = torch.where(usable.unsqueeze(-1), loc, self.loc[c])
        self.root[c], self.inverse[c] = root.to(self.root), _inverse(root).to(self.root)

    def moved(self, noise: Tensor, wide: Tensor, number: Tensor) -> Tensor:
        """Return draws z ``(k, B, D)`` made of standard Normal noise.

        Args:
            noise: ``(k, B, D)``.
            wide: whether a draw comes from the wide one, ``(k, B)``.
            number: c of each draw, ``(k, B)``; where it is negative, z has no meaning.
        """
        z = torch.where(wide.unsqueeze(-1), self.widened * noise, noise)
        noise = z.permute(1, 2, 0)
        for c in range(len(self)):
            z = torch.where((number == c).unsqueeze(-1), self.loc[c] + (self.root[c] @ noise).permute(2, 0, 1), z)
        return z

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log q_c(z) ``(C, k, B)`` for z ``(k, B, D)``; −inf where a datum has fewer Normals."""
        D = z.shape[-1]
        found = z.new_empty(len(self), *z.shape[:2])
        for c in range(len(self)):
            distance = (self.inverse[c] @ (z - self.loc[c]).permute(1, 2, 0)).square().sum(1).T  # (k, B)
            wide = -0.5 * distance / self.widened**2 - D * math.log(self.widened)
            constant = self.inverse[c].diagonal(dim1=-2, dim2=-1).log().sum(-1) - 0.5 * D * math.log(2 * math.pi)
            constant = torch.where(c < self.count, constant - math.log(2.0), -math.inf)
            found[c] = torch.logaddexp(-0.5 * distance, wide) + constant
        return found


def _identity(like: Tensor) -> Tensor:
    return torch.eye(like.shape[-1], dtype=like.dtype, device=like.device).expand_as(like)


def _inverse(root: Tensor) -> Tensor:
    """Return the inverse of an upper triangular matrix."""
    return torch.linalg.solve_triangular(root, _identity(root), upper=True)
