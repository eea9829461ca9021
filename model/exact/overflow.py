"""Exponentials that may overflow."""

import math

import torch
from torch import Tensor


def exp_or_inf(t: Tensor, factor: Tensor | float = 1.0) -> Tensor:
    """Return a positive factor · exp(t), whose slopes are 0 where the exponential overflows.

    The slope of ``torch.exp`` is infinite there, and no number where the result counts for nothing in what follows,
    such as a component of a mixture that has no share of x: 0 · ∞.
    """
    is_over = t > math.log(torch.finfo(t.dtype).max)
    return torch.where(is_over, torch.inf, factor * torch.exp(torch.where(is_over, 0.0, t)))


def draw_poisson(rate: Tensor) -> Tensor:
    """Return draws from Poisson distributions, elementwise; from rates of 2⁶² on, the rate.

    torch draws 64-bit integers, which overflow to negative numbers. The standard deviation of such draws is at most
    5e-10 of their rate, which float32 cannot tell.
    """
    is_huge = rate >= 2.0**62
    return torch.where(is_huge, rate, torch.poisson(torch.where(is_huge, 0.0, rate)))
