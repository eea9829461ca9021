"""The benchmark that counts estimates which are wrong and do not say so, held against closed forms and another rule."""

import csv
import dataclasses
import math

import numpy as np
import pytest
import scipy.special
import torch

from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.trust.adversarial import MATCHED, adversarial
from obsvae.experiments.benchmarks.trust.families import FAMILIES, draw, make_model
from obsvae.experiments.benchmarks.trust.known_guides import KNOWN_GUIDES, known_guides
from obsvae.experiments.benchmarks.trust.parts import PARTS
from obsvae.experiments.benchmarks.trust.quadrature import TOLERANCE_NATS, integrate
from obsvae.experiments.benchmarks.trust.scores import score_all, score_one
from obsvae.experiments.benchmarks.trust.shapes import SHAPES, ShapedDecoder
from obsvae.experiments.benchmarks.trust.tables import cells, rows_by
from obsvae.experiments.benchmarks.trust.trained import trained
from obsvae.experiments.benchmarks.trust.verdicts import Verdicts
from obsvae.inference import Amortised, Proposal, Sampler, log_likelihood, posterior
from obsvae.model import OBSERVATIONS, VAE, Measure, MLPDecoder, Normal, StandardNormal
from tests.scripts.commands import refused, succeeds

SIGMA = 0.3


def linear(latent, features=4, sigma=SIGMA, seed=0):
    """Return a model of linear outputs in double precision, whose log p(x) and posterior are Normal."""
    torch.manual_seed(seed)
    model = VAE(StandardNormal(latent), MLPDecoder(latent, (features,), hidden=()), Normal(scale=sigma)).double()
    torch.nn.init.normal_(model.decoder.head.weight)
    return model


def exact(model, x, sigma=SIGMA):
    """Return log p(x) (N,), and the posterior's mean (N, D) and covariance (D, D)."""
    W, b = (p.detach() for p in (model.decoder.head.weight, model.decoder.head.bias))
    marginal = torch.distributions.MultivariateNormal(b, W @ W.T + sigma**2 * torch.eye(len(b)).double())
    covariance = torch.linalg.inv(torch.eye(W.shape[1]).double() + W.T @ W / sigma**2)
    return marginal.log_prob(x), (x - b) @ W @ covariance / sigma**2, covariance


def drawn(model, n):
    with torch.no_grad():
        return model(n=n)


def by_panels(model, x):
    """Return log p(x) by Gauss-Legendre panels, whose nodes no lattice has."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    edges = np.linspace(-8.0, 8.0, {1: 1601, 2: 101}[model.prior.latent])  # a kink at 0 lies on an edge
    half = np.diff(edges)[0] / 2
    line = torch.from_numpy(((edges[:-1, None] + half) + half * nodes).ravel())
    log_weight = torch.from_numpy(np.log(half * np.tile(weights, len(edges) - 1)))
    D = model.prior.latent
    z = torch.cartesian_prod(*[line] * D).view(-1, D)
    log_w = torch.cartesian_prod(*[log_weight] * D).view(-1, D).sum(-1)
    with torch.no_grad():
        p_x = model.given(z)
        log_p_x = torch.stack([p_x.log_prob(datum).sum(-1) for datum in x.double()])
        return (log_p_x + model.prior().log_prob(z) + log_w).logsumexp(-1)


@pytest.mark.parametrize("latent", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_quadrature_is_exact_where_there_is_a_closed_form(latent):
    model = linear(latent)
    x = drawn(model, 5)
    found = integrate(model, x)
    log_p, mean, covariance = exact(model, x)
    assert found.is_resolved.all()
    torch.testing.assert_close(found.log_p, log_p, rtol=0, atol=1e-3)
    torch.testing.assert_close(found.mean, mean, rtol=0, atol=1e-3)
    torch.testing.assert_close(found.std, covariance.diagonal().sqrt().expand_as(mean), rtol=1e-3, atol=0)
    assert ((found.mode - mean).abs() < covariance.diagonal().sqrt() / 2).all()


def test_quadrature_refines_where_the_first_lattice_is_too_coarse():
    model = linear(2, sigma=0.01)
    x = drawn(model, 3)
    found = integrate(model, x)
    assert found.is_resolved.all()
    torch.testing.assert_close(found.log_p, exact(model, x, 0.01)[0], rtol=0, atol=1e-3)


@pytest.mark.parametrize("sigma", [0.1, 0.003])
@pytest.mark.parametrize(
    ("shape", "density"),
    [("product", lambda s: scipy.special.k0(np.abs(s)) / np.pi), ("ring", lambda s: s * np.exp(-(s**2) / 2))],
)
def test_ridges_much_narrower_than_the_first_cells_are_found_whole(shape, density, sigma):
    decoder = ShapedDecoder(SHAPES[shape], torch.tensor([[0.0], [0.5]]), torch.tensor([[1.0], [-1.3]]), seed=0)
    model = VAE(StandardNormal(2), decoder, Normal(scale=sigma)).double()
    x = draw(model, 4, seed=0)
    found = integrate(model, x)
    assert found.is_resolved.all()
    # The signal s is all of z that x depends on: one integral, over its own density.
    weight = ((x - decoder.offsets.T) * decoder.gains.T).sum(1) / decoder.gains.square().sum()
    top = (decoder.centre + decoder.unit * weight.unsqueeze(1)).detach()
    s = top + 12 * sigma * decoder.unit * torch.linspace(-1, 1, 4001).double()  # (N, S)
    eta = decoder.offsets.T + decoder.gains.T * ((s - decoder.centre) / decoder.unit).unsqueeze(-1)
    log_p = torch.distributions.Normal(eta, sigma).log_prob(x.unsqueeze(1)).sum(-1)
    log_s = torch.from_numpy(np.log(density(s.numpy()))) + (s[:, 1] - s[:, 0]).log().unsqueeze(1)
    torch.testing.assert_close(found.log_p, (log_p + log_s).logsumexp(1).detach(), rtol=0, atol=3e-3)


def test_quadrature_says_where_it_fails():
    narrow = linear(2, sigma=1e-6)
    assert not integrate(narrow, drawn(narrow, 2)).is_resolved.any()
    # The posterior lies beyond the last lattice point.
    model = linear(1)
    far = model.decoder(torch.tensor([[18.0], [1.0], [12.0]]).double()).detach().squeeze(-1)
    found = integrate(model, far)
    assert found.is_resolved.tolist() == [False, True, True]
    torch.testing.assert_close(found.log_p[1:], exact(model, far)[0][1:], rtol=0, atol=1e-3)
    with pytest.raises(UsageError, match="1, 2 or 3 latents, but the model has 4"):
        integrate(linear(4), torch.zeros(1, 4).double())


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_same_log_p_by_another_rule(shape):
    model = make_model("logistic", shape).double()
    x = draw(model, 3, seed=1)
    found = integrate(model, x)
    assert found.is_resolved.all()
    torch.testing.assert_close(found.log_p, by_panels(model, x), rtol=0, atol=3 * TOLERANCE_NATS)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_the_same_log_p_by_another_rule(family):
    model = make_model(family, "|z|").double()
    x = draw(model, 3, seed=1)
    torch.testing.assert_close(integrate(model, x).log_p, by_panels(model, x), rtol=0, atol=3 * TOLERANCE_NATS)


def test_the_families_are_all_that_are_likelihoods():
    named = {family.spec.partition(":")[0] for family in FAMILIES.values()}
    assert named == {name for name, kind in OBSERVATIONS.items() if getattr(kind, "measure", None) is not Measure.NONE}


def test_models_are_the_same_for_a_seed_and_differ_by_it():
    first, again, other = (draw(make_model("gamma", "tanh network", seed), 5, 0) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_data_on_a_grid_are_scored_as_any_others():
    model = make_model("binomial", "ring").double()
    x = draw(model, 300, seed=0)  # more than there are values
    z = torch.randn(50, 2).double()
    with torch.no_grad():
        few = torch.cat([part for _, part in score_all(model, z, x)])  # (50, 300)
        one_by_one = torch.stack([score_one(model, z, datum) for datum in x], 1)
        direct = torch.cat([part for _, part in score_all(model, z, x[:20])])
    assert len(x.unique()) < len(x)
    assert len(x[:20].unique()) > 20
    torch.testing.assert_close(few, one_by_one, rtol=1e-10, atol=1e-8)
    torch.testing.assert_close(direct, one_by_one[:, :20], rtol=1e-10, atol=1e-8)


@pytest.fixture(scope="module")
def known():
    """Return a linear model, data, the guides that know its posterior, and the posterior's mean and std."""
    model = linear(2)
    x = drawn(model, 6)
    _, mean, covariance = exact(model, x)
    return model, x, known_guides(model, x, integrate(model, x)), mean, covariance.diagonal().sqrt().expand_as(mean)


def test_each_guide_is_what_it_says(known):
    model, x, guides, mean, std = known
    needed = {
        "moments": (mean, std),
        "prior": (0 * mean, 0 * std + 1),
        "one mode": (mean, None),
        "mirrored": (-mean, None),
        "too narrow": (mean, std / 10),
        "too wide": (mean, std * 10),
        "elsewhere": (mean + 3, 0 * std + 0.1),
    }
    assert needed.keys() == guides.keys() == KNOWN_GUIDES.keys()
    for name, (loc, scale) in needed.items():
        q = posterior(guides[name], x).base_dist
        assert ((q.loc - loc).abs() < 0.5 * std).all(), name
        if scale is not None:
            torch.testing.assert_close(q.scale.double(), scale, rtol=1e-3, atol=0)
    # Along an axis, with the other latent held where it is.
    W = model.decoder.head.weight.detach()
    along = (1 + W.square().sum(0) / SIGMA**2).rsqrt()
    for name in ("one mode", "mirrored"):
        width = posterior(guides[name], x).base_dist.scale.double()
        torch.testing.assert_close(width, along.expand_as(width), rtol=0.1, atol=0)


def test_a_guide_gives_a_datum_the_same_in_any_batch(known):
    _, x, guides, _, _ = known
    which = torch.tensor([4, 0, 4, 2])
    for guide in guides.values():
        whole, part = posterior(guide, x).base_dist, posterior(guide, x[which]).base_dist
        assert torch.equal(whole.loc[which], part.loc)
        assert torch.equal(whole.scale[which], part.scale)
    with pytest.raises(KeyError, match="other data"):
        posterior(guides["prior"], x + 1.0)


def test_a_guide_that_knows_a_normal_posterior_gives_log_p():
    model = linear(1)
    x = drawn(model, 6).float()
    guide, log_p = known_guides(model, x, integrate(model, x))["moments"], exact(model, x.double())[0]
    found = log_likelihood(model.float(), guide, x, 500, proposal=Amortised(), progress=False)
    assert np.abs(found.weights.estimate - log_p.numpy()).max() < 0.01
    assert not found.weights.flagged.any()


class Shifted(Proposal):
    """Amortised sampling whose estimates are off by some nats."""

    def __init__(self, nats):
        self.nats = nats

    def __call__(self, joint):
        return OffBy(Amortised()(joint), self.nats)


class OffBy(Sampler):
    def __init__(self, sampler, nats):
        self.sampler, self.nats, self.spent = sampler, nats, sampler.spent

    def __call__(self, k):
        z, log_weights = self.sampler(k)
        return z, log_weights + self.nats


SMALL = {"families": ("normal",), "shapes": ("linear",), "guides": ("moments",), "data": 4, "progress": False}


def test_planted_errors_are_found():
    proposals = {
        "right": (Amortised(), 500),
        "nearly": (Shifted(0.05), 500),
        "low": (Shifted(-1.0), 500),
        "high": (Shifted(0.2), 500),
    }
    found = adversarial(**SMALL, proposals=proposals, matched=None)
    assert found.left_out == 0
    counts = {row["method"]: row for row in rows_by(found.verdicts)}
    assert list(counts) == list(proposals)
    assert [counts[name]["missed %"] for name in proposals] == [0, 0, 100, 100]
    assert [counts[name]["too low %"] for name in proposals] == [0, 0, 100, 0]
    assert [counts[name]["too high %"] for name in proposals] == [0, 0, 0, 100]
    assert counts["low"]["worst unflagged"] == pytest.approx(-1.0, abs=0.05)
    assert all(counts[name]["flagged %"] == 0 for name in proposals)


def verdicts(estimate, flagged, **columns):
    """Return verdicts on estimates of a log p(x) of −10."""
    n = len(estimate)
    values = {f.name: np.zeros(n) for f in dataclasses.fields(Verdicts)} | {"truth": np.full(n, -10.0)}
    labels = {name: np.full(n, "") for name in ("method", "family", "shape", "guide")}
    truths = {"estimate": np.array(estimate), "is_flagged": np.array(flagged), "is_unimodal": np.zeros(n, bool)}
    return Verdicts(**values | labels | truths | {name: np.array(value) for name, value in columns.items()})


def test_an_error_counts_where_it_is_not_flagged():
    found = verdicts([-10.05, -9.85, -12.0, -50.0, math.nan, math.nan], [0, 0, 0, 1, 1, 0])
    found = dataclasses.replace(found, is_flagged=found.is_flagged.astype(bool))
    assert found.is_missed.tolist() == [False, True, True, False, False, True]
    counts = found.select(np.isfinite(found.estimate)).counts()
    assert counts["estimates"] == 4
    assert (counts["missed %"], counts["too low %"], counts["too high %"]) == (50.0, 25.0, 25.0)
    assert counts["flagged %"] == 25.0
    assert counts["worst unflagged"] == pytest.approx(-2.0)


def test_rows_and_cells_hold_the_estimates_of_their_group_alone():
    columns = {"shape": ["a", "a", "b", "b"], "guide": ["g", "h", "g", "h"], "method": ["m"] * 4}
    found = verdicts([-10.0, -20.0, -10.0, -10.0], np.zeros(4, bool), **columns)
    assert [(row["shape"], row["missed %"]) for row in rows_by(found, "shape")] == [("a", 50.0), ("b", 0.0)]
    assert cells(found, "shape", "guide") == [{"shape": "a", "g": 0, "h": 100}, {"shape": "b", "g": 0, "h": 0}]


def test_amortised_sampling_gets_as_many_evaluations_as_the_refined_proposal_spends():
    found = adversarial(**SMALL).verdicts
    cost = found.select(found.method == "refined").evaluations
    same = found.select(found.method == MATCHED.format("refined"))
    assert set(same.particles) == set(same.evaluations) == {round(float(cost.mean()))}
    assert set(found.select(found.method == "amortised").particles) == {5000}
    assert found.text() == adversarial(**SMALL).verdicts.text()


@pytest.fixture
def tiny(monkeypatch):
    """Make the quick run as small as can be."""
    monkeypatch.setitem(PARTS["adversarial"].quick, "families", ("normal", "bernoulli"))
    monkeypatch.setitem(PARTS["adversarial"].quick, "shapes", ("|z|", "linear"))
    monkeypatch.setitem(PARTS["adversarial"].quick, "guides", ("moments", "one mode"))
    monkeypatch.setitem(PARTS["trained"].quick, "observations", ("bernoulli",))
    monkeypatch.setitem(PARTS["trained"].quick, "latents", (1,))


def test_the_command_prints_both_tables_and_writes_every_estimate(tiny, tmp_path):
    sizes = ["--limit", "2", "--particles", "100"]
    text = succeeds("benchmark", "trust", "--quick", *sizes, "--out", "trust.csv", cwd=tmp_path)
    adversarial, _, trained = text.partition("== models trained on digits ==")
    assert "== small models made to mislead ==" in adversarial
    for part, words in {adversarial: ("one mode", "linear"), trained: ("1 latent",)}.items():
        for word in (*words, "bernoulli", "Missed: ", "missed %", "flagged %", "amortised, K of refined"):
            assert word in part
    with (tmp_path / "trust.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * (2 * 2 * 2 * 2 + 2)
    assert {row["guide"] for row in rows} == {"moments", "one mode", "trained"}
    assert {row["particles"] for row in rows if row["method"] == "refined"} == {"100"}
    assert all(math.isfinite(float(row["truth"])) for row in rows)


def test_the_command_refuses_what_it_does_not_take(tmp_path):
    assert "no other benchmark takes any" in refused("benchmark", "trust", "runs/a", cwd=tmp_path)
    assert "did you mean 'trained'" in refused("benchmark", "trust", "--what", "trainde", cwd=tmp_path)


@pytest.mark.slow
def test_the_quick_run_of_the_command(tmp_path):
    text = succeeds("benchmark", "trust", "--quick", cwd=tmp_path)
    assert text.count("left out: 0.") == 2


@pytest.mark.slow
def test_trained_models_of_every_size_are_settled_and_refined_estimates_mostly_agree():
    found = trained(observations=("bernoulli", "discretised:inner=logistic,scale=decoder"), data=40, progress=False)
    assert found.left_out == 0
    refined = found.verdicts.select(found.verdicts.method == "refined")
    assert set(refined.shape) == {"1 latent", "2 latents", "3 latents"}
    trusted = refined.select(~refined.is_flagged)
    assert len(trusted) > len(refined) / 2
    assert np.median(np.abs(trusted.error)) < 0.05
