"""Pyro's SVI, with its usual settings."""

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVI, TraceMeanField_ELBO
from pyro.optim import Adam  # type: ignore[attr-defined]  # it makes its optimisers as it is loaded
from torch import Tensor

from .talk import Group, Job, serve
from .torch_networks import Networks


class Loop:
    """Training by ``SVI.step``.

    Args:
        job: to train.
    """

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        pyro.set_rng_seed(0)
        self.job, self.x, self.networks = job, torch.from_numpy(job.x), Networks(job)
        self.svi = SVI(self.model, self.guide, Adam({"lr": job.lr}), TraceMeanField_ELBO())

    def model(self, x: Tensor) -> None:
        """p(z) p(x | z)."""
        pyro.module("networks", self.networks)
        with pyro.plate("data", len(x)):
            z = pyro.sample("z", dist.Normal(x.new_zeros(len(x), self.job.latent), 1.0).to_event(1))
            eta = self.networks.decoder(z)
            for group in self.job.groups:
                pyro.sample(f"x_{group.number}", self.head(eta, group).to_event(1), obs=x[:, group.columns])

    def guide(self, x: Tensor) -> None:
        """q(z | x)."""
        pyro.module("networks", self.networks)
        with pyro.plate("data", len(x)):
            pyro.sample("z", dist.Normal(*self.networks.posterior(x)).to_event(1))

    def head(self, eta: Tensor, group: Group) -> dist.TorchDistribution:
        """Return the distribution of a group's features, elementwise."""
        if group.family == "normal":
            return dist.Normal(self.networks.location(eta, group), self.networks.scale(group))
        if group.family == "log-normal":
            return dist.LogNormal(self.networks.location(eta, group), self.networks.scale(group))
        outputs = eta[:, group.outputs]
        if group.family == "bernoulli":
            return dist.Bernoulli(logits=outputs)
        if group.family == "poisson":
            return dist.Poisson(outputs.exp())
        return dist.Categorical(logits=outputs.unflatten(-1, (group.features, group.levels)))

    def train(self, steps: int) -> None:
        """Take steps."""
        for rows, number in self.job.epochs(steps):
            for index in torch.from_numpy(rows)[:number]:
                self.svi.step(self.x[index])

    def elbo(self) -> float:
        """Return the ELBO per datum."""
        losses = [self.svi.evaluate_loss(x) for x in self.x[: self.job.evaluated].split(self.job.batch_size)]
        return -sum(losses) / self.job.evaluated


if __name__ == "__main__":
    serve(Loop)
