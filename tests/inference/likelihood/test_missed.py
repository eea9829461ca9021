"""The bounds of what an estimate misses, on data whose latents are known."""

import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, missed_mass
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal


class Absolute(MLPDecoder):
    """Outputs that depend on |z| alone."""

    def forward(self, z):
        return super().forward(z.abs())


def folded():
    torch.manual_seed(0)
    model = VAE(StandardNormal(1), Absolute(1, (6,), 1, ()), Normal(scale=0.1)).double()
    guide = AmortisedNormal(MLPEncoder((6,), 2, ())).double()
    with torch.no_grad():
        model.decoder.head.weight.fill_(1.0)
        model.decoder.head.bias.zero_()
        # The mean of x is |z|: this guide points to one of two modes, and is as narrow.
        guide.encoder.initialise(torch.cat([torch.full((1, 6), -1.0), torch.full((1, 6), 1.0)]).double())
        guide.encoder.layers[-1].weight.zero_()
        guide.encoder.layers[-1].weight[0].fill_(1.0 / 6.0)
        guide.encoder.layers[-1].bias.copy_(torch.tensor([0.0, -3.0]))
    return model, guide


def test_a_mode_that_no_particle_reaches_is_told():
    model, guide = folded()
    one, both = (
        missed_mass(model, guide, 200, 500, proposal=proposal, progress=False) for proposal in (Amortised(), Refined())
    )
    # Half of the z at least lie in the other mode, and weigh far more than all particles together.
    assert one.summary()["missed"] >= 80
    assert one.summary()["gap"] > 1.0
    assert both.summary()["missed"] == 0
    assert both.summary()["gap"] < 0.02
    assert "0 of 200 z were missed" in str(both)


def test_the_bounds_enclose_the_truth(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5, dtype=torch.float64)
    found = missed_mass(problem.model, problem.guide, 300, 20, proposal=Amortised(), progress=False)
    # Over many data the mean of log p(x) lies between the means of the bounds, by its error.
    assert found.gap.mean() > 0
    torch.manual_seed(0)
    exact = problem.log_marginal(problem.draw(20_000)).mean()
    error = 3 * found.upper.std() / 300**0.5
    assert found.lower.mean() - error < exact < found.upper.mean() + error


def test_few_particles_leave_a_wider_gap(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5)
    few, many = (missed_mass(problem.model, problem.guide, 50, K, progress=False).gap.mean() for K in (4, 400))
    assert few > many > -1e-6


def test_wrong_use(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match="at least 1 datum and 2 particles are needed, but n=0"):
        missed_mass(problem.model, problem.guide, 0)
    with pytest.raises(UsageError, match="density of these particles is not known"):
        missed_mass(problem.model, problem.guide, 2, 4, proposal=Annealed(temperatures=2, most=2), progress=False)


def test_the_same_seed_gives_the_same_bounds(linear_gaussian):
    problem = linear_gaussian()
    first, again, other = (missed_mass(problem.model, problem.guide, 5, 20, seed=s, progress=False) for s in (1, 1, 2))
    assert np.array_equal(first.upper, again.upper)
    assert not np.array_equal(first.upper, other.upper)


class HalfOverflows(Absolute):
    """Outputs that overflow where z is above 0."""

    def forward(self, z):
        return torch.where(z[..., None] > 0, torch.inf, super().forward(z))


def test_data_that_cannot_be_drawn_are_counted_apart():
    model, guide = folded()
    whole = missed_mass(model, guide, 200, 100, progress=False)
    model.decoder.__class__ = HalfOverflows
    found = missed_mass(model, guide, 200, 100, progress=False)
    summary = found.summary()
    assert summary["n"] + summary["unusable"] == 200
    assert 60 < summary["unusable"] < 140
    assert np.isfinite(summary["gap"])
    assert np.isfinite(found.lower[~np.isnan(found.gap)]).all()
    assert f"{summary['unusable']} of 200 data drawn from the model are not finite" in str(found)
    assert whole.summary()["unusable"] == 0
    assert "not finite" not in str(whole)
    with torch.no_grad():
        model.decoder.head.bias.fill_(torch.inf)
    nothing = missed_mass(model, guide, 20, 100, progress=False)
    assert (nothing.summary()["n"], nothing.summary()["unusable"]) == (0, 20)
    assert str(nothing) == "20 of 20 data drawn from the model are not finite, or have no estimate"
