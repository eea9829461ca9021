"""Every log-density is differentiated twice, exported and vectorised, without branches on numbers."""

import re

import pyro
import torch
from torch import nn

from tests.model.derivatives import assert_differentiable_twice


def test_differentiable_twice(case):
    eta, x = case.eta(2), case.x(2)
    eta[0, 0, 0, 0] = 0.0  # where series and links change hands
    with pyro.validation_enabled(False):
        assert_differentiable_twice(lambda e: case.observation(e).log_prob(x), eta)


def test_gradients_reach_every_parameter(case):
    eta, x = case.eta(2), case.x(2)
    for parameter in case.observation.parameters():
        (slope,) = torch.autograd.grad(case.observation(eta).log_prob(x).sum(), parameter)
        assert slope.isfinite().all()
        assert (slope != 0).all()


class LogDensity(nn.Module):
    def __init__(self, observation):
        super().__init__()
        self.observation = observation

    def forward(self, eta, x):
        return self.observation(eta).log_prob(x).sum()


def test_log_density_exports(case):
    module, args = LogDensity(case.observation), (case.eta(3), case.x(3))
    with pyro.validation_enabled(False):
        exported = torch.export.export(module, args, strict=False).module()
    for batch in (args, (case.eta(3, seed=5), case.x(3, seed=6))):  # other numbers, too: nothing is baked in
        torch.testing.assert_close(exported(*batch), module(*batch), rtol=1e-12, atol=0)


def test_log_density_composes_with_function_transforms(case):
    eta, x = case.eta(3), case.x(3)
    log_density = LogDensity(case.observation)
    with pyro.validation_enabled(False):
        slope = torch.vmap(torch.func.grad(log_density))(eta, x)
        value = torch.vmap(log_density)(eta, x)
    torch.testing.assert_close(value, case.observation(eta).log_prob(x).sum((1, 2)))
    eta.requires_grad_()
    (truth,) = torch.autograd.grad(log_density(eta, x), eta)
    torch.testing.assert_close(slope, truth)


EXTREME = [0.0, 17.0, -17.0, 50.0, -50.0, 85.0, -85.0, 0.1]


def test_gradients_stay_finite_in_float32_far_out(case):
    # The decoder of a saturated pixel. Far below a datum the log-density of these two is itself beyond float32.
    innermost = re.split("[:,]", case.spec.rpartition("inner=")[2])[0]
    reach = {"weibull": 0.2, "gamma": 0.5}.get(innermost, 1.0)
    eta = torch.full((3, 2, 4, case.family.outputs), 0.3)
    eta[..., list(case.family.locations)] = reach * torch.tensor(EXTREME).reshape(2, 4, 1)
    eta.requires_grad_()
    x = case.x(3).float()
    observation = case.observation.float()
    for flush in (False, True):
        torch.set_flush_denormal(flush)
        try:
            value = observation(eta).log_prob(x)
            (slope,) = torch.autograd.grad(value.sum(), eta)
        finally:
            torch.set_flush_denormal(False)
        assert value.isfinite().all(), flush
        assert slope.isfinite().all(), flush
