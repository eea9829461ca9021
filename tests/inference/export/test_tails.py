"""Leave-one-out by ArviZ of features whose log-likelihood is equal for all draws."""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import to_arviz
from obsvae.inference.export.tails import with_tails
from obsvae.model import VAE, Discretised, MLPDecoder, Normal, StandardNormal


class Grid:
    low, step, levels, high = 0.0, 1.0, 5, 4.0


def normal(*shape, dtype=np.float32):
    return np.random.default_rng(0).normal(-3.0, 1.0, shape).astype(dtype)


def elpd(log_p):
    """Return ArviZ's leave-one-out of draws ``(S, N, F)`` feature by feature."""
    draws = log_p.reshape(2, -1, *log_p.shape[1:])
    z = np.random.default_rng(1).normal(size=draws.shape[:2])
    return az.loo(az.from_dict({"posterior": {"z": z}, "log_likelihood": {"x": draws}}), pointwise=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, -0.0, -2.5, -1e-38, -3e4])
@pytest.mark.parametrize("draws", [40, 1000])
@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_leaves_out_equal_features_and_their_value_stays(dtype, value, draws):
    log_p = normal(draws, 3, 2, dtype=dtype)
    log_p[:, 1, 0] = value
    with pytest.raises(ValueError, match="All tail values are the same"):
        elpd(log_p)
    found, changed = with_tails(log_p)
    assert changed == 1
    assert found.dtype == log_p.dtype
    moved = found != log_p
    assert moved.sum() == 1
    np.testing.assert_allclose(found[moved], log_p[moved], rtol=2 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).tiny)
    left = elpd(found)
    np.testing.assert_allclose(left.elpd_i.values[1, 0], value, rtol=1e-6, atol=4 * np.finfo(dtype).eps)
    assert np.isnan(left.pareto_k.values[1, 0])
    # All others are as they would be without it.
    np.testing.assert_array_equal(left.elpd_i.values[[0, 2]], elpd(log_p[:, [0, 2]]).elpd_i.values)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_a_tail_of_one_particle_is_set_apart_and_a_shorter_run_of_it_is_not():
    log_p = normal(100, 1, 2)
    log_p[:25, 0, 0] = log_p[:, 0, 0].min()
    log_p[:10, 0, 1] = log_p[:, 0, 1].min()
    found, changed = with_tails(log_p)
    assert changed == 1
    np.testing.assert_array_equal(found[..., 1], log_p[..., 1])
    assert np.isfinite(elpd(found).elpd_i.values).all()


def test_values_that_are_not_finite_stay():
    log_p = normal(100, 1, 3)
    log_p[:, 0, 0], log_p[:, 0, 1], log_p[3, 0, 2] = np.nan, -np.inf, np.nan
    found, changed = with_tails(log_p)
    assert changed == 0
    np.testing.assert_array_equal(found, log_p)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_a_pixel_whose_mass_is_one_does_not_stop_arviz():
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Discretised(Normal(scale=0.3), Grid()))
    guide = AmortisedNormal(MLPEncoder((4,), 4, ()))
    with torch.no_grad():
        model.decoder.head.bias[0] = -60.0  # far below the lowest level, whose cell takes the tail
    x = torch.tensor([[0.0, 1.0, 2.0, 1.0], [0.0, 0.0, 1.0, 3.0], [0.0, 2.0, 1.0, 1.0]])
    tree = to_arviz(model, guide, x, draws=100, particles=500, progress=False)
    assert tree["log_likelihood"].attrs["set_apart"] == 3
    assert np.abs(tree["log_likelihood"]["x"].values[..., 0]).max() < 1e-37
    found = az.loo(tree, pointwise=True)
    np.testing.assert_allclose(found.elpd_i.values[:, 0], 0.0, atol=1e-6)
    assert np.isfinite(found.elpd_i.values).all()
    assert np.isfinite(az.loo_pit(tree)["x"].values).all()
    az.plot_loo_pit(tree)
    plt.close("all")
    assert set(az.compare({"one": tree, "other": tree}).index) == {"one", "other"}
