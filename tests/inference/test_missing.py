"""Missing entries: left out exactly, whatever stands in their place."""

import numpy as np
import pytest
import torch

from obsvae.data import Grid, load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair
from obsvae.guides import AmortisedNormal, MLPEncoder, Standardised
from obsvae.inference import Annealed, Refined, fit, log_likelihood, missed_mass, reproduce
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.model import VAE, MLPDecoder, Normal, Partial, StandardNormal, make_observation, on_grid
from tests.model.cases import make_case
from tests.model.wrapped import EVERY

FULL = [spec for spec in EVERY if "optimal" not in spec]


def holes(x, share=0.3, seed=0):
    """Return x with entries missing at random, but for those of the first datum."""
    missing = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) < share
    missing[0] = False
    return torch.where(missing, torch.nan, x), missing


@pytest.mark.parametrize("spec", FULL)
def test_every_family_leaves_out_what_is_missing(spec):
    case = make_case(spec, "own")
    x, eta = case.x(4), case.eta(4)
    partial = Partial(case.observation, x.shape[1:]).to(x.dtype)
    partial.elsewhere.copy_(x[0])
    whole = case.observation(eta).log_prob(x)
    # All seen: the same, to the last bit.
    assert torch.equal(partial(eta).log_prob(x), whole)
    gappy, missing = holes(x)
    eta.requires_grad_()
    log_p = partial(eta).log_prob(gappy)
    assert torch.equal(log_p[~missing], whole[~missing])
    assert (log_p[missing] == 0).all()
    if not log_p.requires_grad:
        return
    (slope,) = torch.autograd.grad(log_p.sum(), eta)
    assert (slope[missing] == 0).all()
    (expected,) = torch.autograd.grad(case.observation(eta).log_prob(x)[~missing].sum(), eta)
    assert torch.equal(slope.nan_to_num(), expected.nan_to_num())
    partial.check(gappy)


@pytest.mark.parametrize("spec", [spec for spec in FULL if "100000" not in spec and "per-feature" not in spec])
def test_a_start_from_holes_is_finite_and_near_that_of_all(spec):
    case = make_case(spec, "own")
    x = case.x(400)
    gappy, missing = holes(x)
    partial = Partial(case.observation, x.shape[1:]).to(x.dtype)
    eta = partial.initialise(gappy)
    assert torch.isfinite(eta).all()
    log_p = partial(eta).log_prob(gappy)
    assert torch.isfinite(log_p).all()
    (seen,) = (log_p[~missing].mean(),)
    full = case.observation.initialise(x)
    assert abs(float((seen - case.observation(full).log_prob(x)[~missing].mean()).detach())) < 0.2


def test_support_is_refused_where_it_is_seen():
    partial = Partial(make_observation("gamma"), (2,))
    partial.check(torch.tensor([[1.0, torch.nan]]))
    with pytest.raises(UsageError, match="gamma needs x above 0, but found -1 at datum 1, feature 0"):
        partial.check(torch.tensor([[1.0, torch.nan], [-1.0, torch.nan]]))
    with pytest.raises(UsageError, match="feature 1 has none"):
        partial.initialise(torch.tensor([[1.0, torch.nan], [2.0, torch.nan]]))
    with pytest.raises(UsageError, match="take scale=shared"):
        Partial(Normal(scale="optimal"), (2,))


def linear(features=5, latent=2, sigma=0.4):
    torch.manual_seed(0)
    observation = Partial(Normal(scale=sigma), (features,))
    model = VAE(StandardNormal(latent), MLPDecoder(latent, (features,), 1, ()), observation).double()
    inputs = Standardised((features,), has_missing=True)
    guide = AmortisedNormal(MLPEncoder((features,), 2 * latent, (8,), inputs)).double()
    return model, guide


def closed_form(model, x, sigma=0.4):
    """Return log p of the entries that are seen, a Normal with the covariance W Wᵀ + σ² I of these."""
    W, b = (t.detach() for t in (model.decoder.head.weight, model.decoder.head.bias))
    found = []
    for datum in x:
        seen = ~datum.isnan()
        if not seen.any():
            found.append(0.0)
            continue
        covariance = W[seen] @ W[seen].T + sigma**2 * torch.eye(int(seen.sum()), dtype=torch.float64)
        found.append(float(torch.distributions.MultivariateNormal(b[seen], covariance).log_prob(datum[seen])))
    return np.array(found)


@pytest.mark.parametrize("proposal", [Refined(), pytest.param(Annealed(temperatures=60), marks=pytest.mark.slow)])
def test_log_p_is_that_of_what_is_seen(proposal):
    model, guide = linear()
    with torch.no_grad():
        x, _ = holes(model(n=12), 0.5)
        x[3] = torch.nan  # nothing is seen: p(x) is 1
    found = log_likelihood(model, guide, x, 4000, proposal=proposal, progress=False).weights
    error = found.estimate - closed_form(model, x)
    assert np.abs(error / found.standard_error.clip(min=1e-3)).max() < 4.5
    assert np.abs(error).max() < 0.05


def test_nothing_depends_on_what_stands_elsewhere():
    model, guide = linear()
    with torch.no_grad():
        x, _ = holes(model(n=8), 0.5)
    found = []
    for value in (0.0, 1e3):
        model.observation.elsewhere.fill_(value)
        found.append(log_likelihood(model, guide, x, 50, progress=False, keep_weights=8).log_weights)
    assert np.array_equal(*found)


def test_curvature_is_that_of_the_model_without_the_missing_features():
    model, guide = linear()
    z = torch.randn(4, 2, dtype=torch.float64)
    with torch.no_grad():
        x = model(n=4)
    x[:, 3:] = torch.nan
    part = VAE(StandardNormal(2), MLPDecoder(2, (3,), 1, ()), Normal(scale=0.4)).double()
    part.decoder.head.weight.data.copy_(model.decoder.head.weight[:3])
    part.decoder.head.bias.data.copy_(model.decoder.head.bias[:3])
    other = AmortisedNormal(MLPEncoder((3,), 4, ())).double()
    for a, b in zip(
        Joint(model, guide, x, 99).linearise(z), Joint(part, other, x[:, :3], 99).linearise(z), strict=True
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("spec", ["normal", "student-t", "discretised:inner=logistic,scale=decoder"])
@pytest.mark.parametrize("exported", [False, True])
def test_a_table_with_holes_is_trained_and_scored(spec, exported):
    generator = np.random.default_rng(0)
    z = generator.normal(size=(400, 2))
    x = z @ generator.normal(size=(2, 6)) + 0.3 * generator.normal(size=(400, 6))
    x = np.round(10 * x) if spec.startswith("discretised") else x * 10.0 ** np.arange(-3, 3)
    x = np.ma.array(x.astype(int) if spec.startswith("discretised") else x, mask=generator.random(x.shape) < 0.3)
    data = load(x, missing=True)
    assert data.has_missing
    model, guide = make_pair(spec, data, latent=2, hidden=[16])
    history = fit(model, guide, data, epochs=4, batch_size=50, progress=False, exported=exported)
    assert history.epochs[-1].elbo > history.epochs[0].elbo
    found = log_likelihood(model, guide, data.test, 200, progress=False)
    assert np.isfinite(found.weights.estimate).all()
    assert torch.isfinite(reproduce(model, guide, data.test)).all()
    assert missed_mass(model, guide, 20, 100, progress=False).summary()["unusable"] == 0
    if data.grid is not None:
        masses = on_grid(model.observation, data.grid)
        assert (masses(model.decode(torch.zeros(2, 2))).log_prob(data.test[:2]) <= 0).all()


def test_an_image_with_holes_is_seen_by_convolutions():
    images = load("digits")
    x = images.train[:300].clone()
    x[:, :3, :2] = torch.nan
    x[0] = images.train[0]
    data = load(x, missing=True, bounds=(0, 16))
    model, guide = make_pair("continuous-bernoulli", data, latent=4, hidden=[4, 8], architecture="conv")
    fit(model, guide, data, epochs=2, progress=False)
    assert np.isfinite(log_likelihood(model, guide, data.test, 100, progress=False).weights.estimate).all()


def test_missing_entries_are_declared():
    x = np.random.default_rng(0).normal(size=(30, 3))
    x[4, 1] = np.nan
    with pytest.raises(UsageError, match=r"the first is nan at datum 4, feature 1 .*declare missing ones"):
        load(x)
    assert load(x, missing=True).has_missing
    x[:, 2] = np.nan
    with pytest.raises(UsageError, match="all of feature 2"):
        load(x, missing=True)
    with pytest.raises(UsageError, match="dequantise needs a value in every entry"):
        load(x, missing=True, dequantise=True)
    counts = np.ma.array(np.arange(60).reshape(20, 3) % 7, mask=np.eye(20, 3) > 0)
    assert load(counts, missing=True).grid == Grid(0.0, 1.0, 7)


@pytest.mark.parametrize("spec", [spec for spec in FULL if "100000" not in spec])
@pytest.mark.parametrize("size", [200.0, -200.0])
def test_an_output_beyond_its_family_is_nothing_where_the_entry_is_missing(spec, size):
    case = make_case(spec, "own")
    x = case.x(400)
    partial = Partial(case.observation, x.shape[1:]).to(x.dtype)
    eta = (partial.initialise(x) + size).expand(3, *x.shape[1:], -1).clone().requires_grad_()
    log_p = partial(eta).log_prob(torch.full_like(x[:3], torch.nan))
    assert (log_p == 0).all()
    if log_p.requires_grad:
        (slope,) = torch.autograd.grad(log_p.sum(), eta)
        assert (slope == 0).all()
