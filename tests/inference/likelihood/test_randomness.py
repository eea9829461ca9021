"""Random numbers belong to a datum: what it is computed with changes nothing."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, log_likelihood
from obsvae.inference.likelihood.density.randomness import Streams
from obsvae.model import VAE, Bernoulli, MLPDecoder, StandardNormal, make_observation

PROPOSALS = [
    pytest.param(Amortised(), id="amortised"),
    pytest.param(Refined(), id="refined"),
    pytest.param(Annealed(temperatures=10, most=40), id="ais", marks=pytest.mark.slow),
]


def problem(n=12):
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (9,), 1, (6,)), Bernoulli()).double()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3.0)
        x = model(n=n)
    return model, AmortisedNormal(MLPEncoder((9,), 4, (4,))).double(), x


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_memory_batch_and_order_change_nothing_beyond_rounding(proposal):
    model, guide, x = problem()

    def estimates(x, memory=2**27):
        found = log_likelihood(model, guide, x, 60, proposal=proposal, memory=memory, seed=3, progress=False)
        return found.weights.estimate

    whole = estimates(x)
    order = torch.randperm(len(x))
    np.testing.assert_allclose(estimates(x, memory=2**16), whole, atol=1e-6)
    np.testing.assert_allclose(estimates(x[order]), whole[order.numpy()], atol=1e-6)
    np.testing.assert_allclose(np.concatenate([estimates(x[:5]), estimates(x[5:])]), whole, atol=1e-6)


@pytest.mark.slow
def test_noise_of_a_density_belongs_to_the_datum_too():
    digits = load("digits")
    observation = make_observation("dequantised:inner=normal", digits)
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, digits.event_shape, observation.outputs, (4,)), observation).double()
    guide = AmortisedNormal(MLPEncoder(digits.event_shape, 4, ())).double()
    x = digits.test[:6].double()
    whole, parts, turned = (
        log_likelihood(model, guide, data, 60, memory=memory, progress=False).weights.estimate
        for data, memory in ((x, 2**27), (x, 2**18), (x.flip(0), 2**27))
    )
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    np.testing.assert_allclose(turned[::-1], whole, atol=1e-6)


def test_streams_are_set_by_the_datum_and_the_seed():
    x = torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    like = torch.zeros(1, 3)
    first, again = Streams.of(x, 0).normal(5, like), Streams.of(x.double(), 0).normal(5, like)
    assert torch.equal(first, again)
    assert torch.equal(first[:, 0], first[:, 1])
    assert not torch.equal(first[:, 0], first[:, 2])
    assert torch.equal(Streams.of(x[2:], 0).normal(5, like)[:, 0], first[:, 2])
    assert not torch.equal(Streams.of(x, 1).normal(5, like), first)


def test_the_noise_of_all_data_together_is_standard_normal():
    x = torch.arange(4000.0).unsqueeze(1)
    noise = Streams.of(x, 0).normal(2, torch.zeros(1, 3)).flatten().double()
    assert abs(noise.mean()) < 4.5 / len(noise) ** 0.5
    assert abs(noise.var() - 1.0) < 4.5 * (2.0 / len(noise)) ** 0.5


def test_zero_has_no_sign():
    x = torch.tensor([[0.0, 1.0], [-0.0, 1.0]])
    a, b = Streams.of(x, 0).generators
    assert torch.equal(torch.rand(5, generator=a), torch.rand(5, generator=b))
