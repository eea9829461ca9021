"""A loop written by hand: the loss under torch.compile, and a fused Adam outside."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .talk import Group, Job, serve
from .torch_networks import Networks


class Loss(nn.Module):
    """Minus the ELBO per datum, formula by formula.

    Args:
        networks: encoder and decoder.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss of a minibatch ``(B, D)``, with one z for each datum."""
        loc, scale = self.networks.posterior(x)
        eta = self.networks.decoder(loc + scale * torch.randn_like(loc))
        kl = 0.5 * (scale.square() + loc.square() - 1).sum() - scale.log().sum()
        misfit = sum((self.misfit(eta, x[:, g.columns], g) for g in self.networks.groups), kl.new_zeros(()))
        return (misfit + kl) / len(x)

    def misfit(self, eta: Tensor, x: Tensor, group: Group) -> Tensor:
        """Return minus the log-density of a group's features, summed."""
        if group.family in ("normal", "log-normal"):
            sigma, value = self.networks.scale(group), x if group.family == "normal" else x.log()
            t = (value - self.networks.location(eta, group)) / sigma
            total = 0.5 * t.square().sum() + (sigma.log() + 0.5 * math.log(2 * math.pi)).expand_as(x).sum()
            return total if group.family == "normal" else total + value.sum()
        outputs = eta[:, group.outputs]
        if group.family == "bernoulli":
            return F.binary_cross_entropy_with_logits(outputs, x, reduction="sum")
        if group.family == "poisson":
            return (outputs.exp() - x * outputs + torch.lgamma(x + 1)).sum()
        return F.cross_entropy(outputs.reshape(-1, group.levels), x.flatten().long(), reduction="sum")


class Loop:
    """Training with the compiled loss.

    Args:
        job: to train.
    """

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        torch.manual_seed(0)
        self.job, self.x = job, torch.from_numpy(job.x)
        loss = Loss(Networks(job))
        self.loss_of = torch.compile(loss)
        self.optimiser = torch.optim.Adam(loss.parameters(), lr=job.lr, fused=True)

    def train(self, steps: int) -> None:
        """Take steps."""
        total = torch.zeros(())
        for rows, number in self.job.epochs(steps):
            for index in torch.from_numpy(rows)[:number]:
                loss = self.loss_of(self.x[index])
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()
                total += loss.detach()

    def elbo(self) -> float:
        """Return the ELBO per datum."""
        with torch.no_grad():
            losses = [self.loss_of(x) for x in self.x[: self.job.evaluated].split(self.job.batch_size)]
        return -torch.stack(losses).mean().item()


if __name__ == "__main__":
    serve(Loop)
