"""The truncated Normal with its mean far outside: what it reproduces and draws stays within, and is right."""

import mpmath as mp
import pytest
import torch

from obsvae.model.exact import TruncatedNormal

FAR = [
    (-50.0, 0.1),
    (-5.0, 0.1),
    (-20.0, 0.3),
    (21.0, 0.3),
    (-3e4, 1e-3),
    (-3e6, 1e-3),
    (0.3, 0.1),
    (0.5, 5.0),
    (2.0, 1.0),
]


def exact_mean(loc, scale):
    with mp.workdps(60):
        side = 1 if loc < 0.5 else -1
        loc, scale = mp.mpf(loc) if side > 0 else 1 - mp.mpf(loc), mp.mpf(scale)
        a, b = -loc / scale, (1 - loc) / scale
        inside = (mp.erfc(a / mp.sqrt(2)) - mp.erfc(b / mp.sqrt(2))) / 2
        density = [mp.exp(-t * t / 2) / mp.sqrt(2 * mp.pi) for t in (a, b)]
        mean = loc + scale * (density[0] - density[1]) / inside
        return float(mean if side > 0 else 1 - mean)


@pytest.mark.parametrize(("loc", "scale"), FAR)
def test_mean_and_samples_in_float32(loc, scale):
    p = TruncatedNormal(torch.tensor(loc), torch.tensor(scale))
    # Far beyond mpmath would need more digits than that is worth: the mean is σ² / |μ|.
    expected = exact_mean(loc, torch.tensor(scale).item()) if loc > -1e4 else scale**2 / -loc
    assert p.mean.item() == pytest.approx(expected, rel=1e-4)
    torch.manual_seed(0)
    x = p.sample((20_000,))
    assert ((x >= 0) & (x <= 1)).all()
    assert x.double().mean().item() == pytest.approx(expected, rel=0.03)
    assert x.unique().numel() > 1000


@pytest.mark.parametrize("loc", [-0.6, -0.78, -0.82, -0.83, -0.9, 1.82])
def test_draws_follow_the_mean_where_the_distribution_function_rounds_to_0(loc):
    p = TruncatedNormal(torch.tensor(loc), torch.tensor(0.1))
    torch.manual_seed(0)
    depth = p.sample((200_000,)).double() if loc < 0 else 1.0 - p.sample((200_000,)).double()
    expected = exact_mean(loc, torch.tensor(0.1).item())
    expected = expected if loc < 0 else 1.0 - expected
    # Nearly exponential, with a standard deviation of about its mean: four standard errors.
    assert depth.mean().item() == pytest.approx(expected, rel=4 / 200_000**0.5)


@pytest.mark.parametrize(("loc", "scale"), FAR)
def test_gradients_in_float32(loc, scale):
    parameters = torch.tensor([loc, scale], requires_grad=True)
    value = TruncatedNormal(*parameters).log_prob(torch.tensor(0.3))
    (slope,) = torch.autograd.grad(value, parameters)
    exact = torch.tensor([loc, scale], dtype=torch.float64, requires_grad=True)
    truth = TruncatedNormal(*exact).log_prob(torch.tensor(0.3).double())
    (expected,) = torch.autograd.grad(truth, exact)
    assert value.item() == pytest.approx(truth.item(), rel=1e-5, abs=1e-6)
    torch.testing.assert_close(slope.double(), expected, rtol=1e-3, atol=1e-3)
