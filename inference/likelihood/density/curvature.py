"""Gradient and curvature of log p(x | z) in z, by the Jacobian of the decoder's outputs."""

import torch
from torch import Tensor

from obsvae.inference.protocols import GenerativeModel

# The Jacobian of the outputs is held twice, once weighted.
JACOBIANS = 2
# A second derivative of the outputs makes some more copies of them.
_SECOND_DERIVATIVES = 4
# Outputs per feature up to which the blocks of the curvature are held.
_FEW_OUTPUTS = 8
# Share of its diagonal that a block may lack to be positive definite.
_ROUNDING = 1e-4


def curvature(
    model: GenerativeModel, z: Tensor, x: Tensor, at_once: int, c: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    r"""Return the gradient of log p(x | z) ``(B, D)`` and a curvature H ``(B, D, D)``, for z ``(B, D)``.

    .. math:: H = J^\top W J, \qquad J = \frac{\partial \eta}{\partial z}, \qquad
              W = -\nabla_\eta^2 \log p(x \mid \eta)

    The decoder's own curvature is left out, as Gauss and Newton do. W is a block for each feature. Where a block is
    negative in some direction, as where the log-density is not concave or has a kink, its diagonal takes its place, and
    the squared score that of a diagonal entry that is not positive: the Fisher information in expectation.

    Args:
        model: the generative model.
        z: latents.
        x: data ``(B, *event)``.
        at_once: number of directions of z that are followed at once, which bounds the memory.
        c: conditions ``(B, C)``; None where there are none.

    References: Nocedal and Wright, *Numerical optimization*, 2006, section 10.3; Martens, *New insights and
    perspectives on the natural gradient method*, JMLR 2020, section 8.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        eta = model.decode(z, c)  # (B, *event, O)
        # u -> J^T u is linear, so its transpose is v -> J v. Unlike forward mode, which does so for each batch of v
        # anew, this goes through the network for z itself once, and never multiplies by the zero tangents of weights.
        u = torch.zeros_like(eta).requires_grad_()
        pulled = pull(eta, z, u.unsqueeze(0), create_graph=True)[0]
    eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    many = eta.shape[-1] > _FEW_OUTPUTS
    directions = [
        some.unsqueeze(1).expand(-1, *z.shape)
        for some in eye.split(max(1, at_once // _SECOND_DERIVATIVES if many else at_once))
    ]
    if many:
        # Neither J nor W is held: a row of H is J^T (W (J v)).
        with torch.enable_grad():
            at = eta.detach().requires_grad_()
            (score,) = torch.autograd.grad(model.observe(at).log_prob(x).sum(), at, create_graph=True)
        rows = [-pull(eta, z, pull(score, at, pull(pulled, u, some)).nan_to_num(0.0, 0.0, 0.0)) for some in directions]
        H = torch.cat(rows).transpose(0, 1)
        return pull(eta, z, score.detach().unsqueeze(0))[0], (H + H.mT) / 2
    pieces = [pull(pulled, u, some).flatten(2, -2) for some in directions]
    J = (pieces[0] if len(pieces) == 1 else torch.cat(pieces)).transpose(0, 1)  # (B, D, F, O)
    score_of, W = _score_and_blocks(model, eta, x)
    score_of, W = score_of.flatten(1, -2), W.flatten(1, -3)
    weighted = J * W.squeeze(-1).unsqueeze(1) if J.shape[-1] == 1 else torch.einsum("bdfo,bfop->bdfp", J, W)
    J = J.flatten(2)
    return (J @ score_of.flatten(1).unsqueeze(-1)).squeeze(-1), J @ weighted.flatten(2).mT


def pull(value: Tensor, at: Tensor, along: Tensor, *, create_graph: bool = False) -> Tensor:
    r"""Return :math:`(\partial y / \partial a)^\top u`, for n directions u side by side.

    By autograd and not by ``torch.func``, which would load torch's compiler for seconds.

    Args:
        value: y, as it was computed from a.
        at: a.
        along: u ``(n, *y)``.
        create_graph: whether the result is to be differentiated in its turn.
    """
    if value.requires_grad:
        (found,) = torch.autograd.grad(
            value, at, along, retain_graph=True, create_graph=create_graph, allow_unused=True, is_grads_batched=True
        )
        if found is not None:
            return found
    return at.new_zeros(len(along), *at.shape)


def bend(model: GenerativeModel, z: Tensor, x: Tensor, c: Tensor | None = None) -> Tensor:
    r"""Return the part of the curvature of log p(x | z) that is the decoder's own ``(B, D, D)``, for z ``(B, D)``.

    .. math:: -\sum_i \frac{\partial \log p(x \mid \eta)}{\partial \eta_i} \nabla_z^2 \eta_i(z)

    With H of :func:`curvature` it makes the whole of it, where no block of W was replaced. It may be negative. Where
    the decoder turns, as at the top of a sine, there is no other.

    Args:
        model: the generative model.
        z: latents.
        x: data ``(B, *event)``.
        c: conditions ``(B, C)``; None where there are none.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        eta = model.decode(z, c)
        (score,) = torch.autograd.grad(model.observe(eta).log_prob(x).sum(), eta, retain_graph=True)
        (slope,) = torch.autograd.grad((score * eta).sum(), z, create_graph=True)
        rows = [_derivative(slope[:, d], z) for d in range(z.shape[-1])]
    found = -torch.stack(rows, -1).nan_to_num(0.0, 0.0, 0.0)
    return (found + found.mT) / 2


def _score_and_blocks(model: GenerativeModel, eta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of log p(x | eta) in eta ``(B, *event, O)``, and W ``(B, *event, O, O)``."""
    with torch.enable_grad():
        eta = eta.detach().requires_grad_()
        (score,) = torch.autograd.grad(model.observe(eta).log_prob(x).sum(), eta, create_graph=True)
        columns = [_derivative(score[..., output], eta) for output in range(eta.shape[-1])]
    score = score.detach()
    W = -torch.stack(columns, -1).nan_to_num(0.0, 0.0, 0.0)
    diagonal = W.diagonal(dim1=-2, dim2=-1)
    diagonal = torch.where(diagonal > 0, diagonal, score.square().nan_to_num(0.0, 0.0, 0.0))
    if W.shape[-1] == 1:
        return score, diagonal.unsqueeze(-1)
    # A block may be singular, but for rounding not negative.
    failed = torch.linalg.cholesky_ex(W + _ROUNDING * torch.diag_embed(diagonal))[1] > 0
    return score, torch.where(failed[..., None, None], torch.diag_embed(diagonal), W)


def _derivative(value: Tensor, eta: Tensor) -> Tensor:
    """Return the derivative of the sum of a value; 0 where it does not depend on eta, as beside the kink of Laplace."""
    if not value.requires_grad:
        return torch.zeros_like(eta)
    (found,) = torch.autograd.grad(value.sum(), eta, retain_graph=True, materialize_grads=True)
    return found
