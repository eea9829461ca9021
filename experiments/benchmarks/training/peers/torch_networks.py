"""The two networks in torch, for the programs that are made of it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .talk import SHIFT, Group, Job


class Networks(nn.Module):
    """Encoder and decoder with the weights of a job's start.

    Args:
        job: to train.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        torch.set_flush_denormal(True)  # as XLA does, and this project's commands
        self.groups, self.floor, self.scale_floor = job.groups, job.floor, job.scale_floor
        self.encoder, self.decoder = _layers(job, "encoder"), _layers(job, "decoder")
        self.raw_scales = nn.ParameterDict()
        for name, value in job.start.items():
            if name.startswith("raw_scale"):
                self.raw_scales[name] = nn.Parameter(torch.from_numpy(value))
            elif not name.startswith(("encoder", "decoder")):
                self.register_buffer(name, torch.from_numpy(value))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of q(z | x)."""
        loc, raw = self.encoder(self.seen(x)).chunk(2, -1)
        return loc, self.floor + F.softplus(raw)

    def seen(self, x: Tensor) -> Tensor:
        """Return what the encoder sees of x."""
        return torch.cat([self._seen(x[:, group.columns], group) for group in self.groups], -1)

    def location(self, eta: Tensor, group: Group) -> Tensor:
        """Return the location of a normal or log-normal."""
        return self.of(group, "centre") + self.of(group, "spread") * eta[:, group.outputs]

    def scale(self, group: Group) -> Tensor:
        """Return the learned σ of a normal or log-normal."""
        raw = self.raw_scales[f"raw_scale_{group.number}"]
        return self.of(group, "scale_start") * (self.scale_floor + F.softplus(raw + SHIFT))

    def of(self, group: Group, name: str) -> Tensor:
        """Return a constant of a group."""
        return self.get_buffer(f"{name}_{group.number}")

    def _seen(self, x: Tensor, group: Group) -> Tensor:
        if group.seen == "one-hot":
            return F.one_hot(x.long(), group.levels).flatten(1).to(x.dtype)
        u = {"plain": lambda: x, "log": lambda: torch.log(x), "log1p": lambda: torch.log1p(x)}[group.seen]()
        u = (u - self.of(group, "offset")) / self.of(group, "size")
        return u if group.seen == "plain" else torch.cat([u, (x == 0).to(x.dtype)], -1)


def _layers(job: Job, network: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in job.layers(network):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
