"""The natural parameter of a wanted mean, against roots found by mpmath."""

import mpmath as mp
import pytest
import torch

from obsvae.model.exact import natural_from_mean_logit

LOGITS = (
    0, 1e-30, 1e-6, 1e-3, 0.1, 0.159, 0.16, 0.17, 0.5, 0.999, 1.001, 2, 3, 3.999, 4.001, 5, 10, 15, 17, 20, 30, 40, 50,
)  # fmt: skip
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-9}


def exact(logit):
    """Return η, dη/dℓ and d²η/dℓ² for a wanted mean sigmoid(ℓ), ℓ ≥ 0."""
    if logit < 1e-20:
        return 12 * logit / 4, mp.mpf(3), mp.mpf(0)
    small, large = 1 / (1 + mp.exp(logit)), 1 / (1 + mp.exp(-logit))

    def variance(t):
        return 1 / t**2 - mp.exp(-t) / mp.expm1(-t) ** 2

    # One minus the mean, times e^ℓ so that the tolerance is relative.
    start = 1 + mp.exp(logit) if logit > 1 else 3 * logit
    eta = mp.findroot(lambda t: (1 / t - 1 / mp.expm1(t) - small) * mp.exp(logit), (start, start * mp.mpf("1.001")))
    slope = small * large / variance(eta)
    third = -2 / eta**3 + mp.exp(-eta) * (1 + mp.exp(-eta)) / (-mp.expm1(-eta)) ** 3  # the third cumulant
    return eta, slope, slope * (small - large) - slope**2 * third / variance(eta)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=["float32", "float64"])
@pytest.mark.parametrize("sign", [1, -1])
def test_agrees_with_mpmath(sign, dtype):
    logits = torch.tensor([sign * value for value in LOGITS], dtype=dtype, requires_grad=True)
    eta = natural_from_mean_logit(logits)
    (slope,) = torch.autograd.grad(eta.sum(), logits, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), logits)
    assert curvature.isfinite().all()
    worst = [(mp.mpf(-1), "")] * 3
    with mp.workdps(80):
        for i, logit in enumerate(logits.tolist()):
            e, s, c = exact(abs(mp.mpf(logit)))
            for k, (value, truth) in enumerate([(eta[i], sign * e), (slope[i], s), (curvature[i], sign * c)]):
                error = abs(mp.mpf(value.item()) - truth) / max(1, abs(truth))
                worst[k] = max(worst[k], (error, f"logit {logit}: {value.item()} for {mp.nstr(truth, 12)}"))
    assert worst[0][0] <= TOLERANCES[dtype], worst[0][1]
    assert worst[1][0] <= TOLERANCES[dtype], worst[1][1]
    # A second derivative through Newton steps loses a few more digits to cancellation.
    assert worst[2][0] <= 10 * TOLERANCES[dtype], worst[2][1]


def test_the_mean_is_the_sigmoid():
    # By mpmath at η, not by this package's own mean.
    logits = torch.linspace(-50, 50, 101, dtype=torch.float64)
    with mp.workdps(60):
        for logit, eta in zip(logits.tolist(), natural_from_mean_logit(logits).tolist(), strict=True):
            t = mp.mpf(abs(eta))
            tail = mp.mpf(1) / 2 if t == 0 else 1 / t - 1 / mp.expm1(t)
            assert float(tail * (1 + mp.exp(abs(logit)))) == pytest.approx(1, rel=1e-12)
            assert eta * logit >= 0


def test_composes_with_function_transforms():
    logits = torch.tensor([-30.0, -3.0, -0.1, 0.0, 0.1, 3.0, 30.0])
    assert torch.equal(torch.vmap(natural_from_mean_logit)(logits), natural_from_mean_logit(logits))
    second = torch.vmap(torch.func.grad(torch.func.grad(natural_from_mean_logit)))(logits)
    assert second.isfinite().all()
