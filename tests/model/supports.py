"""Where families live: data to draw, edges, what lies without, and quadrature."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.special
import torch


@dataclass(frozen=True)
class Support:
    """Where a family lives, in its own units.

    ``draw`` makes data of uniform numbers in (0, 1), ``far`` moves them into the tails, ``edges`` are within and
    ``wrong`` is without, and ``nodes`` is a double-exponential quadrature: points and weights.
    """

    draw: Callable
    edges: tuple
    wrong: tuple
    nodes: Callable | None = None
    far: Callable = lambda u: u


def quadrature(x, slope):
    """Return a function that gives points x(s) and weights x′(s) ds, s evenly spaced."""

    def nodes(half=4.0, count=8001):
        s = np.linspace(-half, half, count)
        return x(s), slope(s) * (s[1] - s[0])

    return nodes


def _far(u):
    return u * torch.tensor([1.0, -1.0, 0.0, 50.0, -50.0, 1000.0]).reshape(-1, 1, 1)


def _edges(u):
    u[:2], u[2:4] = 0.0, 1.0
    return u


def _near_edges(u):
    u[:2], u[2:4] = 1e-6, 1 - 1e-6
    return u


def _unit(s):
    return scipy.special.expit(np.pi * np.sinh(s))


def _unit_slope(s):
    return np.pi * np.cosh(s) * _unit(s) * _unit(-s)


SUPPORTS = {
    "real": Support(
        lambda p: 6 * p + 0.5,
        (-1e30, 1e30),
        (),
        quadrature(
            lambda s: np.sinh(np.pi / 2 * np.sinh(s)),
            lambda s: np.pi / 2 * np.cosh(s) * np.cosh(np.pi / 2 * np.sinh(s)),
        ),
        _far,
    ),
    "unit": Support(lambda p: p, (0.0, 1.0), (-1e-3, 1.001), quadrature(_unit, _unit_slope), _edges),
    "open": Support(
        lambda p: p, (1e-6, 1 - 1e-6), (0.0, 1.0, -1e-3, 1.001), quadrature(_unit, _unit_slope), _near_edges
    ),
    "positive": Support(
        lambda p: 6 * p + 0.5,
        (1e-6, 1e3),
        (0.0, -1.0),
        quadrature(
            lambda s: np.exp(np.pi / 2 * np.sinh(s)), lambda s: np.pi / 2 * np.cosh(s) * np.exp(np.pi / 2 * np.sinh(s))
        ),
        lambda u: u * torch.tensor([1.0, 1e-6, 1e-3, 0.1, 3.0, 10.0]).reshape(-1, 1, 1),
    ),
    "counts": Support(
        lambda p: (12 * p).floor(),
        (0.0, 1e5),
        (-1.0, 0.5),
        None,
        lambda u: u * torch.tensor([0.0, 1.0, 10.0, 1e3, 1e5, 1e6]).reshape(-1, 1, 1),
    ),
    "circle": Support(
        lambda p: 2 * np.pi * (p - 0.5),
        (-np.pi, np.pi),
        (-3.2, 3.2),
        quadrature(lambda s: 2 * np.pi * (_unit(s) - 0.5), lambda s: 2 * np.pi * _unit_slope(s)),
    ),
}


SUPPORTS["zero or positive"] = dataclasses.replace(
    SUPPORTS["positive"],
    draw=lambda p: torch.where(p < 0.2, 0.0, 6 * p + 0.5),
    edges=(0.0, 1e-6, 1e3),
    wrong=(-1.0,),
)


def levels(count):
    return Support(lambda p: (count * p).floor(), (0.0, count - 1.0), (-1.0, 0.5, float(count)))
