"""Likelihoods by quadrature, and the families that have one."""

import pyro
import pytest
import torch

from obsvae.model import Measure
from tests.model.cases import make_case
from tests.model.wrapped import EVERY

GRID = torch.linspace(-9, 9, 2001, dtype=torch.float64)
SPECS = [spec for spec in EVERY if make_case(spec, "own").observation.measure is not Measure.NONE]
FIRST_OF_EACH = set({spec.partition(":")[0]: spec for spec in reversed(SPECS)}.values())
# Estimates go by the log-density, whatever a family's options make of it: one of each family and wrapper is fast.
LIKELIHOODS = [pytest.param(spec, marks=() if spec in FIRST_OF_EACH else pytest.mark.slow) for spec in SPECS]


def by_quadrature(model, x):
    """Return log p(x) of data ``(N, *event)`` for one or two latent dimensions, by the trapezoidal rule."""
    D = model.prior.latent
    line = GRID if D == 1 else GRID[::5]
    z = torch.cartesian_prod(*[line] * D).view(-1, D)
    with torch.no_grad(), pyro.validation_enabled(False):
        p_x = model.given(z)
        log_p_x = torch.stack([p_x.log_prob(datum).flatten(1).sum(1) for datum in x])
        log_p = log_p_x + model.prior().log_prob(z)
    return (log_p.logsumexp(1) + D * (line[1] - line[0]).log()).numpy()
