"""A model of data in other units is the same model: log p moves by the logarithm of the units, and nothing else."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.experiments import make_pair
from obsvae.inference import fit
from obsvae.inference.sites import posterior
from obsvae.modes import evaluating

FAMILIES = ("normal", "laplace", "logistic", "student-t")
SCALES = ("shared", "per-unit", "per-feature", "decoder")
SPECS = [f"{family}:scale={scale}" for family in FAMILIES for scale in SCALES] + [
    "normal:scale=optimal",
    "student-t:df=decoder",
    "mixture:components=2,inner=logistic",
    "mixture:components=2,inner=normal,scale=shared",
]

FAST = ("normal:scale=per-unit", "student-t:scale=shared", "laplace:scale=decoder", "normal:scale=optimal")


def made(kind):
    """Return data (N, *event) whose entries depend on one another, and the shape of their units."""
    generator = np.random.default_rng(0)
    latent = generator.normal(size=(240, 2))
    event, units = {"table": ((6,), (6,)), "windows": ((5, 3), (1, 3)), "image": ((4, 4), ())}[kind]
    weights = generator.normal(size=(2, int(np.prod(event))))
    x = np.tanh(latent @ weights) + 0.2 * generator.normal(size=(240, weights.shape[1]))
    return x.reshape(240, *event), units


def fitted(x, spec, **arguments):
    """Return what three epochs give: log p(x | z) and log q(z | x) of test data at z that are the same for all."""
    data = load(x, **arguments)
    model, guide = make_pair(spec, data, latent=2, hidden=[8], seed=1)
    fit(model, guide, data, epochs=3, batch_size=64, seed=2, progress=False)
    z = torch.randn(len(data.test), 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), evaluating(model, guide):
        log_p = model.given(z).log_prob(data.test).flatten(1).double().sum(1)
        return log_p.numpy(), posterior(guide, data.test).log_prob(z).double().numpy()


@pytest.mark.parametrize("kind", ["table", "windows", "image"])
@pytest.mark.parametrize("spec", [pytest.param(spec, marks=() if spec in FAST else pytest.mark.slow) for spec in SPECS])
def test_units_and_origins_change_nothing_else(kind, spec):
    x, units = made(kind)
    n = int(np.prod(units))
    # Powers of two, so that rounding is the same.
    a = 2.0 ** np.resize([-7, 3, 9, 0, -2], n).reshape(units)
    (before, q), (after, same_q) = fitted(x, spec), fitted(a * x, spec)
    shift = -np.log(np.broadcast_to(a, x.shape[1:])).sum()
    np.testing.assert_allclose(after, before + shift, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(same_q, q, rtol=1e-5, atol=1e-5)
    b = a * np.resize([4.0, -2.0, 1.0, 0.0, 8.0], n).reshape(units)
    moved, moved_q = fitted(a * x + b, spec)
    np.testing.assert_allclose(moved, before + shift, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(moved_q, q, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", SCALES)
def test_windows_are_as_good_as_tables_of_all_their_entries(scale):
    # Sensors in units of their own, and each with one spread at all times.
    x, _ = made("windows")
    x = (x - x.mean((0, 1))) / x.std((0, 1)) * np.array([1e-3, 1.0, 1e3])
    windows, _ = fitted(x, f"normal:scale={scale}")
    flat, _ = fitted(x.reshape(len(x), -1), f"normal:scale={scale}")
    assert abs(windows.mean() - flat.mean()) < 1.5


@pytest.mark.parametrize("scale", SCALES)
def test_windows_in_one_row_are_the_same_model_in_the_same_units(scale):
    x, _ = made("windows")
    windows, q = fitted(x, f"normal:scale={scale}", units="all")
    flat, same_q = fitted(x.reshape(len(x), -1), f"normal:scale={scale}", units="all")
    np.testing.assert_allclose(flat, windows, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(same_q, q, rtol=1e-5, atol=1e-5)
