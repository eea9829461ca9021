"""Modes where the decoder turns, and mixtures that keep what they know."""

import numpy as np
import pytest
import torch

from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import log_likelihood
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.mixtures.fitted import Fitted
from obsvae.inference.likelihood.mixtures.normal_fit import NormalFit, climb
from obsvae.model import VAE, Bernoulli, MLPDecoder, Normal, StandardNormal
from tests.inference.quadrature import by_quadrature


class Sine(MLPDecoder):
    """The sine of 8 z for every feature."""

    def forward(self, z):
        return torch.sin(8.0 * z).unsqueeze(-1).expand(*z.shape[:-1], *self.event_shape, 1)


def wave():
    model = VAE(StandardNormal(1), Sine(1, (6,), 1, ()), Normal(scale=0.5)).double()
    return model, AmortisedNormal(MLPEncoder((6,), 2, ())).double()


@pytest.mark.parametrize("latent", [1, 3])
def test_with_its_bend_the_curvature_is_the_whole_of_it(latent):
    torch.manual_seed(0)
    model = VAE(StandardNormal(latent), MLPDecoder(latent, (9,), 1, (6,)), Bernoulli()).double()
    for parameter in model.decoder.parameters():
        parameter.data.mul_(3.0)
    model.decoder.body[1] = torch.nn.Tanh()
    z = torch.randn(5, latent, dtype=torch.float64)
    with torch.no_grad():
        x = model(n=5)
        joint = Joint(model, AmortisedNormal(MLPEncoder((9,), 2 * latent, ())).double(), x, 3)
        _, curvature = joint.linearise(z)
        bend = joint.bend(z)

    def log_joint(z, x):
        return model.given(z).log_prob(x).sum() + model.prior().log_prob(z)

    exact = -torch.stack([torch.func.hessian(log_joint)(z[i], x[i]) for i in range(5)])
    assert bend.abs().max() > 0.1
    torch.testing.assert_close(curvature + bend, exact)


def test_the_fit_at_the_top_of_a_wave_is_as_wide_as_the_posterior():
    # No z gives means of 2: at the highest ones the decoder is flat, and Gauss and Newton's curvature is the prior's.
    model, guide = wave()
    x = torch.full((1, 6), 2.0, dtype=torch.float64)
    joint = Joint(model, guide, x, 100)
    top = torch.full((1, 1), np.pi / 16, dtype=torch.float64)
    with torch.no_grad():
        fit, _ = climb(joint, top, steps=5)
    # The second derivative of 6 (2 - sin 8z)² / 2 σ² at the top, and of the prior.
    assert float(fit.precision) == pytest.approx(6 * 64 / 0.25 + 1.0, rel=0.02)


@pytest.mark.parametrize("level", [2.0, 0.3])
def test_all_waves_are_found(level):
    model, guide = wave()
    torch.manual_seed(0)
    x = level + 0.05 * torch.randn(20, 6, dtype=torch.float64)
    found = log_likelihood(model, guide, x, 2000, progress=False).weights
    error = found.estimate - by_quadrature(model, x)
    assert np.abs(error / found.standard_error).max() < 4.5
    assert np.median(np.abs(error)) < 0.03


def test_a_small_mode_that_a_sample_has_not_drawn_keeps_its_share():
    model, guide = wave()
    joint = Joint(model, guide, torch.zeros(1, 6, dtype=torch.float64), 1000)
    like, which = torch.zeros(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.long)
    mixture = Fitted.without_normals(joint, like, which.clone())
    for at, share in ((0.0, 0.95), (3.0, 0.05)):
        one = torch.full((1, 1, 1), 1e4, dtype=torch.float64)
        mixture.add(which, NormalFit(like + at, one, one.rsqrt(), which), torch.tensor([share]).log())
    near = (0.01 * torch.randn(100, 1, 1)).double()
    far = torch.cat([near[:95], 3.0 + near[95:]])
    shares = []
    for z in (far, near, near):
        mixture.learn(which, z, torch.full((100, 1), 0.01), torch.tensor([100.0]), passes=2)
        shares.append(float(mixture.log_shares[-1].exp().detach()))
    # 5 of 100, of 200 and of 300 draws.
    np.testing.assert_allclose(shares, [0.05, 0.025, 0.0167], rtol=0.25)
