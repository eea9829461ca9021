"""Outputs and parameters so extreme that float32 under- or overflows, with small numbers flushed to 0 or not."""

import math
from types import SimpleNamespace

import mpmath as mp
import pyro
import pytest
import torch

from obsvae.inference import flushing_denormals
from obsvae.model import make_observation
from tests.model.cases import stub
from tests.model.wrapped import EVERY

BYTES = SimpleNamespace(low=0.0, step=1.0, levels=256)
ETA = [*range(-200, 201, 8), -105.0, -88.0, -86.0, -84.0, -17.0, -0.3, 0.3, 17.0, 84.0, 86.0, 88.0, 104.0]
CONCENTRATIONS = [1e-3, 0.0076, 0.05, 0.3, 1.0, 7.0, 100.0]
UNIT = [1e-30, 1e-6, 0.3, 0.9, 1 - 2.0**-24]
POSITIVE = [1e-6, 0.5, 3.0, 1e4]
CELLS = [0.0, 1.0, 100.0, 254.0, 255.0]
FAMILIES = {"beta": UNIT, "kumaraswamy": UNIT, "gamma": POSITIVE, "weibull": POSITIVE}
SPECS = {
    **{f"{name}:concentration": points for name, points in FAMILIES.items()},
    **{f"discretised:inner={name}:concentration": CELLS for name in FAMILIES},
    "discretised:inner=truncated-normal:scale": CELLS,
    "discretised:inner=logit-normal:scale": CELLS,
    "discretised:inner=log-normal:scale": CELLS,
    "discretised:inner=normal:scale": CELLS,
}


def made(spec):
    """Return an observation in its own units, or on bytes between its bounds."""
    if not spec.startswith("discretised"):
        return make_observation(spec)
    is_bounded = any(word in spec for word in ("beta", "kumaraswamy", "truncated", "logit", "continuous", "sigmoid"))
    bounds = (0.0, 255.0) if is_bounded else (0.0, 256.0) if "von-mises" in spec else None
    return make_observation(spec, stub((1,), bounds, BYTES))


def scored(observation, points, etas, dtype=torch.float32, is_flushed=False):
    """Return log-probabilities and their slopes in η, ``(points, etas)``; other outputs are 0.3."""
    x = torch.tensor(points, dtype=dtype).reshape(-1, 1, 1)
    eta = torch.full((len(points), len(etas), 1, observation.outputs), 0.3, dtype=dtype)
    eta[..., 0] = torch.tensor(etas, dtype=dtype).reshape(1, -1, 1)
    eta.requires_grad_()
    with pyro.validation_enabled(False):
        if is_flushed:
            with flushing_denormals():
                value = observation.to(dtype)(eta).log_prob(x)
                (slope,) = torch.autograd.grad(value.sum(), eta)
        else:
            value = observation.to(dtype)(eta).log_prob(x)
            (slope,) = torch.autograd.grad(value.sum(), eta)
    return value.detach().double().squeeze(-1), slope.double().squeeze(-2)


@pytest.mark.parametrize("is_flushed", [False, True], ids=["plain", "flushed"])
@pytest.mark.parametrize("concentration", CONCENTRATIONS)
@pytest.mark.parametrize("spec", SPECS)
def test_values_and_slopes_are_finite_and_those_of_float64(spec, concentration, is_flushed):
    observation = made(f"{spec}={concentration}")
    value, slope = scored(observation, SPECS[spec], ETA, torch.float32, is_flushed)
    right, right_slope = scored(observation, SPECS[spec], ETA, torch.float64)
    assert not value.isnan().any()
    # Where float32 holds both, and numbers on the way such as the rate 10⁻³⁸ of a Gamma variable.
    is_held = (right.abs() < 1e30) & (right_slope[..., 0].abs() < 1e30)
    assert is_held.sum() > 0.3 * is_held.numel()
    found, expected = value[is_held], right[is_held]
    assert ((found - expected).abs() <= 1e-4 * expected.abs().clamp_min(1.0)).all()
    found, expected = slope[is_held][..., 0], right_slope[is_held][..., 0]
    assert ((found - expected).abs() <= 5e-3 * expected.abs() + 1e-5 * max(1.0, concentration)).all()


def beta(eta, k, x):
    a, b = k / (1 + mp.exp(-eta)), k / (1 + mp.exp(eta))
    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(k)
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - log_beta


def kumaraswamy(eta, b, x):
    a = mp.log(1 - mp.power(2, -1 / b)) / -mp.log1p(mp.exp(-eta))
    return mp.log(a * b) + (a - 1) * mp.log(x) + (b - 1) * mp.log(-mp.expm1(a * mp.log(x)))


def beta_mass(eta, k, x):
    a, b = k / (1 + mp.exp(-eta)), k / (1 + mp.exp(eta))
    low, high = ((x + side) / 255 if 0 < x + side < 255 else mp.mpf(side > 0) for side in (-mp.mpf(0.5), mp.mpf(0.5)))
    return mp.log(mp.betainc(a, b, low, high, regularized=True))


def weibull_mass(eta, k, x):
    def survival(end):
        return mp.exp(-mp.exp(k * (mp.log(end) - eta)))

    return mp.log((survival(x - 0.5) if x > 0 else 1) - (survival(x + 0.5) if x < 255 else 0))


EXACT = {
    "beta:concentration": (beta, [(c, e) for c in (0.05, 1.0, 100.0) for e in (-105.0, -88.0, -85.0, 86.0, 105.0)]),
    "kumaraswamy:concentration": (kumaraswamy, [(0.0076, -40.0), (0.0076, 3.0), (1e-3, 0.5), (0.3, -105.0)]),
    "discretised:inner=beta:concentration": (beta_mass, [(c, -105.0) for c in (0.05, 1.0, 7.0)] + [(0.3, 86.0)]),
    "discretised:inner=weibull:concentration": (weibull_mass, [(0.05, 104.0), (0.05, -60.0), (1.0, 88.0)]),
}


@pytest.mark.parametrize("is_flushed", [False, True], ids=["plain", "flushed"])
@pytest.mark.parametrize("spec", EXACT)
def test_values_and_slopes_are_those_of_mpmath(spec, is_flushed):
    log_prob, where = EXACT[spec]
    for concentration, eta in where:
        value, slope = scored(made(f"{spec}={concentration}"), SPECS[spec], [eta], is_flushed=is_flushed)
        k = mp.mpf(torch.tensor(concentration).item())
        for i, x in enumerate(torch.tensor(SPECS[spec]).tolist()):
            with mp.workdps(700 if "kumaraswamy" in spec else 200):  # 2^(−1/b) is 10⁻³⁰¹
                right = log_prob(mp.mpf(eta), k, mp.mpf(x))
                right_slope = mp.diff(lambda t, k=k, x=x: log_prob(t, k, mp.mpf(x)), mp.mpf(eta), h=mp.mpf(10) ** -30)
            assert value[i, 0].item() == pytest.approx(float(right), rel=1e-5, abs=1e-5), (concentration, eta, x)
            assert slope[i, 0, 0].item() == pytest.approx(float(right_slope), rel=1e-3, abs=1e-6)


# Where sources of a scale are left out, the density is that of another spec; a matched η is e^|output|.
@pytest.mark.parametrize("spec", [spec for spec in EVERY if not ("per-feature" in spec or "matched" in spec)])
def test_an_output_of_any_size_gives_no_nan(spec):
    observation, family = made(spec).eval(), EVERY[spec]
    points = list(family.where.edges) if family.support != "levels" else [0.0, 1.0]
    if spec.startswith("discretised"):
        points = CELLS
    with pyro.validation_enabled(False):
        for size in (1e4, 1e10, 1e30, 3e38):
            for sign in (-1.0, 1.0):
                eta = torch.full((len(points), 1, observation.outputs), 0.3)
                eta[..., list(family.locations)] = sign * size
                value = observation(eta).log_prob(torch.tensor(points).reshape(-1, 1))
                assert not value.isnan().any(), (size, sign)
                assert not (value == math.inf).any(), (size, sign)


GRIDDED = ["normal", "logistic", "laplace", "student-t", "log-normal", "gamma", "weibull", "beta", "kumaraswamy"]
GRIDDED += ["logit-normal", "truncated-normal", "continuous-bernoulli", "von-mises", "normal:link=sigmoid"]


@pytest.mark.parametrize("inner", GRIDDED)
def test_an_output_of_any_size_gives_a_mass(inner):
    observation = made(f"discretised:inner={inner}")
    for size in (1e4, 1e10, 1e30, 3e38):
        value, _ = scored(observation, CELLS, [-size, size])
        assert not value.isnan().any(), size
        assert (value <= 1e-6).all(), size
        if inner not in ("von-mises", "student-t"):  # an angle is anywhere, and a heavy tail leaves some for others
            assert (value.amax(0) > -0.7).all(), size


@pytest.mark.parametrize("eta", [-40.0, -17.0, -3.0, 0.0, 3.0, 17.0, 25.0, 40.0, 80.0])
@pytest.mark.parametrize("x", [0.0, 1.0])
def test_a_saturated_sigmoid_comes_back(eta, x):
    observation = make_observation("normal:link=sigmoid,scale=0.001")
    at = torch.tensor([[eta]], requires_grad=True)
    (slope,) = torch.autograd.grad(observation(at).log_prob(torch.tensor([x])).sum(), at, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), at)
    # At x = 1 the distance 1 − μ has float32's digits for η < 0 alone.
    tolerance = 1e-5 if x == 0.0 or eta <= 0.0 else 0.3 if eta < 10.0 else None
    with mp.workdps(60):
        sigma = mp.mpf(torch.tensor(0.001).item())

        def log_density(t):
            return -(((x - 1 / (1 + mp.exp(-t))) / sigma) ** 2) / 2

        right = [float(mp.diff(log_density, eta, order)) for order in (1, 2)]
    if tolerance is None:
        assert abs(slope.item()) < 1e-2  # it has arrived
        return
    assert slope.item() == pytest.approx(right[0], rel=tolerance, abs=1e-35)
    assert curvature.item() == pytest.approx(right[1], rel=tolerance, abs=1e-35)
