"""Priors: they integrate to one, draws follow them, and they can be learned."""

import math

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import load_run, make_pair, train_run
from obsvae.guides import MLPEncoder, make_guide
from obsvae.inference import Amortised, fit, log_likelihood
from obsvae.model import PRIORS, make_prior
from tests.inference.quadrature import by_quadrature

TEXTS = ["standard-normal", "normal", "mixture:components=1", "mixture", "flow:width=16"]
TEXTS += ["flow:kind=autoregressive,transforms=2,width=8", "vamp:components=6"]
LINE = torch.linspace(-15.0, 15.0, 501, dtype=torch.float64)


def prior_of(text, latent=2):
    """Return a prior whose parameters are far from those that it starts from, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        prior = make_prior(text, latent)
        guide = make_guide("normal", MLPEncoder, (3,), latent, (8,))
        prior.join(guide, (3,))
        prior.initialise(2.0 * torch.randn(20, 3))
        prior.double()
        with torch.no_grad():
            for parameter in prior.parameters():
                parameter.add_(0.15 * torch.randn_like(parameter))
    return prior


def test_all_priors_are_here():
    assert {text.partition(":")[0] for text in TEXTS} == set(PRIORS)


@pytest.mark.parametrize("text", TEXTS)
def test_the_density_integrates_to_one_and_the_draws_follow_it(text):
    p = prior_of(text)()
    assert (p.batch_shape, p.event_shape) == ((), (2,))
    z, cell = torch.cartesian_prod(LINE, LINE), float(LINE[1] - LINE[0]) ** 2
    with torch.no_grad():
        density = p.log_prob(z).exp() * cell
        torch.manual_seed(0)
        drawn = p.sample((200_000,))
    torch.testing.assert_close(density.sum(), torch.ones_like(density.sum()), rtol=2e-4, atol=0)
    for f in (lambda z: z[:, 0], lambda z: z[:, 1], lambda z: z[:, 0] * z[:, 1], lambda z: torch.sin(z).sum(1)):
        values, expected = f(drawn), (density * f(z)).sum()
        assert abs(values.mean() - expected) < 5 * values.std() / len(values) ** 0.5 + 1e-3


@pytest.mark.parametrize("latent", [1, 2, 3])
@pytest.mark.parametrize("text", ["normal", "flow", "flow:kind=autoregressive"])
def test_some_start_as_the_standard_normal(text, latent):
    z = 3 * torch.randn(50, latent)
    expected = make_prior("standard-normal", latent)().log_prob(z)
    torch.testing.assert_close(make_prior(text, latent)().log_prob(z), expected)


def test_the_unit_of_x_makes_no_difference_to_a_vamp_prior():
    x = torch.randn(100, 3)
    z, found = torch.randn(5, 2), []
    for unit in (1e-4, 1.0, 1e4):
        data = load((unit * x).numpy())
        model, guide = make_pair("normal:scale=shared", data, latent=2, hidden=(8,), prior="vamp:components=5")
        fit(model, guide, data, epochs=5, lr=0.01, progress=False)
        assert model.prior.shift.abs().max() > 1e-3
        found.append(model.prior().log_prob(z).detach())
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found[2], found[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("prior", ["flow", "vamp:components=3"])
def test_making_a_pair_leaves_the_random_state_alone(prior):
    before = torch.get_rng_state()
    make_pair("normal", load(np.random.default_rng(0).normal(size=(40, 3))), latent=2, hidden=(4,), prior=prior)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_vamp_prior_beyond_this_machine_is_refused():
    data = load(np.random.default_rng(0).normal(size=(40, 3)))
    with pytest.raises(UsageError, match="of memory to be trained"):
        make_pair("normal", data, latent=2, hidden=(4,), prior="vamp:components=100000000000")


@pytest.mark.parametrize("text", TEXTS)
def test_the_density_is_smooth_in_z_as_curvature_wants_it(text):
    p = prior_of(text)()
    z = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: p.log_prob(z), (z,))
    assert torch.autograd.gradgradcheck(lambda z: p.log_prob(z), (z,))


@pytest.mark.parametrize("text", TEXTS)
def test_a_pair_learns_it_and_its_likelihood_is_right(text):
    torch.manual_seed(0)
    z = torch.randn(400, 2).sign() + 0.2 * torch.randn(400, 2)
    data = load((z @ torch.randn(2, 5) + 0.3 * torch.randn(400, 5)).numpy())
    model, guide = make_pair("normal:scale=shared", data, latent=2, hidden=(16,), prior=text)
    before = [parameter.detach().clone() for parameter in model.prior.parameters()]
    fit(model, guide, data, epochs=4, progress=False)
    assert all(
        (a != b).any() or (name == "logits" and len(a) == 1)  # the share of one component is 1
        for a, (name, b) in zip(before, model.prior.named_parameters(), strict=True)
    )
    model, guide, x = model.double(), guide.double(), data.test[:8].double()
    exact = by_quadrature(model, x)
    found = log_likelihood(model, guide, x, 400, progress=False).weights
    assert (abs(found.estimate - exact) < 5 * found.standard_error + 2e-3).all()
    # The guide has hardly been trained: what it proposes is a bound.
    found = log_likelihood(model, guide, x, 4000, proposal=Amortised(), progress=False).weights
    assert (found.estimate - exact < 5 * found.standard_error + 2e-3).all()
    assert (found.estimate - exact > -1.0).all()


@pytest.mark.parametrize("guide", ["normal", "full-rank", "mixture:components=2", "flow:transforms=1,width=8"])
def test_a_vamp_prior_is_a_mixture_of_what_its_guide_says_of_rows(guide, tmp_path):
    x = torch.randn(60, 4).masked_fill(torch.rand(60, 4) < 0.2, math.nan)
    data = load(x.numpy(), missing=True)
    options = {"latent": 2, "hidden": (8,), "guide": guide, "prior": "vamp:components=7"}
    model, q = make_pair("normal:scale=shared", data, **options)
    for part in (model, q):
        part.initialise(data.train)
    rows = torch.linspace(0, len(data.train) - 1, 7).round().long()
    z = torch.randn(5, 2)
    with torch.no_grad():
        expected = q.given(data.train[rows]).log_prob(z.unsqueeze(1)).logsumexp(1) - math.log(7)
        torch.testing.assert_close(model.prior().log_prob(z), expected)
    run = train_run("normal:scale=shared", data, tmp_path / "run", epochs=2, progress=False, **options)
    again = load_run(tmp_path / "run", data=data)
    assert torch.equal(again.model.prior().log_prob(z), run.model.prior().log_prob(z))
    assert not torch.equal(run.model.prior().log_prob(z), model.prior().log_prob(z))
    assert again.model.prior.guide is again.guide


def test_a_vamp_prior_needs_a_guide_with_a_density():
    with pytest.raises(UsageError, match="make the pair by make_pair"):
        make_prior("vamp", 2)()
    with pytest.raises(UsageError, match="a point mass has no density"):
        make_pair("normal", load(torch.randn(40, 3).numpy()), latent=2, guide="delta", prior="vamp")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vamp:components=0", "prior vamp needs components of at least 1, but got 0"),
        ("mixture:components=0", "prior mixture needs components of at least 1, but got 0"),
        ("flow:kind=spline", "unknown kind of flow 'spline'"),
        ("flow:width=0", "a flow needs width of 1 to 4096, but got 0"),
        ("normal:scale=2", "prior normal has no option 'scale=2'; it takes none"),
        ("gaussian", "unknown prior 'gaussian'"),
    ],
)
def test_options_that_do_not_fit_are_refused(text, words):
    with pytest.raises(UsageError, match=words):
        make_prior(text, 2)
