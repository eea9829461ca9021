"""Likelihoods by quadrature, and what they are taken of."""

import pyro
import pyro.distributions as dist
import torch
from torch import nn

from model import Measure
from tests.model.cases import make_case
from tests.model.wrapped import EVERY

GRID = torch.linspace(-9, 9, 2001, dtype=torch.float64)
LIKELIHOODS = [spec for spec in EVERY if make_case(spec, "own").observation.measure is not Measure.NONE]


def by_quadrature(model, x):
    """Return log p(x) of data ``(N, *event)`` for one or two latent dimensions, by the trapezoidal rule."""
    D = model.prior.latent
    line = GRID if D == 1 else GRID[::5]
    z = torch.cartesian_prod(*[line] * D).view(-1, D)
    with torch.no_grad(), pyro.validation_enabled(False):
        eta = model.decoder(z)
        log_p_x = torch.stack([model.observation(eta).log_prob(datum).flatten(1).sum(1) for datum in x])
        log_p = log_p_x + model.prior().log_prob(z)
    return (log_p.logsumexp(1) + D * (line[1] - line[0]).log()).numpy()


class Mixture(nn.Module):
    """Two narrow clusters: not log-concave."""

    latent = 1

    def forward(self):
        parts = dist.Normal(torch.tensor([[-2.0], [2.0]], dtype=torch.float64), 0.3).to_event(1)
        return dist.MixtureSameFamily(dist.Categorical(torch.ones(2, dtype=torch.float64)), parts)
