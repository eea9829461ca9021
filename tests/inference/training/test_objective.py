"""The training objective against closed forms, and as an exported graph."""

import numpy as np
import pytest
import torch
from pyro import poutine
from pyro.infer import Trace_ELBO, TraceMeanField_ELBO
from torch.distributions import kl_divergence

from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO


@pytest.mark.parametrize("elbo", [TraceMeanField_ELBO, Trace_ELBO])
def test_objective_is_the_exact_elbo_on_average(linear_gaussian, elbo):
    problem = linear_gaussian()
    x = problem.draw(20)
    objective = PyroELBO(problem.model, problem.guide, elbo())
    torch.manual_seed(0)
    with torch.no_grad():
        found = np.array([-objective(x.repeat(2500, 1), torch.tensor(1.0)).item() for _ in range(40)])
    standard_error = found.std(ddof=1) / np.sqrt(len(found))
    assert standard_error < 0.05
    assert abs(found.mean() - problem.elbo(x).mean()) < 4 * standard_error


@pytest.mark.parametrize("vectorised", [False, True])
def test_objective_averages_over_the_elbos_particles(linear_gaussian, vectorised):
    problem = linear_gaussian()
    x = problem.draw(20)
    elbo = TraceMeanField_ELBO(num_particles=200, vectorize_particles=vectorised, max_plate_nesting=1)
    torch.manual_seed(0)
    with torch.no_grad():
        found = -PyroELBO(problem.model, problem.guide, elbo)(x, torch.tensor(1.0)).item()
        one = PyroELBO(problem.model, problem.guide, TraceMeanField_ELBO())
        spread = np.std([one(x, torch.tensor(1.0)).item() for _ in range(200)]) / np.sqrt(200)
    assert abs(found - problem.elbo(x).mean()) < 4 * spread


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 4.0])
def test_beta_weighs_the_kl_term_and_nothing_else(linear_gaussian, beta):
    problem = linear_gaussian()
    x = problem.draw(30)
    objective = PyroELBO(problem.model, problem.guide, TraceMeanField_ELBO())
    torch.manual_seed(1)
    with torch.no_grad():
        trace = poutine.trace(problem.guide).get_trace(x)
        z, q = trace.nodes["z"]["value"], trace.nodes["z"]["fn"]
        model = problem.model
        reconstruction = model.given(z).log_prob(x).sum(1)
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
        reconstruction = model.given(z).log_prob(x).sum(1)
        kl = q.log_prob(z) - model.prior().log_prob(z)
        torch.manual_seed(1)
        loss = PyroELBO(problem.model, problem.guide, Trace_ELBO())(x, torch.tensor(0.3))
    torch.testing.assert_close(loss, -(reconstruction - 0.3 * kl).mean(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("elbo", [TraceMeanField_ELBO, Trace_ELBO])
def test_exported_objective_is_the_same_with_its_gradients(linear_gaussian, elbo):
    problem = linear_gaussian(hidden=(8,))
    objective = PyroELBO(problem.model, problem.guide, elbo())
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
