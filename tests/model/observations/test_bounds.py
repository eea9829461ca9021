"""Families between two bounds: digits next to the upper one, and draws that stay inside."""

import math

import mpmath as mp
import pyro
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference import flushing_denormals
from obsvae.model import Measure, make_observation
from obsvae.model.exact import Between, Kumaraswamy, UnitInterval
from tests.model.cases import stub

BOUNDS = [None, (0.0, 255.0), (3.0, 5.0), (-1000.0, 1.0), (1e5, 1e5 + 1), (0.1, 0.3), (-1e-3, 1e-3)]
OPEN = [
    "beta:concentration",
    "kumaraswamy:concentration",
    "logit-normal:scale",
    "transformed:transform=logit,inner=normal,scale",
]
ON_UNIT_INTERVAL = [*OPEN, "truncated-normal:scale", "continuous-bernoulli:limit"]


def beta(eta, k, u, rest):
    a, b = k / (1 + mp.exp(-eta)), k / (1 + mp.exp(eta))
    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(k)
    return (a - 1) * mp.log(u) + (b - 1) * mp.log(rest) - log_beta


def kumaraswamy(eta, b, u, rest):
    a = mp.log(1 - mp.power(2, -1 / b)) / -mp.log1p(mp.exp(-eta))
    return mp.log(a * b) + (a - 1) * mp.log(u) + (b - 1) * mp.log(-mp.expm1(a * mp.log(u)))


def logit_normal(eta, sigma, u, rest):
    t = (mp.log(u) - mp.log(rest) - eta) / sigma
    return -t * t / 2 - mp.log(sigma * mp.sqrt(2 * mp.pi)) - mp.log(u) - mp.log(rest)


def truncated_normal(eta, sigma, u, rest):
    inside = mp.erf((1 - eta) / sigma / mp.sqrt(2)) / 2 + mp.erf(eta / sigma / mp.sqrt(2)) / 2
    return -(((u - eta) / sigma) ** 2) / 2 - mp.log(sigma * mp.sqrt(2 * mp.pi) * inside)


def continuous_bernoulli(eta, limit, u, rest):
    return mp.log(eta / -mp.expm1(-eta)) - eta * rest


DENSITIES = {
    "beta:concentration": (beta, 0.3),
    "kumaraswamy:concentration": (kumaraswamy, 0.3),
    "logit-normal:scale": (logit_normal, 0.5),
    "transformed:transform=logit,inner=normal,scale": (logit_normal, 0.5),
    "truncated-normal:scale": (truncated_normal, 0.01),
    "continuous-bernoulli:limit": (continuous_bernoulli, 1e9),
}


@pytest.mark.parametrize("bounds", BOUNDS[1:], ids=str)
@pytest.mark.parametrize("spec", ON_UNIT_INTERVAL)
def test_the_density_keeps_its_digits_next_to_the_upper_bound(spec, bounds):
    log_density, parameter = DENSITIES[spec]
    observation = make_observation(f"{spec}={parameter}", stub((1,), bounds))
    low, high = torch.tensor(bounds)
    # Numbers in a row below the bound, and a few further away
    x = [high.nextafter(low)]
    for _ in range(5):
        x.append(x[-1].nextafter(low))
    x = torch.stack([*x, *(high - part * (high - low) for part in (0.01, 0.2, 0.7))]).reshape(-1, 1)
    eta = {"continuous-bernoulli:limit": 1e5, "truncated-normal:scale": 1.0}.get(spec, 5.0)
    observation.check(x)
    found = observation(torch.full((len(x), 1, 1), eta)).log_prob(x)
    with mp.workdps(60):
        exact_low, exact_high = mp.mpf(low.item()), mp.mpf(high.item())
        width, k = exact_high - exact_low, mp.mpf(torch.tensor(parameter).item())
        for one, value in zip(x.flatten().tolist(), found.flatten().tolist(), strict=True):
            u, rest = (mp.mpf(one) - exact_low) / width, (exact_high - mp.mpf(one)) / width
            right = float(log_density(mp.mpf(eta), k, u, rest) - mp.log(width))
            assert value == pytest.approx(right, rel=1e-5, abs=2e-5), one


@pytest.mark.parametrize("is_flushed", [False, True], ids=["plain", "flushed"])
@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("spec", [*ON_UNIT_INTERVAL, "mixture:components=2,inner=beta,concentration"])
def test_draws_lie_inside_the_support_and_have_a_density(spec, bounds, is_flushed):
    pyro.set_rng_seed(0)
    for parameter in (1e-3, 0.05, 1.0, 30.0, 1e3):
        observation = make_observation(f"{spec}={parameter}", None if bounds is None else stub((1,), bounds))
        outputs = observation.outputs
        eta = torch.tensor([-88.0, -17.0, -3.0, 0.0, 3.0, 17.0, 80.0]).reshape(-1, 1, 1).expand(-1, 1, outputs)
        if is_flushed:
            with flushing_denormals():
                x = observation(eta).sample((200,))
                value = observation(eta).log_prob(x)
        else:
            x = observation(eta).sample((200,))
            value = observation(eta).log_prob(x)
        observation.check(x.reshape(-1, 1))
        # Of the draws that belong to the bound, the next number within may be too far out for float32's exponents.
        is_held = value.isfinite() | ((eta[..., 0].abs() > 50.0) & (value == -math.inf))
        assert is_held.all(), parameter
        assert (value.isfinite() | (eta[..., 0].abs() > 50.0)).all(), parameter


@pytest.mark.parametrize("spec", ["weibull:concentration=0.05", "log-normal:scale=40", "gamma:concentration=0.001"])
def test_positive_draws_do_not_underflow_to_0(spec):
    pyro.set_rng_seed(0)
    observation = make_observation(spec)
    eta = torch.full((4000, 1, 1), -5.0)
    x = observation(eta).sample()
    assert (x > 0).all()
    inside = x[torch.isfinite(x)]
    assert observation(eta[: len(inside)]).log_prob(inside.reshape(-1, 1)).isfinite().all()


@pytest.mark.parametrize("concentration", [(0.5, 0.2), (30.0, 2.0), (1e-3, 2e-3), (1e6, 3e6)])
def test_beta_draws_have_the_mean_and_the_variance(concentration):
    pyro.set_rng_seed(0)
    a, b = concentration
    eta = torch.full((20_000, 1, 1), math.log(a / b))
    x = make_observation(f"beta:concentration={a + b}")(eta).sample().double()
    mean = a / (a + b)
    variance = mean * (1 - mean) / (a + b + 1)
    assert x.mean().item() == pytest.approx(mean, abs=4 * math.sqrt(variance / len(x)))
    fourth = (x - mean).pow(4).mean().item() / variance**2
    assert x.var().item() == pytest.approx(variance, rel=4 * math.sqrt((fourth - 1) / len(x)))


def test_a_value_next_to_a_bound_is_inside_and_the_bound_is_not():
    low, high = torch.tensor([-1000.0, 1.0])
    next_to_it = high.nextafter(low)
    assert (next_to_it - low) / (high - low) == 1.0  # in float32
    for spec in OPEN:
        observation = make_observation(f"{spec}=0.5", stub((1,), (-1000.0, 1.0)))
        x = torch.stack([next_to_it, low.nextafter(high), torch.tensor(-3.0), torch.tensor(-500.0)]).reshape(-1, 1)
        observation.check(x)
        assert observation.initialise(x).isfinite().all()
        for bound in (low, high):
            with pytest.raises(UsageError, match="strictly between 0 and 1"):
                observation.check(bound.reshape(1, 1))
    for spec in ("continuous-bernoulli", "truncated-normal"):
        for bounds in ((-1000.0, 1.0), (0.1, 0.3)):
            observation, (low, high) = make_observation(spec, stub((1,), bounds)), torch.tensor(bounds)
            observation.check(torch.stack([low, high]).reshape(-1, 1))
            for beyond in (low.nextafter(low - 1), high.nextafter(high + 1)):
                with pytest.raises(UsageError, match="in \\[0, 1\\]"):
                    observation.check(beyond.reshape(1, 1))


def test_a_family_that_takes_x_alone_is_carried_to_bounds_too():
    observation = make_observation("normal:link=sigmoid,scale=0.1", stub((1,), (3.0, 5.0)))
    p = observation(torch.zeros(1, 1))
    assert not isinstance(p, Between)
    assert p.log_prob(torch.tensor([4.0])).item() == pytest.approx(-math.log(0.2 * math.sqrt(2 * math.pi)))
    assert observation.measure is Measure.LEBESGUE


def test_bounds_are_not_among_the_weights():
    observation = make_observation("beta", stub((1,), (3.0, 5.0)))
    assert "transform.high" not in observation.state_dict()
    assert isinstance(observation(torch.zeros(1, 1)), Between)
    assert isinstance(observation(torch.zeros(1, 1)).base_dist, UnitInterval)
    assert type(observation(torch.zeros(1, 1)).expand((2, 1))) is Between


@pytest.mark.parametrize("log_a", [-650.0, -90.0, -18.0, -10.0, 0.0, 5.0, 100.0])
@pytest.mark.parametrize("b", [1e-3, 0.3, 1.0, 50.0, 1000.0])
def test_the_mean_of_a_kumaraswamy_variable_where_a_underflows(log_a, b):
    log_a, b = (torch.tensor(v, dtype=torch.float64) for v in (log_a, b))
    found = Kumaraswamy(torch.exp(log_a), b, log_a).mean.item()
    with mp.workdps(500):
        a, b = mp.exp(mp.mpf(log_a.item())), mp.mpf(b.item())
        right = b * mp.exp(mp.loggamma(1 + 1 / a) + mp.loggamma(b) - mp.loggamma(1 + 1 / a + b))
    assert found == pytest.approx(float(right), rel=1e-9, abs=1e-300)
