"""Refined proposals for every family, and for priors, guides and decoders of other kinds."""

import numpy as np
import pyro.distributions as dist
import pytest
import torch

from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Annealed, Refined, log_likelihood
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.model import VAE, Bernoulli, ConvDecoder, MLPDecoder, Normal, StandardNormal
from tests.inference.parts import FlowGuide, Laplace, Mixture
from tests.inference.quadrature import LIKELIHOODS, by_quadrature
from tests.model.cases import EVENT, make_case


@pytest.mark.parametrize("spec", LIKELIHOODS)
def test_every_family_against_quadrature(spec):
    case = make_case(spec, "own")
    torch.manual_seed(0)
    decoder = MLPDecoder(1, EVENT, case.observation.outputs, hidden=(8,)).double()
    with torch.no_grad():
        decoder.head.weight.mul_(2.0 * case.family.stretch)
        decoder.head.bias.zero_()
    model = VAE(StandardNormal(1).double(), decoder, case.observation)
    guide = AmortisedNormal(MLPEncoder(EVENT, 2, ())).double()  # untrained
    with torch.no_grad():
        x = model(n=4).double()
        guide.encoder.initialise(x)
    found = log_likelihood(model, guide, x, 1000, memory=2**30, progress=False)
    error = found.weights.estimate - by_quadrature(model, x)
    if model.observation.is_bound:  # its noise is drawn anew for every particle
        assert np.abs(error).max() < 0.3
        return
    assert np.abs(error / found.weights.standard_error.clip(min=1e-3)).max() < 4.5
    assert np.abs(error).max() < 0.1


# (proposal, particles, latent, hidden)
BERNOULLI = [
    *((Refined(), 2000, latent, hidden) for latent in (1, 2) for hidden in ((), (6,))),
    *((Annealed(temperatures=60, start=start), 200, 2, (6,)) for start in (Refined(), None)),
    *(
        pytest.param(Annealed(temperatures=200, start=start), 200, latent, hidden, marks=pytest.mark.slow)
        for start in (Refined(), None)
        for latent in (1, 2)
        for hidden in ((), (6,))
    ),
]


@pytest.mark.parametrize(("proposal", "K", "latent", "hidden"), BERNOULLI)
def test_bernoulli_against_quadrature(proposal, K, latent, hidden):
    torch.manual_seed(0)
    model = VAE(StandardNormal(latent), MLPDecoder(latent, (9,), 1, hidden), Bernoulli()).double()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3.0)
        x = model(n=12)
    guide = AmortisedNormal(MLPEncoder((9,), 2 * latent, (4,))).double()  # untrained
    found = log_likelihood(model, guide, x, K, proposal=proposal, progress=False)
    error = found.weights.estimate - by_quadrature(model, x)
    assert np.abs(error / found.weights.standard_error.clip(min=2e-4)).max() < 4.5
    assert np.abs(error).max() < 0.1


@pytest.mark.parametrize("prior", [Mixture, Laplace])
def test_priors_of_other_kinds(prior):
    torch.manual_seed(1)
    model = VAE(prior(), MLPDecoder(1, (5,), 1, (6,)), Normal(scale=1.0)).double()
    guide = AmortisedNormal(MLPEncoder((5,), 2, ())).double()
    with torch.no_grad():
        x = model(n=10)
    found = log_likelihood(model, guide, x, 5000, proposal=Refined(rounds=4), progress=False)
    error = found.weights.estimate - by_quadrature(model, x)
    assert np.abs(error / found.weights.standard_error.clip(min=1e-3)).max() < 4.5


def test_a_guide_without_a_mean():
    torch.manual_seed(1)
    model = VAE(StandardNormal(1), MLPDecoder(1, (5,), 1, (6,)), Normal(scale=0.5)).double()
    with torch.no_grad():
        x = model(n=10)
    found = log_likelihood(model, FlowGuide(1), x, 3000, progress=False)
    assert np.abs(found.weights.estimate - by_quadrature(model, x)).max() < 0.05


def test_a_posterior_with_two_modes_is_covered():
    # x depends on |z| alone: Laplace's approximation at one mode has half of the mass.
    class Absolute(MLPDecoder):
        def forward(self, z):
            return super().forward(z.abs())

    torch.manual_seed(0)
    model = VAE(StandardNormal(1), Absolute(1, (6,), 1, ()), Normal(scale=0.2)).double()
    guide = AmortisedNormal(MLPEncoder((6,), 2, ())).double()
    with torch.no_grad():
        model.decoder.head.weight.fill_(1.0)
        x = model(n=20)
    exact = by_quadrature(model, x)
    found = log_likelihood(model, guide, x, 4000, proposal=Refined(starts=1), progress=False).weights
    assert np.abs(found.estimate - exact).max() < 0.1
    assert not found.flagged.any()


@pytest.mark.parametrize("outputs", [1, 2, 7, 12])
def test_linearise_is_the_gradient_and_the_information_of_a_linear_model(outputs):
    class Several(Normal):
        """A Normal whose mean is the sum of its outputs."""

        def forward(self, eta):
            return dist.Normal(eta.sum(-1), 0.5)

    observation = Several(scale=0.5)
    observation.outputs = outputs
    model = VAE(StandardNormal(3), MLPDecoder(3, (200,), outputs, ()), observation).double()
    torch.manual_seed(0)
    with torch.no_grad():
        x, z = model(n=4), torch.randn(4, 3, dtype=torch.float64)
    joint = Joint(model, AmortisedNormal(MLPEncoder((200,), 6, ())).double(), x, 1000)
    gradient, H = joint.linearise(z)
    _, expected = joint.gradient(z[None])
    torch.testing.assert_close(gradient.detach(), expected[0])
    J = model.decoder.head.weight.detach().unflatten(0, (200, outputs)).sum(1)
    exact = J.T @ J / 0.25 + torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(H.detach(), exact.expand(4, 3, 3))


def test_chunks_do_not_change_what_is_computed():
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), ConvDecoder(2, (8, 8), 1, (4, 3)), Bernoulli()).double()
    guide = AmortisedNormal(MLPEncoder((8, 8), 4, ())).double()
    with torch.no_grad():
        x = model(n=7)
        z = torch.randn(5, 7, 2, dtype=torch.float64)
        whole = Joint(model, guide, x, 10_000)
        for rows in (1, 3, 20):
            parts = Joint(model, guide, x, rows)
            torch.testing.assert_close(parts.log_prob(z), whole.log_prob(z))
            for a, b in zip(parts.gradient(z), whole.gradient(z), strict=True):
                torch.testing.assert_close(a, b)
            for a, b in zip(parts.linearise(z[0]), whole.linearise(z[0]), strict=True):
                torch.testing.assert_close(a, b)


@pytest.mark.parametrize("starts", [1, 8])
def test_a_mode_that_the_guide_points_away_from_is_found(starts):
    # Two modes far apart, one of them with nearly all of the mass; the guide points to the other.
    class Steep(MLPDecoder):
        def forward(self, z):
            near, far = -0.5 * ((z + 2) / 0.1) ** 2, 6.0 - 0.5 * ((z - 2) / 0.1) ** 2
            return torch.logaddexp(near, far).expand(*z.shape[:-1], 1).unsqueeze(-1)

    class Level(Normal):
        """The log-likelihood is η itself, up to a constant, whatever x."""

        def forward(self, eta):
            return dist.Normal(torch.sqrt(2 * (60.0 - eta.squeeze(-1)).clamp(min=0.0)), 1.0)

    model = VAE(StandardNormal(1), Steep(1, (1,), 1, ()), Level(scale=1.0)).double()
    guide = AmortisedNormal(MLPEncoder((1,), 2, ())).double()
    with torch.no_grad():
        guide.encoder.layers[-1].weight.zero_()
        guide.encoder.layers[-1].bias.copy_(torch.tensor([-2.0, 1.0]))
    x = torch.zeros(10, 1, dtype=torch.float64)
    exact = by_quadrature(model, x)
    found = log_likelihood(model, guide, x, 500, proposal=Refined(starts=starts), progress=False).weights
    assert np.abs(found.estimate - exact).max() < 0.1
    assert not found.flagged.any()
