"""The shares of a minibatch add up to its objective, by the same random numbers."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import TraceMeanField_ELBO
from torch import nn

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair
from obsvae.guides import AmortisedNormal
from obsvae.inference.processes.alone import Processes
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.inference.training.steps.shared_objective import SharedObjective, require_shares

COUNTS = torch.poisson(torch.full((40, 5), 6.0), generator=torch.Generator().manual_seed(0))


def objective_of(observation, guide="normal"):
    data = load(COUNTS.int().numpy())
    model, guide = make_pair(observation, data, latent=3, hidden=(8,), guide=guide, seed=0)
    model.initialise(data.train), guide.initialise(data.train)
    return PyroELBO(model, guide, TraceMeanField_ELBO())


def evaluated(loss_of, objective, x):
    """Return loss, gradient, and the state of the generator after both."""
    torch.manual_seed(5)
    loss = loss_of(x, torch.tensor(0.5))
    gradient = [torch.zeros(())]
    if loss.requires_grad:
        found = torch.autograd.grad(loss, list(objective.parameters()), allow_unused=True)
        gradient = [g for g in found if g is not None]
    return loss.detach(), torch.cat([g.flatten() for g in gradient]), torch.get_rng_state()


@pytest.mark.parametrize(
    ("observation", "guide", "n", "size"),
    [
        ("normal:scale=shared", "normal", 2, 3),  # one process has no row
        pytest.param("normal:scale=shared", "normal", 1, 2, marks=pytest.mark.slow),
        pytest.param("dequantised:inner=normal", "normal", 20, 3, marks=pytest.mark.slow),
        pytest.param("poisson", "delta", 20, 3, marks=pytest.mark.slow),
    ],
)
def test_the_shares_add_up(observation, guide, n, size):
    objective, x = objective_of(observation, guide), COUNTS[:n]
    with pyro.validation_enabled(False):
        loss, gradient, state = evaluated(objective, objective, x)
    shares = [evaluated(SharedObjective(objective, Processes(rank, size)), objective, x) for rank in range(size)]
    # Rounding of float32 in sums of some dozens of terms.
    torch.testing.assert_close(sum(share for share, _, _ in shares), loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(sum(g for _, g, _ in shares), gradient, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(state, after) for _, _, after in shares)


def test_batch_normalisation_is_refused():
    objective = objective_of("normal:scale=shared")
    objective.guide.encoder.layers = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 6))
    with pytest.raises(UsageError, match="BatchNorm1d mixes the data"):
        require_shares(objective, COUNTS)


def test_a_profile_likelihood_is_refused_and_a_likelihood_is_not():
    before = torch.get_rng_state()
    require_shares(objective_of("normal:scale=shared"), COUNTS)
    with pytest.raises(UsageError, match="not the mean of the losses of its data"):
        require_shares(objective_of("normal:scale=optimal"), COUNTS)
    assert torch.equal(torch.get_rng_state(), before)


class AmortisedGamma(AmortisedNormal):
    """Draws numbers whose distribution depends on the data."""

    def given(self, x, c=None):
        loc, raw = self.encoder(x, c).chunk(2, -1)
        return dist.Gamma(loc.exp(), raw.exp()).to_event(1)


def test_noise_that_depends_on_values_is_refused():
    objective = objective_of("normal:scale=shared")
    objective.guide.__class__ = AmortisedGamma
    objective.elbo = pyro.infer.Trace_ELBO()
    with pytest.raises(UsageError, match="random numbers that depend on no value"):
        SharedObjective(objective, Processes(0, 2))(COUNTS[:4], torch.tensor(1.0))
