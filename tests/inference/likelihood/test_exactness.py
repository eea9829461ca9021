"""Against closed forms: a linear decoder with Normal noise has a Normal marginal."""

import numpy as np
import pytest
import torch

from obsvae.inference import Amortised, log_likelihood


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float64, 1e-9)], ids=["float32", "float64"]
)
@pytest.mark.parametrize(("latent", "features"), [(1, 1), (2, 4), (5, 3)])
def test_exact_posterior_gives_the_exact_marginal(linear_gaussian, dtype, tolerance, latent, features):
    problem = linear_gaussian(latent, features, dtype=dtype)
    x = problem.draw(50)
    found = log_likelihood(problem.model, problem.guide, x, 2, proposal=problem.proposal(), progress=False)
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < tolerance
    assert np.abs(found.mean_log_weight - problem.log_marginal(x)).max() < tolerance
    np.testing.assert_allclose(found.weights.ess, 2.0, rtol=1e-4)
    # 1 / ESS − 1 / K is a difference of near equals: its root cannot be nearer 0 than that of the last digit
    assert found.weights.standard_error.max() < max(tolerance, 1e-7)
    assert np.isnan(found.weights.khat).all()


def test_exact_posterior_has_weights_without_a_tail(linear_gaussian):
    problem = linear_gaussian(dtype=torch.float64)
    found = log_likelihood(
        problem.model, problem.guide, problem.draw(20), 200, proposal=problem.proposal(), progress=False
    )
    assert (found.weights.khat == -np.inf).all()
    np.testing.assert_allclose(found.weights.ess, 200, rtol=1e-9)
    assert found.summary()["khat_above_0.7"] == 0


def test_exact_posterior_is_not_called_bad_for_rounding(linear_gaussian):
    # In float32 equal weights differ by about 1e-6, which is no heavy tail.
    problem = linear_gaussian()
    found = log_likelihood(
        problem.model, problem.guide, problem.draw(100), 200, proposal=problem.proposal(), progress=False
    )
    np.testing.assert_allclose(found.weights.ess, 200, rtol=1e-4)
    assert found.summary()["khat_above_0.7"] == 0


def test_a_wider_proposal_is_right_within_its_standard_error(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(200)
    found = log_likelihood(
        problem.model, problem.guide, x, 2000, proposal=problem.proposal(1.3), seed=3, progress=False
    )
    error = found.weights.estimate - problem.log_marginal(x)
    assert np.abs(error).max() < 0.05
    z_scores = error / found.weights.standard_error
    assert np.abs(z_scores).max() < 4
    assert 0.8 < np.sqrt(np.square(z_scores).mean()) < 1.2
    assert (found.weights.khat < 0.7).all()
    assert (found.weights.ess > 1000).all()
    assert (found.weights.ess < 2000).all()


def test_amortised_estimate_is_a_lower_bound_that_grows_with_particles(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(300)
    exact = problem.log_marginal(x).mean()
    means = [
        log_likelihood(problem.model, problem.guide, x, K, proposal=Amortised(), progress=False).weights.estimate.mean()
        for K in (1, 10, 300)
    ]
    assert means[0] < means[1] < means[2] < exact


def test_the_elbo_of_log_likelihood_is_the_objectives(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(40)
    found = log_likelihood(
        problem.model, problem.guide, x, 4000, proposal=Amortised(), keep_weights=len(x), progress=False
    )
    expected = problem.elbo(x)
    error = found.log_weights.std(0, ddof=1) / np.sqrt(4000)
    assert np.abs((found.mean_log_weight - expected) / error).max() < 4.5
