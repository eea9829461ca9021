"""Parts that overflow and count for nothing: their slopes are 0, and the whole has its two derivatives."""

import itertools
import math

import numpy as np
import pyro
import pytest
import torch
from torch.autograd.functional import hessian

from obsvae.data import load
from obsvae.model import exact, make_observation

rng = np.random.default_rng(0)
POSITIVE = (10 * np.exp(0.3 * rng.normal(size=(60, 1)))).astype(np.float32)
UNIT = rng.uniform(0.2, 0.8, (60, 1)).astype(np.float32)
COUNTS = rng.poisson(4.0, (60, 1)).astype(np.float32)
REAL = rng.normal(size=(60, 1)).astype(np.float32)
INNER = {
    "normal": REAL,
    "laplace": REAL,
    "logistic": REAL,
    "student-t": REAL,
    "normal,scale=decoder": REAL,
    "log-normal": POSITIVE,
    "gamma": POSITIVE,
    "gamma,concentration=decoder": POSITIVE,
    "weibull": POSITIVE,
    "weibull,concentration=decoder": POSITIVE,
    "beta": UNIT,
    "kumaraswamy": UNIT,
    "logit-normal": UNIT,
    "truncated-normal": UNIT,
    "continuous-bernoulli": UNIT,
    "poisson": COUNTS,
    "negative-binomial": COUNTS,
}
FAR = [-1e6, -1e3, -100.0, -30.0, 0.0, 30.0, 89.0, 100.0, 1e3, 1e6]


def made(spec, x):
    bounds = {"bounds": (0.0, 1.0)} if x is UNIT else {}
    data = load(x, **bounds)
    observation = make_observation(spec, data)
    return observation, observation.initialise(data.train).detach(), data.train[:5]


def slopes(observation, eta, x):
    eta = eta.clone().requires_grad_()
    with pyro.validation_enabled(False):
        value = observation(eta).log_prob(x)
        return value.detach(), torch.autograd.grad(value.sum(), eta)[0]


@pytest.mark.parametrize("inner", INNER)
def test_a_component_that_overflows_has_no_slope(inner):
    observation, start, x = made(f"mixture:components=2,inner={inner}", INNER[inner])
    counted = 0
    # One component stays where it is; each output of the other goes far out.
    of_one = (start.shape[-1] - 2) // 2
    for output, far in itertools.product(range(2 + of_one, 2 + 2 * of_one), FAR):
        eta = start.expand(len(x), *start.shape).clone()
        eta[..., output] = far
        value, slope = slopes(observation, eta, x)
        assert value.isfinite().all(), (output, far)
        assert slope.isfinite().all(), (output, far)
        counted += int((slope[..., output] == 0).sum())
    assert counted or inner in {"normal", "laplace", "logistic", "student-t", "normal,scale=decoder"}


@pytest.mark.parametrize("inner", [name for name, x in INNER.items() if x is POSITIVE or x is COUNTS])
def test_zeros_have_slopes_wherever_the_rest_is(inner):
    x = INNER[inner].copy()
    x[::3] = 0
    observation, start, x = made(f"zero-inflated:inner={inner}", x)
    x = torch.zeros_like(x)
    for output, far in itertools.product(range(1, start.shape[-1]), FAR):
        eta = start.expand(len(x), *start.shape).clone()
        eta[..., output] = far
        value, slope = slopes(observation, eta, x)
        assert value.isfinite().all(), (output, far)
        assert slope.isfinite().all(), (output, far)


# Second derivatives in (ℓ, log λ) in closed form: of log(π + (1 − π) e^−λ) at 0, where e^−λ is nothing beside π, and
# of log (1 − π) + log Poisson(x; λ) elsewhere.
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("x", "log_rate"), [(0.0, 5.0), (0.0, 8.0), (3.0, 5.0), (100.0, 2.0), (300.0, 3.0), (7.0, 40.0)]
)
def test_zero_inflated_counts_have_second_derivatives(x, log_rate, dtype):
    observation, _, _ = made("zero-inflated:inner=poisson", COUNTS)
    eta = torch.tensor([[0.0, log_rate]], dtype=dtype)
    found = hessian(lambda e: observation(e).log_prob(torch.tensor([x], dtype=dtype)).sum(), eta)[0, :, 0]
    rate = 0.0 if x == 0 else math.exp(log_rate)
    expected = torch.tensor([[-0.25, 0.0], [0.0, -rate]], dtype=dtype)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_zeros_that_both_parts_explain_have_second_derivatives():
    observation, _, _ = made("zero-inflated:inner=poisson", COUNTS)
    for logit, log_rate in [(0.3, -1.0), (-2.0, 0.5), (4.0, -4.0), (-30.0, -2.0), (0.0, -40.0)]:
        eta = torch.tensor([[logit, log_rate]], dtype=torch.float64, requires_grad=True)
        x = torch.zeros(1, dtype=torch.float64)

        def log_p(e):
            pi = torch.sigmoid(e[0, 0])
            return torch.log(pi + torch.sigmoid(-e[0, 0]) * torch.exp(-torch.exp(e[0, 1])))

        value = observation(eta).log_prob(x).sum()
        torch.testing.assert_close(value, log_p(eta), rtol=1e-10, atol=1e-12)
        found = hessian(lambda e, x=x: observation(e).log_prob(x).sum(), eta.detach())
        torch.testing.assert_close(found, hessian(log_p, eta.detach()), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("spec", ["poisson", "negative-binomial", "zero-inflated:inner=poisson"])
def test_no_draw_of_counts_is_negative(spec):
    observation, start, _ = made(spec, COUNTS)
    for log_mean in (3.0, 40.0, 43.0, 44.0, 60.0, 88.0, 200.0):
        eta = start.expand(200, *start.shape).clone()
        eta[..., -1] = log_mean
        with pyro.validation_enabled(False):
            drawn = observation(eta).sample()
        assert (drawn >= 0).all(), log_mean
        assert not drawn.isnan().any()
        if spec == "poisson":
            mean = math.exp(log_mean) if log_mean < 88.5 else math.inf
            assert drawn.double().mean().item() == pytest.approx(mean, rel=0.05 if log_mean < 10 else 1e-6)


def test_the_mean_beside_zeros_alone_is_a_number():
    for inner in ("gamma", "log-normal", "weibull", "poisson", "negative-binomial"):
        observation, start, _ = made(f"zero-inflated:inner={inner}", COUNTS if "n" in inner[-2:] else POSITIVE)
        eta = start.clone()
        eta[..., 0], eta[..., 1] = 200.0, 100.0
        assert observation(eta).mean.eq(0).all(), inner
        assert observation.mean(eta).eq(0).all(), inner


def test_the_mean_of_a_mixture_leaves_out_what_has_no_share():
    observation, start, _ = made("mixture:components=2,inner=poisson", COUNTS)
    eta = start.clone()
    eta[..., :2], eta[..., 2], eta[..., 3] = torch.tensor([200.0, -200.0]), 1.0, 100.0
    for mean in (observation(eta).mean, observation.mean(eta)):
        torch.testing.assert_close(mean, torch.full_like(mean, math.e))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exponentials_that_overflow_have_no_slope(dtype):
    most = math.log(torch.finfo(dtype).max)
    t = torch.tensor([-math.inf, -3.0, 0.0, 80.0, most - 1, most + 1, 1e5, math.inf], dtype=dtype, requires_grad=True)
    value = exact.exp_or_inf(t)
    (slope,) = torch.autograd.grad(value.sum(), t)
    torch.testing.assert_close(value, torch.exp(t))
    torch.testing.assert_close(slope, torch.where(value.isfinite(), torch.exp(t), 0.0).detach())
