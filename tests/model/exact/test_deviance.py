"""Stirling's error and the deviance, against mpmath in float32."""

import mpmath as mp
import pytest
import torch

from obsvae.model.exact.discrete.deviance import deviance, stirling_error


def exact_stirling_error(a):
    with mp.workdps(40):
        a = mp.mpf(a)
        return float(mp.loggamma(a) - (a - 0.5) * mp.log(a) + a - mp.log(2 * mp.pi) / 2)


def exact_deviance(x, mean):
    with mp.workdps(40):
        x, mean = mp.mpf(x), mp.mpf(mean)
        return float(x * mp.log(x / mean) + mean - x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stirling_error(dtype):
    a = torch.logspace(-6, 8, 300, dtype=dtype)
    truth = torch.tensor([exact_stirling_error(v) for v in a.double().tolist()], dtype=torch.float64)
    error = (stirling_error(a).double() - truth).abs() / truth.abs().clamp_min(1.0)
    assert error.max() < (3e-6 if dtype == torch.float32 else 1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ratio", [1e-20, 0.1, 0.79, 0.81, 0.999, 1.0, 1.001, 1.19, 1.21, 3.0, 1e10])
def test_deviance_keeps_its_digits_near_and_far(ratio, dtype):
    x = torch.logspace(-3, 6, 50, dtype=dtype)
    mean = ratio * x
    truth = torch.tensor(
        [exact_deviance(*pair) for pair in zip(x.double().tolist(), mean.double().tolist(), strict=True)],
        dtype=torch.float64,
    )
    tolerance = 1e-6 if dtype == torch.float32 else 1e-14
    assert ((deviance(x, mean).double() - truth).abs() <= tolerance * truth).all()


def test_a_mean_that_underflows_has_a_logarithm():
    x, log_mean = torch.tensor([1.0, 100.0]), torch.tensor([-500.0, -500.0])
    truth = x * (torch.log(x) + 500.0) - x
    torch.testing.assert_close(deviance(x, torch.exp(log_mean), log_mean), truth)


def test_derivatives():
    x = torch.tensor([0.5, 3.0, 7.9, 8.1, 100.0], dtype=torch.float64, requires_grad=True)
    mean = torch.tensor([0.6, 3.0, 20.0, 8.0, 1.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(deviance, (x, mean))
    assert torch.autograd.gradgradcheck(deviance, (x, mean))
    assert torch.autograd.gradcheck(stirling_error, x)
    assert torch.autograd.gradgradcheck(stirling_error, x)
