"""log p(x, z) of a batch of data as a function of z, with its gradient and curvature."""

from collections.abc import Callable, Iterator
from functools import cached_property

import pyro
import torch
from pyro import poutine
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.inference.conditions import batches, present, rows_of
from obsvae.inference.likelihood.density.bank import Bank, Survey
from obsvae.inference.likelihood.density.curvature import JACOBIANS, bend, curvature, pull
from obsvae.inference.likelihood.density.randomness import Streams
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import distribution_at, posterior
from obsvae.local import local_parameters

# A backward pass keeps the activations of the forward pass, and makes as many gradients.
_ROWS_OF_A_GRADIENT = 3
# A density with noise of its own is evaluated for a datum and a fixed number of z at a time: the noise is the datum's.
NOISY_ROWS = 10


class Joint:
    """The unnormalised posterior p(x, z) of each of B data, and the guide's q(z | x).

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(B, *event)`` in data units.
        rows: how many pairs (x, z) are scored at once, which bounds the memory.
        directions: how many z the decoder alone sees at once; by default as many.
        streams: the random numbers of each datum.
        bank: places in the latent space that all data share.
        c: conditions of the data ``(B, C)``; None where there are none.
    """

    def __init__(
        self,
        model: GenerativeModel,
        guide: AmortisedGuide,
        x: Tensor,
        rows: int,
        directions: int | None = None,
        *,
        streams: Streams | None = None,
        bank: Bank | None = None,
        c: Tensor | None = None,
    ) -> None:
        self.model, self.guide, self.x, self.c = model, guide, x, c
        self.rows, self.directions = rows, rows if directions is None else directions
        self.streams = Streams.of(x, 0) if streams is None else streams
        self.bank = Bank(model, 0) if bank is None else bank

    def __len__(self) -> int:
        """Return B."""
        return len(self.x)

    def select(self, which: Tensor) -> "Joint":
        """Return the joint of some of the data, by index ``(b,)``."""
        part = Joint(
            self.model,
            self.guide,
            self.x[which],
            self.rows,
            self.directions,
            streams=self.streams.select(which),
            bank=self.bank,
            c=rows_of(self.c, which),
        )
        if "alone" in vars(self):
            part.alone = [self.alone[i] for i in which.tolist()]
        return part

    @cached_property
    def proposed(self) -> Distribution:
        """The guide's q(z | x): batch shape ``(B,)``, event shape ``(D,)``."""
        return posterior(self.guide, self.x, self.c)

    @cached_property
    def alone(self) -> list[Distribution]:
        """The guide's q(z | x) of each datum by itself: batch shape ``(1,)``, event shape ``(D,)``."""
        return [posterior(self.guide, x, c) for x, c in batches(self.x, self.c, 1)]

    def from_guide(self, counts: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Draw z ``(counts[b], D)`` for each datum b from the guide, by its own random numbers, with log q(z | x)."""
        alone = self.alone  # made before any stream is set: to run a guide takes random numbers

        def draw(b: int) -> tuple[Tensor, Tensor]:
            count = int(counts[b])
            z = alone[b].sample(torch.Size((max(1, count),)))  # torch takes no log_prob of no draws
            # At once: a flow without an inverse knows the density of its latest draws alone.
            return z[:count, 0], alone[b].log_prob(z)[:count, 0]

        return self.streams.each(draw)

    def from_prior(self, counts: Tensor) -> list[Tensor]:
        """Draw z ``(counts[b], D)`` for each datum b from the prior, likewise."""
        prior = self.model.prior()

        def draw(b: int) -> Tensor:
            count = int(counts[b])
            return prior.sample(torch.Size((max(1, count),)))[:count]  # a mixture takes no sample of no draws

        return self.streams.each(draw)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p(x, z) in nats ``(k, B)`` for z ``(k, B, D)``."""
        (log_p,) = self._in_chunks(lambda z, x, c: (self._score(z, x, c),), z, self.rows)
        return log_p

    def survey(self) -> Survey:
        """Return what the places of the bank say of each posterior."""
        if self.model.is_bound:

            def of_datum(b: int) -> Tensor:
                at = slice(b, b + 1)
                return self.bank.log_prob(self.x[at], NOISY_ROWS, rows_of(self.c, at))

            return Survey(self.bank, torch.cat(self.streams.each(of_datum), 1))
        return Survey(self.bank, self.bank.log_prob(self.x, self.rows, self.c))

    def gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return log p(x, z) ``(k, B)`` and its gradient in z ``(k, B, D)``, for z ``(k, B, D)``."""

        def evaluate(z: Tensor, x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                log_p = self._score(z, x, c)
                (gradient,) = torch.autograd.grad(log_p.sum(), z)
            return log_p.detach(), gradient

        log_p, gradient = self._in_chunks(evaluate, z, self.rows // _ROWS_OF_A_GRADIENT)
        return log_p, gradient

    def linearise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return the gradient of log p(x, z) ``(B, D)`` and a curvature H ``(B, D, D)``, for z ``(B, D)``.

        That of :func:`curvature` less the second derivative of log p(z).
        """
        D = z.shape[-1]
        gradient, H = torch.empty_like(z), z.new_empty(*z.shape, D)

        def evaluate(part: slice) -> None:
            at_once = self.directions // (len(z[part]) * JACOBIANS)
            c = rows_of(self.c, part)
            gradient[part], H[part] = curvature(self.model, z[part], self.x[part], at_once, c)

        if self.model.is_bound:
            self.streams.each(lambda b: evaluate(slice(b, b + 1)))
        else:
            for part in _slices(len(z), min(self.rows // _ROWS_OF_A_GRADIENT, self.directions // (JACOBIANS * D))):
                evaluate(part)
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            (of_prior,) = torch.autograd.grad(self.model.prior().log_prob(at).sum(), at, create_graph=True)
        gradient += of_prior.detach()
        directions = torch.eye(D, dtype=z.dtype, device=z.device).unsqueeze(1).expand(-1, *z.shape)
        H -= pull(of_prior, at, directions).transpose(0, 1)
        return gradient, H

    def bend(self, z: Tensor) -> Tensor:
        """Return the decoder's own curvature ``(B, D, D)``, which :meth:`linearise` leaves out, for z ``(B, D)``."""

        def evaluate(z: Tensor, x: Tensor, c: Tensor | None) -> tuple[Tensor]:
            return (bend(self.model, z[0], x, c).unsqueeze(0),)

        (found,) = self._in_chunks(evaluate, z.unsqueeze(0), self.rows // (2 * _ROWS_OF_A_GRADIENT))
        return found[0]

    def _score(self, z: Tensor, x: Tensor, c: Tensor | None) -> Tensor:
        # The plate stands outside "data", so every site gets a leading dimension of particles.
        with local_parameters(self.model), pyro.plate("particles", len(z), dim=-2):
            trace = poutine.trace(poutine.condition(self.model, {"z": z})).get_trace(*present(x, c))
        return distribution_at(trace, "z").log_prob(z) + distribution_at(trace, "x").log_prob(x)

    def _in_chunks(
        self, evaluate: Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, ...]], z: Tensor, rows: int
    ) -> tuple[Tensor, ...]:
        """Evaluate for z ``(k, B, D)``, with at most ``rows`` of the k B rows at once."""
        k, B = z.shape[:2]
        found: list[Tensor] = []

        def fill(data: slice, some: slice) -> None:
            values = evaluate(z[some, data], self.x[data], rows_of(self.c, data))
            # The results are allocated first: small tensors that are made between large ones would keep
            # the allocator from giving the same memory to the next chunk.
            if not found:
                found.extend(value.new_empty(k, B, *value.shape[2:]) for value in values)
            for whole, value in zip(found, values, strict=True):
                whole[some, data] = value

        def fill_datum(b: int) -> None:
            for some in _slices(k, NOISY_ROWS):
                fill(slice(b, b + 1), some)

        if self.model.is_bound:
            self.streams.each(fill_datum)
        else:
            for data in _slices(B, rows):
                for some in _slices(k, rows // len(self.x[data])):
                    fill(data, some)
        return tuple(found)


def _slices(total: int, at_most: int) -> Iterator[slice]:
    """Return slices that cover ``total`` items, each of at most ``at_most`` items and at least 1."""
    size = max(1, at_most)
    return (slice(start, start + size) for start in range(0, total, size))
