"""What a column says by itself is the best that its family can say of it."""

import numpy as np
import pytest
import scipy.stats

from obsvae.data import load
from obsvae.experiments.use.marginals import marginal_scores

pandas = pytest.importorskip("pandas")
RANDOM = np.random.default_rng(0)
HEAVY = 5 * RANDOM.standard_t(1.2, size=600)


@pytest.mark.parametrize(
    ("family", "x", "fit"),
    [
        ("normal", 1e4 + HEAVY, scipy.stats.norm),
        ("laplace", HEAVY, scipy.stats.laplace),
        ("student-t", HEAVY, scipy.stats.t),
        ("log-normal", np.exp(RANDOM.normal(size=600)), scipy.stats.lognorm),
        ("gamma", RANDOM.gamma(2.0, 1e-3, size=600), scipy.stats.gamma),
    ],
)
def test_it_is_the_maximum_of_the_likelihood(family, x, fit):
    schema = {"columns": {"x": {"observation": family}, "other": {"observation": family}}}
    data = load(pandas.DataFrame({"x": x, "other": x[::-1] * 100}), schema=schema)
    found = marginal_scores("by-column", data, data.train)
    train = data.train[:, 0].double().numpy()
    parameters = fit.fit(train, floc=0) if fit in (scipy.stats.lognorm, scipy.stats.gamma) else fit.fit(train)
    best = fit(*parameters).logpdf(train).mean()
    assert found[:, 0].mean() == pytest.approx(best, abs=1e-3)
    assert found.shape == (480, 2)


def test_a_missing_entry_has_none():
    frame = pandas.DataFrame({"x": np.where(RANDOM.random(100) < 0.3, np.nan, RANDOM.normal(size=100))})
    data = load(frame)
    assert np.array_equal(np.isnan(marginal_scores("by-column", data, data.train)), np.isnan(data.train.numpy()))
