"""Networks as users may write them, sound and unsound."""

import torch
from torch import nn

from obsvae.model import MLPDecoder


def sizes(shape):
    return torch.Size(shape).numel()


class Wide(nn.Module):
    """A decoder that is no obsvae.Decoder."""

    def __init__(self, latent, event_shape, outputs, hidden):
        super().__init__()
        self.shape = (*event_shape, outputs)
        self.layers = nn.Sequential(nn.Linear(latent, hidden[0]), nn.ELU(), nn.Linear(hidden[0], sizes(self.shape)))

    def forward(self, z):
        assert z.ndim == 2
        return self.layers(z).view(-1, *self.shape)


class Seeing(nn.Module):
    """An encoder that is no obsvae.Encoder."""

    def __init__(self, shape, outputs, hidden):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(sizes(shape), hidden[0]), nn.ELU(), nn.Linear(hidden[0], outputs)
        )

    def forward(self, u):
        return self.layers(u)


class Gated(MLPDecoder):
    def __init__(self, latent, event_shape, outputs, hidden):
        super().__init__(latent, event_shape, outputs, hidden, activation="gated")


class HalvingGated(Gated):
    def forward(self, z):
        return super().forward(z.mul_(0.5))


class Branching(Wide):
    """No graph: which way it goes depends on values."""

    def forward(self, z):
        eta = super().forward(z)
        return eta if float(z.detach().abs().sum()) >= 0 else eta + 1


class Narrow(Wide):
    def forward(self, z):
        return super().forward(z)[..., :-1]


class Double(Wide):
    def forward(self, z):
        return super().forward(z).double()


class OfDoubles(Wide):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.double()


class OfHalves(Wide):
    """Takes float32, and works in bfloat16."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.bfloat16()

    def forward(self, z):
        return super().forward(z.bfloat16())


class Halving(Wide):
    def forward(self, z):
        return super().forward(z.mul_(0.5))


class Rectifying(Wide):
    def forward(self, z):
        return super().forward(z.relu_())


class Pair(Wide):
    def forward(self, z):
        return super().forward(z), z


class Mixing(Wide):
    def forward(self, z):
        return super().forward(z - z.mean(0))


class Failing(Wide):
    def forward(self, z):
        return self.layers(z[:, :1])


class Conditional(Seeing):
    """Sees conditions as well."""

    def __init__(self, shape, outputs, hidden, conditions):
        super().__init__((sizes(shape) + conditions,), outputs, hidden)

    def forward(self, u, c):
        return super().forward(torch.cat([u.flatten(1), c], dim=1))


class HalvingConditions(Conditional):
    def forward(self, u, c):
        return super().forward(u, c.mul_(0.5))


class Few(Seeing):
    def forward(self, u):
        return super().forward(u)[:, :-1]


class Bounding(Seeing):
    def forward(self, u):
        return super().forward(u.clamp_(-5, 5))


class OfDoublesSeeing(Seeing):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.double()


class Lonely(nn.Module):
    """Takes other arguments."""

    def __init__(self, latent):
        super().__init__()


class Another(MLPDecoder):
    def __init__(self, latent, event_shape, outputs, hidden):
        super().__init__(latent + 1, event_shape, outputs, hidden)


class NoModule:
    pass


number = 3
