"""The generative model of a variational autoencoder, as a Pyro program."""

import pyro
import torch
from pyro.nn import PyroModule
from torch import Tensor

from model.decoders import Decoder
from model.observations import Observation
from model.priors import StandardNormal


class VAE(PyroModule):
    r"""A latent-variable model whose observation distribution is a part.

    .. math:: z_i \sim p(z), \qquad x_i \sim p(x \mid \eta(z_i)), \qquad i = 1, \dots, N

    Args:
        prior: p(z).
        decoder: the network η(z).
        observation: p(x | η), in data units.

    Raises:
        ValueError: where the decoder does not give as many outputs per feature as the observation takes.

    Reference: Kingma and Welling, *Auto-encoding variational Bayes*, ICLR 2014.
    """

    def __init__(self, prior: StandardNormal, decoder: Decoder, observation: Observation) -> None:
        if decoder.outputs != observation.outputs:
            raise ValueError(
                f"{observation.name} takes {observation.outputs} outputs per feature, but the decoder gives "
                f"{decoder.outputs}; build the decoder with outputs={observation.outputs}"
            )
        pyro.settings.set(module_local_params=True)
        super().__init__()
        self.prior = prior
        self.decoder = decoder
        self.observation = observation

    def forward(self, x: Tensor | None = None, *, n: int = 1) -> Tensor:
        """Run the model: score x ``(N, *event)`` where it is given, draw n data where it is not."""
        with pyro.plate("data", n if x is None else len(x), dim=-1):
            z = pyro.sample("z", self.prior())  # (N, latent)
            eta = self.decoder(z)  # (N, *event, outputs)
            p_x = self.observation(eta).to_event(len(self.decoder.event_shape))
            return pyro.sample("x", p_x, obs=x)

    def check(self, x: Tensor, rows: Tensor | None = None) -> None:
        """Refuse data that the model is not for.

        Args:
            x: data ``(N, *event)`` in data units.
            rows: what to call each datum in the message ``(N,)``, such as its row in a file; by default its index.

        Raises:
            ValueError: where x is empty, not ``(N, *event)``, or outside the observation's support.
        """
        if not len(x) or x.shape[1:] != self.decoder.event_shape:
            needed = ", ".join(["N", *map(str, self.decoder.event_shape)])
            raise ValueError(f"the model needs data of shape ({needed}) with N ≥ 1, but got {tuple(x.shape)}")
        self.observation.check(x, rows)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Check training data x ``(N, *event)``, and start the observation's scales and the output bias from them."""
        self.check(x)
        self.decoder.set_bias(self.observation.initialise(x))
