"""Simulation-based calibration, on posteriors that are known to be right, too narrow and too wide."""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference import Calibration, Proposal, calibrate
from obsvae.model import VAE, MLPDecoder, StandardNormal, UnnormalisedBernoulli
from tests.inference.conftest import Drawn


@pytest.mark.parametrize(("widened", "is_right"), [(1.0, True), (0.3, False), (3.0, False)])
def test_a_posterior_of_the_right_width_and_no_other_is_calibrated(linear_gaussian, widened, is_right):
    # The resampled particles of a proposal are the posterior itself, so a wrong width has to come from the guide.
    problem = linear_gaussian(latent=2, features=6, dtype=torch.float64)
    _, covariance = problem.posterior(problem.draw(1))
    encoder = problem.guide.encoder
    with torch.no_grad():  # m(x) is linear, so the untrained encoder without hidden layers can be the posterior's
        gain = torch.linalg.lstsq(problem.W.T @ problem.W + problem.sigma**2 * torch.eye(2), problem.W.T).solution
        layer = encoder.layers[-1]
        layer.weight[:2] = gain
        layer.bias[:2] = -gain @ problem.b
        layer.weight[2:] = 0.0
        layer.bias[2:] = torch.log(torch.expm1(widened * covariance.diagonal().sqrt() - problem.guide.floor))
    n = 300 if is_right else 150
    found = calibrate(problem.model, problem.guide, n, 99, progress=False, particles=500)
    assert set(found.ranks) == {"guide", "refined"}
    assert found.ranks["guide"].shape == (n, 3)
    latents = [name for name in found.outside("guide") if name.startswith("z")]
    assert (len(latents) == 0) == is_right
    assert not found.outside("refined")


def test_ranks_by_hand():
    ranks = np.array([[0, 4], [2, 2], [4, 0]])
    found = Calibration({"guide": ranks}, 4, {})
    transforms = found.transforms("guide")
    assert list(transforms) == ["z[0]", "log p(x, z)"]
    for values, rank in zip(transforms.values(), ranks.T, strict=True):
        assert ((rank / 5 <= values) & (values <= (rank + 1) / 5)).all()
    tree = found.to_arviz("guide")
    assert tree["prior_sbc"]["z"].dims == ("chain", "draw", "latent")
    az.plot_ecdf_pit(tree, var_names=["z"])
    plt.close("all")  # ArviZ draws with pyplot, which keeps its figures


def test_the_same_seed_gives_the_same_ranks(linear_gaussian):
    problem = linear_gaussian()
    first, again, other = (
        calibrate(problem.model, problem.guide, 20, 9, seed=seed, particles=60, progress=False).ranks
        for seed in (1, 1, 2)
    )
    for name in first:
        assert np.array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


def test_data_without_usable_weights_are_left_out_of_the_particles_posterior_alone(linear_gaussian):
    problem = linear_gaussian()

    class Lost(Drawn):
        def __call__(self, k):
            z, log_w = super().__call__(k)
            log_w[:, : self.lost] = -torch.inf
            return z, log_w

    def some(lost):
        class Some(Proposal):
            name = "some"

            def __call__(self, joint):
                sampler = Lost(joint, joint.proposed)
                sampler.lost = lost
                return sampler

        return Some()

    def found(lost):
        return calibrate(problem.model, problem.guide, 20, 9, proposal=some(lost), particles=50, progress=False)

    assert {name: len(ranks) for name, ranks in found(5).ranks.items()} == {"guide": 20, "some": 15}
    with pytest.raises(UsageError, match="at least 2 data with usable weights, but 1 of 20"):
        found(19)


def test_what_cannot_be_calibrated_is_refused(linear_gaussian):
    problem = linear_gaussian()
    for n, draws in ((1, 9), (10, 0)):
        with pytest.raises(UsageError, match="whole number of at least"):
            calibrate(problem.model, problem.guide, n, draws)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(UsageError, match="not a likelihood"):
        calibrate(loss, problem.guide)
