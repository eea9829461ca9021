"""log p(x, z) of a batch of data as a function of z, with its gradient and curvature."""

import math
from collections.abc import Callable, Iterator
from functools import cached_property

import pyro
import torch
from pyro import poutine
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import distribution_at, posterior
from obsvae.local import local_parameters

# A backward pass keeps the activations of the forward pass, and makes as many gradients.
_ROWS_OF_A_GRADIENT = 3
# The Jacobian of the outputs is held twice, once weighted.
_JACOBIANS = 2
# The Fisher information is estimated from at least two draws of x, and from at least this many values of features.
_INFORMATION_VALUES = 256


class Joint:
    """The unnormalised posterior p(x, z) of each of B data, and the guide's q(z | x).

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(B, *event)`` in data units.
        rows: how many pairs (x, z) are scored at once, which bounds the memory.
        directions: how many z the decoder alone sees at once; by default as many.
    """

    def __init__(
        self, model: GenerativeModel, guide: AmortisedGuide, x: Tensor, rows: int, directions: int | None = None
    ) -> None:
        self.model, self.guide, self.x = model, guide, x
        self.rows, self.directions = rows, rows if directions is None else directions

    def __len__(self) -> int:
        """Return B."""
        return len(self.x)

    def select(self, which: Tensor) -> "Joint":
        """Return the joint of some of the data, by index ``(b,)``."""
        return Joint(self.model, self.guide, self.x[which], self.rows, self.directions)

    @cached_property
    def proposed(self) -> Distribution:
        """The guide's q(z | x): batch shape ``(B,)``, event shape ``(D,)``."""
        return posterior(self.guide, self.x)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p(x, z) in nats ``(k, B)`` for z ``(k, B, D)``."""
        (log_p,) = self._in_chunks(lambda z, x: (self._score(z, x),), z, self.rows)
        return log_p

    def gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return log p(x, z) ``(k, B)`` and its gradient in z ``(k, B, D)``, for z ``(k, B, D)``."""

        def evaluate(z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                log_p = self._score(z, x)
                (gradient,) = torch.autograd.grad(log_p.sum(), z)
            return log_p.detach(), gradient

        log_p, gradient = self._in_chunks(evaluate, z, self.rows // _ROWS_OF_A_GRADIENT)
        return log_p, gradient

    def linearise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return the gradient of log p(x, z) ``(B, D)`` and a curvature H ``(B, D, D)``, for z ``(B, D)``.

        .. math:: H = J^\top W J - \nabla^2 \log p(z), \qquad J = \frac{\partial \eta}{\partial z}, \qquad
                  W = \operatorname{E}_{x \sim p(x \mid \eta)} \big[ s s^\top \big], \qquad
                  s = \nabla_\eta \log p(x \mid \eta)

        W is the Fisher information of the observation about its outputs, estimated from draws of x. It is defined for
        every elementwise family and never negative, also where the log-density is not concave or has a kink.

        Reference: Martens, *New insights and perspectives on the natural gradient method*, JMLR 2020, section 8.
        """

        def log_prior(z: Tensor) -> Tensor:
            return self.model.prior().log_prob(z)

        draws = max(2, math.ceil(_INFORMATION_VALUES / self.x[0].numel()))
        at_once = self.rows // (_ROWS_OF_A_GRADIENT * (1 + draws))
        if few := self.model.decode(z[:1]).shape[-1] <= draws:
            at_once = min(at_once, self.directions // (_JACOBIANS * z.shape[-1]))
        gradient, H = torch.empty_like(z), z.new_empty(*z.shape, z.shape[-1])
        for part in _slices(len(z), at_once):
            gradient[part], H[part] = self._linearise(z[part], self.x[part], draws, few)
        gradient += torch.func.vmap(torch.func.grad(log_prior))(z)
        H -= torch.func.vmap(torch.func.jacrev(torch.func.grad(log_prior)))(z)
        return gradient, H

    def _score(self, z: Tensor, x: Tensor) -> Tensor:
        # The plate stands outside "data", so every site gets a leading dimension of particles.
        with local_parameters(self.model), pyro.plate("particles", len(z), dim=-2):
            trace = poutine.trace(poutine.condition(self.model, {"z": z})).get_trace(x)
        return distribution_at(trace, "z").log_prob(z) + distribution_at(trace, "x").log_prob(x)

    def _linearise(self, z: Tensor, x: Tensor, draws: int, few: bool) -> tuple[Tensor, Tensor]:
        """Return the likelihood's part of both; with few outputs per feature, by the whole Jacobian."""
        eta, pull = torch.func.vjp(self.model.decode, z)[:2]  # (B, *event, outputs)
        # u -> J^T u is linear, so its transpose is v -> J v. Unlike forward mode, which does so for each vmapped chunk
        # anew, this goes through the network for z itself once, and never multiplies by the zero tangents of weights.
        _, push = torch.func.vjp(lambda u: pull(u)[0], torch.zeros_like(eta))[:2]
        score = _score_of(self.model, eta, x)
        # Where the decoder overflows for one datum, torch would refuse to draw for any. Scores that are not finite, as
        # those of draws at the very edge of the support may be, count as 0.
        drawn = self.model.observe(torch.where(torch.isfinite(eta), eta, 0.0)).sample(torch.Size((draws,)))
        scores = _score_of(self.model, eta.expand(draws, *eta.shape), drawn).nan_to_num(0.0, 0.0, 0.0)
        score, scores = score.flatten(1, -2), scores.flatten(2, -2) / draws**0.5  # (B, F, O), (M, B, F, O)

        def along(direction: Tensor) -> Tensor:
            return push(direction.expand_as(z))[0].flatten(1, -2)

        directions = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        chunks = list(_slices(len(directions), self.directions // (len(z) * _JACOBIANS)))
        if few:
            pieces = [torch.func.vmap(along)(directions[chunk]) for chunk in chunks]
            J = (pieces[0] if len(pieces) == 1 else torch.cat(pieces)).transpose(0, 1)  # (B, D, F, O)
            information = torch.einsum("mbfo,mbfp->bfop", scores, scores)
            weighted = (
                J * information.flatten(-2).unsqueeze(1)
                if score.shape[-1] == 1
                else torch.einsum("bdfo,bfop->bdfp", J, information)
            )
            J = J.flatten(2)
            return (J @ score.flatten(1).unsqueeze(-1)).squeeze(-1), J @ weighted.flatten(2).mT
        # With many outputs neither J nor W is ever held: J^T times each score is the gradient, and a root of J^T W J.
        several = torch.cat([score[None], scores])  # (1 + M, B, F, O)
        root = z.new_empty(len(several), len(z), len(directions), score.shape[1])  # (1 + M, B, D, F)
        for chunk in chunks:
            moved = torch.func.vmap(along)(directions[chunk])  # (d, B, F, O)
            root[:, :, chunk] = torch.einsum("dbfo,mbfo->mbdf", moved, several)
        A = root[1:].permute(1, 2, 0, 3).flatten(2)  # (B, D, M F)
        return root[0].sum(-1), A @ A.mT

    def _in_chunks(
        self, evaluate: Callable[[Tensor, Tensor], tuple[Tensor, ...]], z: Tensor, rows: int
    ) -> tuple[Tensor, ...]:
        """Evaluate for z ``(k, B, D)``, with at most ``rows`` of the k B rows at once."""
        k, B = z.shape[:2]
        found: tuple[Tensor, ...] = ()
        for data in _slices(B, rows):
            x = self.x[data]
            for some in _slices(k, rows // len(x)):
                values = evaluate(z[some, data], x)
                # The results are allocated first: small tensors that are made between large ones would keep
                # the allocator from giving the same memory to the next chunk.
                found = found or tuple(value.new_empty(k, B, *value.shape[2:]) for value in values)
                for whole, value in zip(found, values, strict=True):
                    whole[some, data] = value
        return found


def _slices(total: int, at_most: int) -> Iterator[slice]:
    """Return slices that cover ``total`` items, each of at most ``at_most`` items and at least 1."""
    size = max(1, at_most)
    return (slice(start, start + size) for start in range(0, total, size))


def _score_of(model: GenerativeModel, eta: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of log p(x | eta) in eta."""
    with torch.enable_grad():
        eta = eta.detach().requires_grad_()
        (score,) = torch.autograd.grad(model.observe(eta).log_prob(x).sum(), eta)
    return score
