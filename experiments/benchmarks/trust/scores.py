"""log p(x, z) for many z at once, within a bound on the memory; sums are in double precision."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from obsvae.model import VAE

# Numbers that a chunk holds at once.
_NUMBERS = 500_000
# Stands for log 0 in sums, of which a product with 0 is 0.
_LOG_ZERO = -1e6


def score_one(model: VAE, z: Tensor, datum: Tensor) -> Tensor:
    """Return log p(x, z) of one datum ``(*event)`` for z ``(P, D)``, ``(P,)``."""
    return torch.cat([_log_joint(model, some, datum) for some in z.split(_at_once(model, datum))])


def slope_of_one(model: VAE, z: Tensor, datum: Tensor) -> Tensor:
    """Return the slope Σ |∂ log p(x, z) / ∂ z_d| of one datum for z ``(P, D)``, ``(P,)``; 0 where log p is −inf."""
    slopes = list[Tensor]()
    for some in z.split(_at_once(model, datum)):
        with torch.enable_grad():
            at = some.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(_log_joint(model, at, datum).sum(), at)
        slopes.append(gradient.nan_to_num(0.0).abs().sum(-1))
    return torch.cat(slopes)


def _log_joint(model: VAE, z: Tensor, datum: Tensor) -> Tensor:
    dtype = _dtype_of(model)
    log_p_x = model.given(z.to(dtype)).log_prob(datum.to(dtype).expand(len(z), *datum.shape))
    return log_p_x.double().flatten(1).sum(1) + _log_prior(z)


def _at_once(model: VAE, datum: Tensor) -> int:
    return max(1, _NUMBERS // (datum.numel() * model.decoder.outputs))


def score_all(model: VAE, z: Tensor, x: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Give log p(x, z) of all data ``(N, *event)`` for chunks of z ``(G, D)``: where each starts, and ``(g, N)``.

    Data on a grid have few values: each feature's log-probability is looked at once for each value, and a datum's is a
    product with zeros and ones.
    """
    dtype = _dtype_of(model)
    values, codes = x.unique(return_inverse=True)
    # As many log-probabilities of each feature for a z as there are data, or values.
    is_few = len(values) < len(x)
    looked_at = values.view(-1, *[1] * (x.ndim - 1)).expand(-1, *x.shape[1:]) if is_few else x
    has = torch.nn.functional.one_hot(codes.flatten(1), len(values)).to(dtype).mT.flatten(1) if is_few else None
    at_once = max(1, _NUMBERS // (x[0].numel() * max(model.decoder.outputs, len(looked_at))))
    for start in range(0, len(z), at_once):
        some = z[start : start + at_once]
        p_x = model.given(some.to(dtype))
        value = looked_at.to(dtype).unsqueeze(1).expand(-1, len(some), *x.shape[1:])  # (V or N, g, *event)
        log_p = p_x.log_prob(value).flatten(2)
        if has is None:
            told = log_p.double().sum(-1).mT
        else:
            told = (log_p.clamp_min(_LOG_ZERO).transpose(0, 1).flatten(1) @ has.mT).double()
        yield start, told + _log_prior(some).unsqueeze(1)


def _log_prior(z: Tensor) -> Tensor:
    """Return log N(z; 0, I) in double precision."""
    return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2.0 * math.pi))


def _dtype_of(model: VAE) -> torch.dtype:
    return next(model.decoder.parameters()).dtype
