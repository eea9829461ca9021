"""Guides and priors in training: exported alike, and as good as their form allows where the posterior is known."""

import pytest
import torch
from pyro.infer import TraceMeanField_ELBO

from obsvae.guides import MLPEncoder, make_guide
from obsvae.inference import calibrate
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.model import VAE, MLPDecoder, Normal, make_prior
from tests.inference.conftest import LinearGaussian

PAIRS = [("full-rank", "standard-normal"), ("low-rank:rank=2", "normal"), ("mixture", "mixture"), ("student-t", "flow")]
PAIRS += [("flow", "flow:kind=autoregressive"), ("flow:kind=autoregressive", "mixture"), ("delta", "mixture")]


@pytest.mark.parametrize(("guide", "prior"), PAIRS)
def test_the_exported_objective_is_the_same_with_its_gradients(guide, prior):
    torch.manual_seed(0)
    model = VAE(make_prior(prior, 3), MLPDecoder(3, (4,), hidden=(8,)), Normal(scale=1.0))
    objective = PyroELBO(model, make_guide(guide, MLPEncoder, (4,), 3, (8,)), TraceMeanField_ELBO())
    parameters = list(objective.parameters())
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.1 * torch.randn_like(parameter))
    x, found = torch.randn(16, 4), []
    for loss_of in (objective, ExportedObjective(objective)):
        torch.manual_seed(1)
        loss = loss_of(x, torch.tensor(0.7 if guide != "delta" else 0.0))
        found.append([loss.detach(), *torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)])
        found[-1].append(torch.get_rng_state())
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def trained_on_a_known_posterior(problem, text, steps):
    """Return a guide fitted to the posterior of a model that stays as it is."""
    torch.manual_seed(0)
    guide = make_guide(text, MLPEncoder, (4,), 2, ())
    guide.initialise(problem.draw(500))
    objective = PyroELBO(problem.model, guide, TraceMeanField_ELBO())
    loss_of = ExportedObjective(objective)
    adam = torch.optim.Adam(guide.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    x, one = problem.draw(4000, seed=1), torch.tensor(1.0)
    for _ in range(steps):
        loss = loss_of(x[torch.randint(len(x), (100,))], one)
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    return guide, objective


@pytest.mark.parametrize(
    ("text", "steps", "within"),
    [
        ("full-rank", 800, 0.01),
        pytest.param(
            "low-rank:rank=1", 1500, 0.01, marks=pytest.mark.slow
        ),  # D − 1 directions and a diagonal are any covariance of two dimensions
        pytest.param("flow", 3000, 0.01, marks=pytest.mark.slow),
        pytest.param("flow:kind=autoregressive", 3000, 0.01, marks=pytest.mark.slow),
        pytest.param("mixture:components=4", 3000, 0.08, marks=pytest.mark.slow),
        pytest.param("normal", 1500, 0.5, marks=pytest.mark.slow),
    ],
)
def test_a_guide_reaches_the_exact_posterior_where_it_can(linear_gaussian, text, steps, within):
    problem: LinearGaussian = linear_gaussian(sigma=1.0)
    _, objective = trained_on_a_known_posterior(problem, text, steps)
    x = problem.draw(4000, seed=2)
    torch.manual_seed(3)
    with torch.no_grad():
        # The mean KL(q(z | x) ‖ p(z | x)) is what the ELBO is below log p(x).
        gap = problem.log_marginal(x).mean() + objective(x, torch.tensor(1.0)).item()
    assert (0.05 if text == "normal" else -0.01) < gap < within


@pytest.mark.slow
@pytest.mark.parametrize(("text", "is_held"), [("full-rank", True), ("flow", True), ("normal", False)])
def test_a_guide_that_holds_the_posterior_is_calibrated(linear_gaussian, text, is_held):
    problem = linear_gaussian(sigma=1.0)
    guide, _ = trained_on_a_known_posterior(problem, text, 3000)
    found = calibrate(problem.model, guide, 300, particles=200, progress=False)
    assert (not found.outside("guide")) == is_held
