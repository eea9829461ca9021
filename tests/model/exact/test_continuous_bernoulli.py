"""The continuous Bernoulli distribution against mpmath, on and far from the places where closed forms cancel."""

import itertools

import mpmath as mp
import numpy as np
import pytest
import scipy.stats
import torch

from obsvae.model.exact import ContinuousBernoulli

MAGNITUDES = (
    0, 1e-8, 1e-4, 0.01, 0.05, 0.0999, 0.1001, 0.3, 0.999, 1.001, 1.5, 3, 10, 16, 17, 40, 88, 90, 104, 300, 1e3, 1e4,
)  # fmt: skip
ETAS = sorted({sign * magnitude for magnitude in MAGNITUDES for sign in (-1, 1)})
XS = (0, 1e-30, 1e-6, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.9, 0.999, 1 - 2**-20, 1)
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-9}


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


def exact_moments(eta):
    """Return mean, variance and entropy."""
    if eta == 0:
        return mp.mpf(1) / 2, mp.mpf(1) / 12, mp.mpf(0)
    mean = 1 / (1 - mp.exp(-eta)) - 1 / eta
    # e^η / (e^η − 1)², symmetric in η
    variance = 1 / eta**2 - mp.exp(-abs(eta)) / mp.expm1(-abs(eta)) ** 2
    return mean, variance, -(eta * mean + mp.log(eta / mp.expm1(eta)))


def exact_log_prob(eta, x):
    return mp.mpf(0) if eta == 0 else eta * x + mp.log(eta / mp.expm1(eta))


def exact_cdf(eta, x):
    return x if eta == 0 else mp.expm1(eta * x) / mp.expm1(eta)


def exact_icdf(eta, u):
    return u if eta == 0 or u in (0, 1) else mp.log(1 + u * mp.expm1(eta)) / eta


def exact_cdf_slope(eta, x):
    if eta == 0:
        return x * (x - 1) / 2
    numerator = x * mp.exp(eta * x) * mp.expm1(eta) - mp.expm1(eta * x) * mp.exp(eta)
    return numerator / mp.expm1(eta) ** 2


def exact_icdf_slope(eta, u):
    if u in (0, 1):
        return mp.mpf(0)
    if eta == 0:
        return u * (1 - u) / 2
    return (u * mp.exp(eta) / (1 + u * mp.expm1(eta)) - exact_icdf(eta, u)) / eta


TRUTHS = {
    "log_prob": exact_log_prob,
    "cdf": exact_cdf,
    "icdf": exact_icdf,
    "mean": lambda eta, _: exact_moments(eta)[0],
    "variance": lambda eta, _: exact_moments(eta)[1],
    "entropy": lambda eta, _: exact_moments(eta)[2],
    "d log_prob / d eta": lambda eta, x: x - exact_moments(eta)[0],
    "d log_prob / d x": lambda eta, _: eta,
    "d² log_prob / d eta²": lambda eta, _: -exact_moments(eta)[1],
    "d cdf / d eta": exact_cdf_slope,
    "d icdf / d eta": exact_icdf_slope,
    "d mean / d eta": lambda eta, _: exact_moments(eta)[1],
}


def evaluate(quantity, eta, x):
    """Return the quantity as this implementation has it, elementwise."""
    p = ContinuousBernoulli(eta)
    match quantity:
        case "log_prob" | "cdf" | "icdf":
            return getattr(p, quantity)(x)
        case "mean" | "variance":
            return getattr(p, quantity)
        case "entropy":
            return p.entropy()
        case "d log_prob / d eta":
            return torch.autograd.grad(p.log_prob(x).sum(), eta)[0]
        case "d log_prob / d x":
            return torch.autograd.grad(p.log_prob(x).sum(), x)[0]
        case "d² log_prob / d eta²":
            (first,) = torch.autograd.grad(p.log_prob(x).sum(), eta, create_graph=True)
            return torch.autograd.grad(first.sum(), eta)[0]
        case "d mean / d eta":
            return torch.autograd.grad(p.mean.sum(), eta)[0]
        case _:
            return torch.autograd.grad(getattr(p, quantity.split()[1])(x).sum(), eta)[0]


@pytest.mark.parametrize("dtype", TOLERANCES, ids=["float32", "float64"])
@pytest.mark.parametrize("quantity", TRUTHS)
def test_agrees_with_mpmath(quantity, dtype):
    eta, x = torch.tensor(list(itertools.product(ETAS, XS)), dtype=dtype).unbind(-1)
    eta, x = eta.clone().requires_grad_(), x.clone().requires_grad_()
    values = evaluate(quantity, eta, x).tolist()
    worst, where = mp.mpf(-1), None
    for value, e, v in zip(values, eta.tolist(), x.tolist(), strict=True):
        truth = TRUTHS[quantity](mp.mpf(e), mp.mpf(v))
        error = abs(mp.mpf(value) - truth) / max(1, abs(truth))
        assert not mp.isnan(error), f"{quantity} is {value} at eta={e}, x={v}"
        if error > worst:
            worst, where = error, f"eta={e}, x={v}: {value} for {mp.nstr(truth, 12)}"
    assert worst <= TOLERANCES[dtype], where


def test_torch_freezes_where_this_one_is_exact():
    truth = float(exact_log_prob(mp.mpf(-60), mp.mpf(0)))
    assert truth == pytest.approx(4.094, abs=1e-3)
    logit, x = torch.tensor(-60.0, requires_grad=True), torch.tensor(0.0)
    frozen = torch.distributions.ContinuousBernoulli(logits=logit).log_prob(x)
    assert abs(frozen.item() - truth) > 1
    assert abs(torch.autograd.grad(frozen, logit)[0]) < 1e-20
    exact = ContinuousBernoulli(logit).log_prob(x)
    assert exact.item() == pytest.approx(truth, rel=1e-6)
    assert torch.autograd.grad(exact, logit)[0].item() == pytest.approx(-1 / 60, rel=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=["float32", "float64"])
@pytest.mark.parametrize("eta", [-300.0, -17.0, -1.0, -1e-3, 0.0, 0.09, 0.5, 3.0, 40.0, 1000.0])
def test_samples_follow_the_cdf(eta, dtype):
    torch.manual_seed(0)
    x = ContinuousBernoulli(torch.tensor(eta, dtype=dtype)).rsample((20_000,))
    assert x.dtype == dtype
    assert x.min() >= 0
    assert x.max() <= 1

    def cdf(values):
        if eta == 0:
            return values
        return np.exp(-max(eta, 0) * (1 - values)) * np.expm1(-abs(eta) * values) / np.expm1(-abs(eta))

    assert scipy.stats.kstest(x.double().numpy(), cdf).pvalue > 1e-3


def test_samples_are_differentiable():
    torch.manual_seed(1)
    eta = torch.tensor(ETAS, requires_grad=True)
    x = ContinuousBernoulli(eta).rsample((4000,))
    (slope,) = torch.autograd.grad(x.mean(0).sum(), eta)
    # E[dx / dη] = d mean / dη = the variance: the pathwise gradient estimates it.
    variance = ContinuousBernoulli(eta.detach()).variance
    np.testing.assert_allclose(slope, variance, rtol=0.1, atol=1e-12)


@pytest.mark.parametrize("method", ["log_prob", "cdf"])
@pytest.mark.parametrize("x", [-1e-6, 1 + 1e-6, float("nan"), float("inf")])
def test_values_outside_the_support_are_refused(method, x):
    p = ContinuousBernoulli(torch.tensor([0.0, 2.0]), validate_args=True)
    with pytest.raises(ValueError, match="support"):
        getattr(p, method)(torch.tensor([0.5, x]))
    unchecked = ContinuousBernoulli(torch.tensor([0.0, 2.0]), validate_args=False)
    assert getattr(unchecked, method)(torch.tensor([0.5, x])).shape == (2,)


def test_an_eta_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="eta"):
        ContinuousBernoulli(torch.tensor([0.0, float("nan")]), validate_args=True)


def test_expand_keeps_the_distribution_and_its_validation():
    eta = torch.tensor([-2.0, 0.0, 5.0])
    for validate in (True, False):
        p = ContinuousBernoulli(eta, validate_args=validate).expand((4, 3))
        assert p.batch_shape == (4, 3)
        assert p.mean.shape == p.variance.shape == p.entropy().shape == p.sample().shape == (4, 3)
        assert p.sample((2,)).shape == (2, 4, 3)
        x = torch.rand(4, 3)
        assert torch.equal(p.log_prob(x), ContinuousBernoulli(eta).log_prob(x))
        assert p._validate_args is validate


def test_composes_with_function_transforms():
    def log_prob(eta, x):
        return ContinuousBernoulli(eta, validate_args=False).log_prob(x)

    eta, x = torch.tensor([-40.0, -0.5, 0.0, 0.5, 40.0]), torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0])
    p = ContinuousBernoulli(eta)
    assert torch.equal(torch.vmap(log_prob)(eta, x), p.log_prob(x))
    slope = torch.vmap(torch.func.grad(log_prob))(eta, x)
    torch.testing.assert_close(slope, x - p.mean, rtol=1e-5, atol=1e-6)
    curvature = torch.vmap(torch.func.grad(torch.func.grad(log_prob)))(eta, x)
    torch.testing.assert_close(curvature, -p.variance, rtol=1e-4, atol=1e-6)
