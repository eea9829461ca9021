"""The generative model of a variational autoencoder, as a Pyro program."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyro
import torch
from torch import Tensor

from obsvae.conditions import require_conditions
from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.local import LocalModule
from obsvae.model.contract import require_parts
from obsvae.model.decoders import Decoder
from obsvae.model.observations import Measure, Observation
from obsvae.model.priors import Prior


class VAE(LocalModule):
    r"""A latent-variable model whose observation distribution is a part.

    .. math:: z_i \sim p(z), \qquad x_i \sim p(x \mid \eta(z_i, c_i)), \qquad i = 1, \dots, N

    Args:
        prior: p(z).
        decoder: the network η(z, c), which takes z and c side by side; η(z) where there are no conditions.
        observation: p(x | η), in data units.
        conditions: C, how many numbers c are given beside x.
        has_offset: whether the last of them is the log of an exposure, which the network does not see: it is added to
            the log of what is expected, as the observation has it.

    Raises:
        UsageError: where the parts do not fit together: another number of outputs per feature, a prior of another
            size, or an observation that is not elementwise or declares no measure or support.

    Reference: Kingma and Welling, *Auto-encoding variational Bayes*, ICLR 2014.
    """

    initialised: Tensor

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | None = None, c: Tensor | None = None, *, n: int = 1) -> Tensor:
            """Run the model, as :meth:`forward` does."""

    def __init__(
        self,
        prior: Prior,
        decoder: Decoder,
        observation: Observation,
        conditions: int = 0,
        has_offset: bool = False,
    ) -> None:
        require_parts(prior, decoder, observation, conditions, has_offset)
        super().__init__()
        self.prior = prior
        self.decoder = decoder
        self.observation = observation
        self.conditions, self.has_offset = conditions, has_offset
        self.register_buffer("initialised", torch.tensor(False))

    def forward(self, x: Tensor | None = None, c: Tensor | None = None, *, n: int = 1) -> Tensor:
        """Run the model: score x ``(N, *event)`` where it is given, draw n data, or one for each c, where it is not."""
        given = c if x is None else x
        with pyro.plate("data", n if given is None else len(given), dim=-1):
            z = pyro.sample("z", self.prior())  # type: ignore[arg-type]  # (N, latent); for the types see Distribution
            eta = self.decode(z, c)  # (N, *event, outputs)
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

    def given(self, z: Tensor, c: Tensor | None = None) -> Distribution:
        """Return p(x | z, c), elementwise: batch shape ``(*batch, *event)`` for z ``(*batch, latent)``."""
        return self.observe(self.decode(z, c))

    def mean(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return E[x | z, c] ``(*batch, *event)``."""
        return self.observation.mean(self.decode(z, c))

    def parameter(self, z: Tensor, c: Tensor | None = None) -> Tensor | None:
        """Return the link's output ``(*batch, *event)`` where people take it for the mean, else None."""
        return self.observation.parameter(self.decode(z, c))

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return η(z, c), the raw outputs ``(*batch, *event, outputs)``: the first half of :meth:`given`.

        Args:
            z: latents ``(*batch, latent)``.
            c: conditions ``(N, C)``, for N that is 1 or the last axis of the batch.

        Raises:
            UsageError: where the model has conditions and gets none, gets some and has none, or those of another size.
        """
        require_conditions(self.conditions, c)
        if c is None:
            return self.decoder(z)
        seen = c[..., :-1] if self.has_offset else c
        eta = self.decoder(torch.cat([z, seen.expand(*z.shape[:-1], seen.shape[-1])], -1))
        if not self.has_offset:
            return eta
        log_exposure = c[..., -1].reshape(*c.shape[:-1], *(1 for _ in self.event_shape), 1)
        return eta + log_exposure * self.observation.exposure(eta)

    def observe(self, eta: Tensor) -> Distribution:
        """Return p(x | η), elementwise: the second half of :meth:`given`."""
        return self.observation(eta)

    def require_likelihood(self) -> None:
        """Refuse an observation that is a loss and not a likelihood.

        Raises:
            MeasureMismatch: as :meth:`Observation.require_likelihood` does.
        """
        self.observation.require_likelihood()

    def check(self, x: Tensor, rows: Tensor | None = None, c: Tensor | None = None) -> None:
        """Refuse data, or conditions, that the model is not for.

        Args:
            x: data ``(N, *event)`` in data units.
            rows: what to call each datum in the message ``(N,)``, such as its row in a file; by default its index.
            c: conditions ``(N, C)``; None where the model has none.

        Raises:
            UsageError: where x is empty, not ``(N, *event)``, of another type or on another device than the model, or
                outside the observation's support; where c is not a finite ``(N, C)`` there, or not asked for.
        """
        self._require_tensor(x)
        self.require_given(c, len(x) if x.ndim else 0)
        if not x.ndim or not len(x) or x.shape[1:] != self.event_shape:
            needed = ", ".join(["N", *map(str, self.event_shape)])
            raise UsageError(f"the model needs data of shape ({needed}) with N ≥ 1, but got {tuple(x.shape)}")
        self.observation.check(x, rows)

    def require_given(self, c: Tensor | None, n: int) -> None:
        """Refuse anything but conditions of n data; None where the model has none.

        Raises:
            UsageError: saying what is needed.
        """
        require_conditions(self.conditions, c)
        if c is not None:
            self._require_tensor(c)
            if c.ndim != 2 or len(c) != n:
                raise UsageError(
                    f"the model needs conditions of shape ({n}, {self.conditions}), a row for each datum, but got "
                    f"{tuple(c.shape)}"
                )
            if not bool(torch.isfinite(c).all()):
                row = int((~torch.isfinite(c)).any(1).nonzero()[0])
                raise UsageError(f"the model needs finite conditions, but those of datum {row} (from 0) are not")

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
    def initialise(self, x: Tensor, c: Tensor | None = None) -> None:
        """Start the prior, the observation's scales and the output bias from training data x ``(N, *event)``.

        Where there is an offset the last two start from data at an exposure of 1: densities from x / exposure, counts,
        of which small exposures tell little, from x / its mean.

        Raises:
            UsageError: where there is an offset, and c has none.
        """
        self.prior.initialise(x)
        self.decoder.set_bias(self.observation.initialise(self._without_exposure(x, c)))
        self.initialised.fill_(True)

    def _without_exposure(self, x: Tensor, c: Tensor | None) -> Tensor:
        if not self.has_offset:
            return x
        require_conditions(self.conditions, c)
        assert c is not None
        exposure = torch.exp(c[:, -1]).reshape(-1, *(1 for _ in self.event_shape))
        measures = list(self.measures.values()) or [self.measure]
        is_count = torch.tensor([one is Measure.COUNTING for one in measures], device=x.device)
        return torch.where(is_count, x / exposure.mean(), x / exposure)

    def update(self, batches: Iterable[tuple[Tensor, Tensor, Tensor | None]]) -> None:
        """Set parameters that are estimated from the whole training set, from (z, x, c), after each epoch."""
        self.observation.update((self.decode(z, c), x) for z, x, c in batches)

    def with_observation(self, observation: Observation) -> "VAE":
        """Return the model with the same prior and decoder, and another observation: to score the decoder by it.

        A fit of it would start anew: the observation's scales, and the output bias that both models share.
        """
        return VAE(self.prior, self.decoder, observation, self.conditions, self.has_offset)
