"""Against closed forms: a linear decoder with Normal noise has a Normal marginal."""

import numpy as np
import pytest
import torch
from pyro import poutine
from pyro.infer import Trace_ELBO, TraceMeanField_ELBO
from torch.distributions import kl_divergence

from inference import Amortised, log_likelihood, posterior
from inference.objective import ExportedObjective, Objective


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
    expected = exact_elbo(problem, x)
    error = found.log_weights.std(0, ddof=1) / np.sqrt(4000)
    assert np.abs((found.mean_log_weight - expected) / error).max() < 4.5


def exact_elbo(problem, x):
    """Return the ELBO of each datum for a diagonal Normal guide, in closed form."""
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
    m, s = q.loc.double(), q.scale.double()
    W, b, variance = problem.W, problem.b, problem.sigma**2
    squares = (x.double() - m @ W.T - b).square().sum(1) + s.square() @ W.square().sum(0)
    reconstruction = -0.5 * squares / variance - 0.5 * x.shape[1] * np.log(2 * np.pi * variance)
    kl = 0.5 * (m.square() + s.square() - 1 - 2 * s.log()).sum(1)
    return (reconstruction - kl).numpy()


@pytest.mark.parametrize("elbo", [TraceMeanField_ELBO, Trace_ELBO])
def test_objective_is_the_exact_elbo_on_average(linear_gaussian, elbo):
    problem = linear_gaussian()
    x = problem.draw(20)
    objective = Objective(problem.model, problem.guide, elbo())
    torch.manual_seed(0)
    with torch.no_grad():
        found = np.array([-objective(x.repeat(2500, 1), torch.tensor(1.0)).item() for _ in range(40)])
    standard_error = found.std(ddof=1) / np.sqrt(len(found))
    assert standard_error < 0.05
    assert abs(found.mean() - exact_elbo(problem, x).mean()) < 4 * standard_error


@pytest.mark.parametrize("vectorised", [False, True])
def test_objective_averages_over_the_elbos_particles(linear_gaussian, vectorised):
    problem = linear_gaussian()
    x = problem.draw(20)
    elbo = TraceMeanField_ELBO(num_particles=500, vectorize_particles=vectorised, max_plate_nesting=1)
    torch.manual_seed(0)
    with torch.no_grad():
        found = -Objective(problem.model, problem.guide, elbo)(x, torch.tensor(1.0)).item()
        one = Objective(problem.model, problem.guide, TraceMeanField_ELBO())
        spread = np.std([one(x, torch.tensor(1.0)).item() for _ in range(200)]) / np.sqrt(500)
    assert abs(found - exact_elbo(problem, x).mean()) < 4 * spread


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 4.0])
def test_beta_weighs_the_kl_term_and_nothing_else(linear_gaussian, beta):
    problem = linear_gaussian()
    x = problem.draw(30)
    objective = Objective(problem.model, problem.guide, TraceMeanField_ELBO())
    torch.manual_seed(1)
    with torch.no_grad():
        trace = poutine.trace(problem.guide).get_trace(x)
        z, q = trace.nodes["z"]["value"], trace.nodes["z"]["fn"]
        model = problem.model
        reconstruction = model.observation(model.decoder(z)).log_prob(x).sum(1)
        kl = kl_divergence(q.base_dist, model.prior().base_dist).sum(1)
        torch.manual_seed(1)
        loss = objective(x, torch.tensor(beta))
    torch.testing.assert_close(loss, -(reconstruction - beta * kl).mean(), rtol=1e-5, atol=1e-5)


def test_beta_weighs_both_halves_of_a_sampled_kl(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(30)
    with torch.no_grad():
        torch.manual_seed(1)
        trace = poutine.trace(problem.guide).get_trace(x)
        z, q, model = trace.nodes["z"]["value"], trace.nodes["z"]["fn"], problem.model
        reconstruction = model.observation(model.decoder(z)).log_prob(x).sum(1)
        kl = q.log_prob(z) - model.prior().log_prob(z)
        torch.manual_seed(1)
        loss = Objective(problem.model, problem.guide, Trace_ELBO())(x, torch.tensor(0.3))
    torch.testing.assert_close(loss, -(reconstruction - 0.3 * kl).mean(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("elbo", [TraceMeanField_ELBO, Trace_ELBO])
def test_exported_objective_is_the_same_with_its_gradients(linear_gaussian, elbo):
    problem = linear_gaussian(hidden=(8,))
    objective = Objective(problem.model, problem.guide, elbo())
    exported = ExportedObjective(objective)
    parameters = list(objective.parameters())
    for n, beta in [(16, 1.0), (16, 0.3), (1, 1.0), (7, 0.0), (16, 1.0)]:
        x, beta = problem.draw(n, seed=n), torch.tensor(beta)
        found = []
        for loss_of in (objective, exported):
            torch.manual_seed(n)
            loss = loss_of(x, beta)
            found.append([loss.detach(), *torch.autograd.grad(loss, parameters, allow_unused=True)])
            found[-1].append(torch.get_rng_state())
        for a, b in zip(*found, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
