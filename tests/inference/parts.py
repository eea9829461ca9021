"""Priors and guides of other kinds than the package has."""

import pyro
import pyro.distributions as dist
import torch
from pyro.nn import PyroModule
from torch import nn

from obsvae.model import Prior


class Mixture(Prior):
    """Two narrow clusters: not log-concave."""

    def __init__(self):
        super().__init__(1)

    def forward(self):
        parts = dist.Normal(torch.tensor([[-2.0], [2.0]], dtype=torch.float64), 0.3).to_event(1)
        return dist.MixtureSameFamily(dist.Categorical(torch.ones(2, dtype=torch.float64)), parts)


class Laplace(Prior):
    """A prior with a kink, and no curvature beside it."""

    def __init__(self, latent=1):
        super().__init__(latent)

    def forward(self):
        return dist.Laplace(torch.zeros(self.latent, dtype=torch.float64), 1.0).to_event(1)


class StudentT(Prior):
    """A prior that is not log-concave, so that the curvature of log p(x, z) may have any sign."""

    def forward(self):
        return dist.StudentT(3.0, torch.zeros(self.latent, dtype=torch.float64), 1.0).to_event(1)


class WithoutEncoder(PyroModule):
    """A guide that is the same for all data; derived classes say which distribution it samples ``z`` from."""

    has_density = True
    initialised = torch.tensor(True)

    def __init__(self, latent):
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(latent, dtype=torch.float64))

    def initialise(self, x):
        pass

    def forward(self, x):
        with pyro.plate("data", len(x), dim=-1):
            return pyro.sample("z", self.q(self.loc.expand(len(x), -1)))


class FlowGuide(WithoutEncoder):
    """A guide whose distribution has no mean that anyone could tell."""

    def q(self, loc):
        transforms = [dist.transforms.SigmoidTransform(), dist.transforms.AffineTransform(-4.0, 8.0)]
        return dist.TransformedDistribution(dist.Normal(loc, 1.0), transforms).to_event(1)


class CauchyGuide(WithoutEncoder):
    """Has no mean, and no variance."""

    def q(self, loc):
        return dist.Cauchy(loc, 1.0).to_event(1)
