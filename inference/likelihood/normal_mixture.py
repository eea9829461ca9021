"""Mixtures of Normals, one for each datum."""

import copy
import math

import torch
from torch import Tensor

from obsvae.inference.likelihood.diagnostics import usable_or_zero

# Each Normal comes twice, as it is and widened. Most draws of the wide one lie about 1.25 standard deviations farther
# out, which keeps the tails of the weights light.
_FARTHER = 1.25


class NormalMixture:
    r"""For each of B data a mixture of full-covariance Normals, each as it is and widened, in equal shares.

    .. math:: q(z) = \sum_c \frac{\alpha_c}{2} \big[ \mathcal{N}(z; m_c, \Sigma_c)
              + \mathcal{N}(z; m_c, s^2\, \Sigma_c) \big], \qquad s = 1 + \frac{1.25}{\sqrt{D}}

    Args:
        loc: m of the first component, ``(B, D)``.
        root: R with Σ = R Rᵀ, upper triangular, ``(B, D, D)``; better in double precision, as it is inverted.
    """

    def __init__(self, loc: Tensor, root: Tensor) -> None:
        self.loc, self.root, self.inverse = loc[None], root.to(loc)[None], _inverse(root).to(loc)[None]  # (C, B, D, …)
        self.log_shares = loc.new_zeros(1, len(loc))  # (C, B)
        self.widened = 1.0 + _FARTHER / math.sqrt(loc.shape[-1])

    def add(self, which: Tensor, loc: Tensor, root: Tensor) -> None:
        """Give some of the data ``(b,)`` a further component, with a share as large as the others have on average."""

        def appended(old: Tensor, new: Tensor) -> Tensor:
            last = old[0].clone()  # of data that get none, any finite numbers, for a share of 0
            last[which] = new
            return torch.cat([old, last[None]])

        self.loc, self.root = appended(self.loc, loc), appended(self.root, root.to(loc))
        self.inverse = appended(self.inverse, _inverse(root).to(loc))
        share = 1.0 / (1.0 + torch.isfinite(self.log_shares[:, which]).sum(0))
        self.log_shares[:, which] += torch.log1p(-share)
        none = torch.full_like(self.log_shares[:1], -math.inf)
        none[0, which] = share.log().to(none)
        self.log_shares = torch.cat([self.log_shares, none])

    def select(self, which: Tensor) -> "NormalMixture":
        """Return the mixtures of some of the data ``(b,)``."""
        part = copy.copy(self)
        for name in ("loc", "root", "inverse", "log_shares"):
            setattr(part, name, getattr(self, name)[:, which])
        return part

    def sample(self, k: int) -> Tensor:
        """Draw z ``(k, B, D)``."""
        _, B, D = self.loc.shape
        noise = torch.randn(k, B, D, dtype=self.loc.dtype, device=self.loc.device)
        noise = torch.where(torch.rand(k, B, 1, device=noise.device) < 0.5, noise, self.widened * noise)
        moved = self.loc.unsqueeze(1) + (self.root @ noise.permute(1, 2, 0)).permute(0, 3, 1, 2)  # (C, k, B, D)
        which = torch.multinomial(self.log_shares.T.exp(), k, replacement=True).T  # (k, B)
        return moved.gather(0, which[None, ..., None].expand(1, k, B, D))[0]

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log q(z) ``(k, B)`` for z ``(k, B, D)``."""
        return self._components(z).logsumexp(0)

    def learned(self, z: Tensor, log_weights: Tensor) -> Tensor:
        r"""Return log-shares halfway to those that the weights ``(k, B)`` of draws z ``(k, B, D)`` ask for.

        .. math:: \alpha_c \leftarrow \tfrac12 \alpha_c + \tfrac12 \sum_k \bar w_k \, q(c \mid z_k)

        Reference: Cappé, Douc, Guillin, Marin and Robert, *Adaptive importance sampling in general mixture classes*,
        Statistics and Computing 2008, equation 7.
        """
        members = self._components(z).softmax(0)  # (C, k, B)
        asked = (members * _normalised(log_weights)).sum(1)
        # Without a usable weight nothing is asked for.
        asked = torch.where(asked.sum(0) > 0.5, asked, self.log_shares.exp())
        return torch.log(0.5 * self.log_shares.exp() + 0.5 * asked).to(z)

    def _components(self, z: Tensor) -> Tensor:
        """Return the log-density of each component times its share, ``(C, k, B)``."""
        D = z.shape[-1]
        away = (z - self.loc.unsqueeze(1)).permute(0, 2, 3, 1)  # (C, B, D, k)
        distance = (self.inverse @ away).square().sum(2)  # (C, B, k)
        log_det = self.inverse.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # (C, B)
        narrow = -0.5 * distance
        wide = -0.5 * distance / self.widened**2 - D * math.log(self.widened)
        constant = self.log_shares + log_det - 0.5 * D * math.log(2 * math.pi) - math.log(2.0)
        return (torch.logaddexp(narrow, wide) + constant.unsqueeze(-1)).mT


def _normalised(log_weights: Tensor) -> Tensor:
    """Return weights that add up to one over the first axis; all 0 where none is usable."""
    return usable_or_zero(log_weights).softmax(0).nan_to_num(0.0)


def _inverse(root: Tensor) -> Tensor:
    """Return the inverse of an upper triangular matrix."""
    one = torch.eye(root.shape[-1], dtype=root.dtype, device=root.device).expand_as(root)
    return torch.linalg.solve_triangular(root, one, upper=True)
