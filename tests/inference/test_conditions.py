"""Models with conditions against closed forms, and that conditions are never left out."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.pair import make_pair
from obsvae.guides import AmortisedNormal, ConvEncoder, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, bidirectional, elbo, fit, log_likelihood, missed_mass
from obsvae.inference.conditions import alike
from obsvae.inference.processes.alone import Processes
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.inference.training.objectives.registry import make_objective
from obsvae.inference.training.steps.shared_objective import SharedObjective
from obsvae.model import VAE, ConvDecoder, MLPDecoder, Normal, StandardNormal
from obsvae.modes import seeded

LATENT, FEATURES, C, SIGMA = 2, 4, 3, 0.5


class Linear:
    """z ~ N(0, I), x | z, c ~ N(W z + A c + b, σ² I): log p(x | c) is in closed form."""

    def __init__(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            decoder = MLPDecoder(LATENT + C, (FEATURES,), hidden=())
            self.model = VAE(StandardNormal(LATENT), decoder, Normal(scale=SIGMA), C)
            self.guide = AmortisedNormal(MLPEncoder((FEATURES,), 2 * LATENT, (), conditions=C))
            with torch.no_grad():
                decoder.head.weight.normal_()
                decoder.head.bias.normal_()
            self.W, self.A = decoder.head.weight.detach().split([LATENT, C], 1)
            self.b = decoder.head.bias.detach()
            self.c = torch.randn(30, C)
            self.x = self.draw(self.c)

    def draw(self, c):
        noise = SIGMA * torch.randn(len(c), FEATURES)
        return torch.randn(len(c), LATENT) @ self.W.T + c @ self.A.T + self.b + noise

    def log_marginal(self, x, c):
        W = self.W.double()
        covariance = W @ W.T + SIGMA**2 * torch.eye(FEATURES, dtype=torch.float64)
        mean = c.double() @ self.A.double().T + self.b.double()
        return torch.distributions.MultivariateNormal(mean, covariance).log_prob(x.double()).numpy()

    def perfect_guide(self):
        """Let the guide be the posterior with its variances, wider by a half: q covers it."""
        W, A, b = self.W, self.A, self.b
        covariance = torch.linalg.inv(torch.eye(LATENT) + W.T @ W / SIGMA**2)
        gain = covariance @ W.T / SIGMA**2
        scale = 1.5 * covariance.diagonal().sqrt()
        with torch.no_grad():
            layer = self.guide.encoder.layers[-1]
            layer.weight.zero_()
            layer.weight[:LATENT] = torch.cat([gain, -gain @ A], 1)
            layer.bias.copy_(torch.cat([-gain @ b, (scale - self.guide.floor).expm1().log()]))
        return self.guide


@pytest.fixture(scope="module")
def linear():
    return Linear()


@pytest.mark.parametrize(
    ("proposal", "particles", "data", "near"),
    [(Amortised(), 4000, 30, 0.05), (Refined(), 300, 30, 0.05), (Annealed(temperatures=50, leapfrog=3), 32, 4, 0.3)],
)
def test_estimates_are_the_closed_form(linear, proposal, particles, data, near):
    x, c = linear.x[:data], linear.c[:data]
    found = log_likelihood(
        linear.model, linear.perfect_guide(), x, particles, c=c, proposal=proposal, progress=False
    ).weights
    away = found.estimate - linear.log_marginal(x, c)
    assert (np.abs(away) < 4 * found.standard_error + 1e-3).all()
    assert np.abs(away).mean() < near


def test_other_conditions_give_other_likelihoods(linear):
    shuffled = linear.c.roll(1, 0)
    found = log_likelihood(linear.model, linear.guide, linear.x, 300, c=shuffled, progress=False).weights
    exact = linear.log_marginal(linear.x, shuffled)
    assert np.abs(found.estimate - exact).max() < 0.5
    assert (linear.log_marginal(linear.x, linear.c) - exact).mean() > 1.0


def test_equal_conditions_are_a_bias(linear):
    c = linear.c[:1]
    plain = VAE(StandardNormal(LATENT), MLPDecoder(LATENT, (FEATURES,), hidden=()), Normal(scale=SIGMA))
    guide = AmortisedNormal(MLPEncoder((FEATURES,), 2 * LATENT, ()))
    with torch.no_grad():
        plain.decoder.head.weight.copy_(linear.W)
        plain.decoder.head.bias.copy_(linear.b + c[0] @ linear.A.T)
        ours, layer = linear.perfect_guide().encoder.layers[-1], guide.encoder.layers[-1]
        layer.weight.copy_(ours.weight[:, :FEATURES])
        layer.bias.copy_(ours.bias + ours.weight[:, FEATURES:] @ c[0])
    x = linear.draw(c.expand(30, C))
    there = log_likelihood(plain, guide, x, 200, progress=False)
    same = log_likelihood(linear.model, linear.guide, x, 200, c=c.expand(30, C), progress=False)
    assert np.allclose(same.weights.estimate, there.weights.estimate, atol=1e-3)


def test_an_estimate_does_not_depend_on_the_other_data(linear):
    whole = log_likelihood(linear.model, linear.guide, linear.x, 100, c=linear.c, progress=False)
    some = log_likelihood(linear.model, linear.guide, linear.x[5:8], 100, c=linear.c[5:8], progress=False)
    assert np.allclose(whole.weights.estimate[5:8], some.weights.estimate, atol=1e-4)


def test_the_elbo_is_below_and_nothing_is_missed(linear):
    guide = linear.perfect_guide()
    exact = linear.log_marginal(linear.x, linear.c)
    assert (elbo(linear.model, guide, linear.x, 500, c=linear.c) < exact).all()
    missed = missed_mass(linear.model, guide, 30, 300, c=linear.c, progress=False)
    assert missed.summary()["missed"] == 0
    assert missed.summary()["gap"] < 0.1


@pytest.mark.slow
def test_annealing_there_and_back_brackets_the_closed_form(linear):
    guide = linear.perfect_guide()
    bracket = bidirectional(
        linear.model, guide, 6, 16, c=linear.c[:6], proposal=Annealed(temperatures=50, leapfrog=3), progress=False
    )
    lower, upper = bracket.bounds()
    truth = linear.log_marginal(bracket.x, linear.c[:6])
    assert abs((lower - truth).mean()) < 0.3
    assert abs((upper - truth).mean()) < 0.3


class Tensors:
    def __init__(self, linear, n=400):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.given = {"train": torch.randn(n, C), "validation": torch.randn(60, C)}
            self.train, self.validation = (linear.draw(c) for c in self.given.values())

    def epoch(self, generator):
        return self.train


def fresh():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = VAE(StandardNormal(LATENT), MLPDecoder(LATENT + C, (FEATURES,), hidden=()), Normal(scale=SIGMA), C)
        return model, AmortisedNormal(MLPEncoder((FEATURES,), 2 * LATENT, (), conditions=C))


def test_exported_and_plain_training_agree_and_learn_what_conditions_say(linear):
    data = Tensors(linear)
    losses = []
    for exported in (True, False):
        pair = fresh()
        how = {"epochs": 30, "lr": 0.03, "compiled": False, "exported": exported, "progress": False}
        history = fit(*pair, data, **how)
        losses.append([one.validation_elbo for one in history])
    assert np.allclose(*losses, atol=1e-3)
    exact = linear.log_marginal(data.validation, data.given["validation"]).mean()
    assert exact - 0.6 < losses[0][-1] < exact + 0.1  # a mean-field guide and few data lose a little


@pytest.mark.slow
def test_a_compiled_training_is_the_same(linear):
    data, histories = Tensors(linear), []
    for compiled in (True, False):
        histories.append(fit(*fresh(), data, epochs=3, lr=0.03, compiled=compiled, progress=False))
    assert np.allclose(*([one.validation_elbo for one in history] for history in histories), atol=1e-3)


@pytest.mark.parametrize("objective", ["elbo", "elbo:kl=path", "iwae:particles=3"])
def test_objectives_take_conditions(linear, objective):
    loss = make_objective(objective, linear.model, linear.guide)
    beta = torch.tensor(1.0)
    with seeded(0, torch.device("cpu")):
        right = loss(linear.x, beta, linear.c)
    with seeded(0, torch.device("cpu")):
        wrong = loss(linear.x, beta, linear.c.roll(1, 0))
    assert right.item() < wrong.item()


def test_processes_share_conditions_by_row(linear):
    loss, beta = make_objective("elbo", linear.model, linear.guide), torch.tensor(1.0)
    assert isinstance(loss, PyroELBO)
    with seeded(0, torch.device("cpu")):
        whole = loss(linear.x, beta, linear.c).item()
    shares = []
    for rank in range(2):
        with seeded(0, torch.device("cpu")):
            shares.append(SharedObjective(loss, Processes(rank, 2))(linear.x, beta, linear.c).item())
    assert sum(shares) == pytest.approx(whole, rel=1e-5)


def test_conditions_are_never_left_out(linear):
    model, guide, x, c = linear.model, linear.guide, linear.x, linear.c
    plain = VAE(StandardNormal(LATENT), MLPDecoder(LATENT, (FEATURES,)), Normal())
    missing = r"conditions are needed, c of shape \(N, 3\), but got none"
    attempts = {
        missing: [
            lambda: model(x),
            lambda: guide(x),
            lambda: model.decode(torch.zeros(2, LATENT)),
            lambda: log_likelihood(model, guide, x),
            lambda: missed_mass(model, guide, 5),
            lambda: fit(model, guide, load(x.numpy())),
        ],
        "no conditions are needed": [lambda: plain(x, c), lambda: plain.check(x, c=c)],
        r"shape \(N, 3\) are needed, but got c of shape \(30, 2\)": [lambda: model(x, c[:, :2])],
        r"shape \(30, 3\), a row for each datum, but got \(29, 3\)": [
            lambda: log_likelihood(model, guide, x, c=c[:29]),
        ],
        "those of datum 4 .* are not": [lambda: model.check(x, c=c.clone().index_fill_(0, torch.tensor(4), torch.nan))],
        "beside 3 conditions": [
            lambda: VAE(StandardNormal(LATENT + 1), MLPDecoder(LATENT + C, (FEATURES,)), Normal(), C)
        ],
    }
    for words, some in attempts.items():
        for attempt in some:
            with pytest.raises(UsageError, match=words):
                attempt()


def test_images_take_conditions_as_channels():
    encoder, c = ConvEncoder((8, 8), 4, (4, 8), conditions=2), torch.eye(2)
    x = torch.zeros(2, 8, 8)
    assert encoder(x, c).shape == (2, 4)
    assert not torch.equal(encoder(x, c)[0], encoder(x, c)[1])
    model = VAE(StandardNormal(3), ConvDecoder(3 + 2, (8, 8), hidden=(8, 4)), Normal(), 2)
    assert model.given(torch.zeros(5, 2, 3), c).batch_shape == (5, 2, 8, 8)


def test_the_model_draws_a_datum_for_each_condition(linear):
    assert linear.model(None, linear.c).shape == (30, FEATURES)


def test_vampprior_takes_no_conditions():
    with pytest.raises(UsageError, match="prior vamp is a mixture of what the guide says of pseudo-inputs, which have"):
        make_pair("normal", load("digits", conditions=["label"]), latent=2, hidden=(8,), prior="vamp")


def test_conditions_for_draws_are_as_frequent_as_those_of_data():
    c = torch.arange(3.0).unsqueeze(1)
    assert alike(c, 6).flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert alike(c, 2).flatten().tolist() == [0, 1]
    assert alike(None, 5) is None
