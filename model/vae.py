"""The generative model of a variational autoencoder, as a Pyro program."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyro
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.local import LocalModule
from obsvae.model.contract import require_parts
from obsvae.model.decoders import Decoder
from obsvae.model.observations import Measure, Observation
from obsvae.model.priors import Prior


class VAE(LocalModule):
    r"""A latent-variable model whose observation distribution is a part.

    .. math:: z_i \sim p(z), \qquad x_i \sim p(x \mid \eta(z_i)), \qquad i = 1, \dots, N

    Args:
        prior: p(z).
        decoder: the network η(z).
        observation: p(x | η), in data units.

    Raises:
        UsageError: where the parts do not fit together: another number of outputs per feature, a prior of another
            size, or an observation that is not elementwise or declares no measure or support.

    Reference: Kingma and Welling, *Auto-encoding variational Bayes*, ICLR 2014.
    """

    initialised: Tensor

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | None = None, *, n: int = 1) -> Tensor:
            """Run the model, as :meth:`forward` does."""

    def __init__(self, prior: Prior, decoder: Decoder, observation: Observation) -> None:
        require_parts(prior, decoder, observation)
        super().__init__()
        self.prior = prior
        self.decoder = decoder
        self.observation = observation
        self.register_buffer("initialised", torch.tensor(False))

    def forward(self, x: Tensor | None = None, *, n: int = 1) -> Tensor:
        """Run the model: score x ``(N, *event)`` where it is given, draw n data where it is not."""
        with pyro.plate("data", n if x is None else len(x), dim=-1):
            z = pyro.sample("z", self.prior())  # type: ignore[arg-type]  # (N, latent); for the types see Distribution
            eta = self.decoder(z)  # (N, *event, outputs)
            p_x = self.observation(eta).to_event(len(self.decoder.event_shape))
            return pyro.sample("x", p_x, obs=x)

    @property
    def event_shape(self) -> torch.Size:
        """The shape of one datum."""
        return self.decoder.event_shape

    @property
    def measure(self) -> Measure:
        """The base measure of p(x | z)."""
        return self.observation.measure

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The base measure of each column of a table, by name; empty for other data."""
        return self.observation.measures

    @property
    def is_bound(self) -> bool:
        """Whether log p(x | z) is a random lower bound in expectation."""
        return self.observation.is_bound

    @property
    def is_likelihood(self) -> bool:
        """Whether p(x | z) is normalised: an unnormalised loss is not."""
        return self.observation.measure is not Measure.NONE

    def given(self, z: Tensor) -> Distribution:
        """Return p(x | z), elementwise: batch shape ``(*batch, *event)`` for z ``(*batch, latent)``."""
        return self.observe(self.decode(z))

    def mean(self, z: Tensor) -> Tensor:
        """Return E[x | z] ``(*batch, *event)``."""
        return self.observation.mean(self.decode(z))

    def parameter(self, z: Tensor) -> Tensor | None:
        """Return the link's output ``(*batch, *event)`` where people take it for the mean, else None."""
        return self.observation.parameter(self.decode(z))

    def decode(self, z: Tensor) -> Tensor:
        """Return η(z), the raw outputs ``(*batch, *event, outputs)``: the first half of :meth:`given`."""
        return self.decoder(z)

    def observe(self, eta: Tensor) -> Distribution:
        """Return p(x | η), elementwise: the second half of :meth:`given`."""
        return self.observation(eta)

    def require_likelihood(self) -> None:
        """Refuse an observation that is a loss and not a likelihood.

        Raises:
            MeasureMismatch: as :meth:`Observation.require_likelihood` does.
        """
        self.observation.require_likelihood()

    def check(self, x: Tensor, rows: Tensor | None = None) -> None:
        """Refuse data that the model is not for.

        Args:
            x: data ``(N, *event)`` in data units.
            rows: what to call each datum in the message ``(N,)``, such as its row in a file; by default its index.

        Raises:
            UsageError: where x is empty, not ``(N, *event)``, of another type or on another device than the model, or
                outside the observation's support.
        """
        self._require_tensor(x)
        if not x.ndim or not len(x) or x.shape[1:] != self.event_shape:
            needed = ", ".join(["N", *map(str, self.event_shape)])
            raise UsageError(f"the model needs data of shape ({needed}) with N ≥ 1, but got {tuple(x.shape)}")
        self.observation.check(x, rows)

    def _require_tensor(self, x: object) -> None:
        if not isinstance(x, Tensor):
            raise UsageError(f"the model needs a tensor, but got {type(x).__name__}; take torch.as_tensor(x)")
        weight = next(self.parameters(), None)
        if x.layout is not torch.strided or (weight is not None and x.device != weight.device):
            where = "any device" if weight is None else weight.device
            raise UsageError(
                f"the model needs a dense tensor on {where}, but got one in layout {x.layout} on {x.device}; take "
                "x.to_dense(), or x.to(device)"
            )
        kind = torch.get_default_dtype() if weight is None else weight.dtype
        if x.dtype is torch.bool or torch.promote_types(x.dtype, kind) is not kind:
            raise UsageError(f"the model needs numbers of type {kind}, but got {x.dtype}; take x.to({kind})")

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Start the prior, the observation's scales and the output bias from training data x ``(N, *event)``."""
        self.prior.initialise(x)
        self.decoder.set_bias(self.observation.initialise(x))
        self.initialised.fill_(True)

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set parameters that are estimated from the whole training set, from pairs (z, x), after each epoch."""
        self.observation.update((self.decode(z), x) for z, x in batches)

    def with_observation(self, observation: Observation) -> "VAE":
        """Return the model with the same prior and decoder, and another observation: to score the decoder by it.

        A fit of it would start anew: the observation's scales, and the output bias that both models share.
        """
        return VAE(self.prior, self.decoder, observation)
