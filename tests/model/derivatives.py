"""Derivatives of elementwise functions, by central differences."""

from collections.abc import Callable

import torch
from torch import Tensor

STEP = 1e-6


def assert_differentiable_twice(function: Callable[[Tensor], Tensor], eta: Tensor) -> None:
    """Compare the first and the second derivatives of an elementwise function with central differences.

    As no element depends on another's outputs, one difference for each output of the decoder serves all elements at
    once, where torch's ``gradgradcheck`` takes one for each element.

    Args:
        function: of eta ``(*batch, outputs)``, elementwise ``(*batch)``.
        eta: where, float64.
    """
    eta = eta.detach().requires_grad_()
    value = function(eta)
    weights = 0.5 + torch.rand(value.shape, generator=torch.Generator().manual_seed(0), dtype=value.dtype)

    def slope_at(at: Tensor, create_graph: bool = False) -> Tensor:
        return torch.autograd.grad(function(at), at, weights, create_graph=create_graph)[0]

    slope = slope_at(eta, create_graph=True)
    for k in range(eta.shape[-1]):
        step = torch.zeros(eta.shape[-1], dtype=eta.dtype)
        step[k] = STEP
        above, below = ((eta.detach() + sign * step).requires_grad_() for sign in (1, -1))
        difference = weights * (function(above) - function(below)).detach() / (2 * STEP)
        torch.testing.assert_close(slope[..., k].detach(), difference, rtol=1e-3, atol=1e-5)
        (curvature,) = torch.autograd.grad(slope[..., k].sum(), eta, retain_graph=True)
        difference = (slope_at(above) - slope_at(below)) / (2 * STEP)
        torch.testing.assert_close(curvature, difference, rtol=1e-3, atol=1e-5)
