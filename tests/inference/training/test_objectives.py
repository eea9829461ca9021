"""Objectives: bounds against closed forms, and gradients against those of the bound."""

import math

import pyro.distributions as dist
import pytest
import torch
from pyro.infer import Trace_ELBO

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair, train_run
from obsvae.guides import AmortisedDelta, MLPEncoder, make_guide
from obsvae.inference import OBJECTIVES, fit, make_objective, posterior
from obsvae.inference.training.objectives.elbo import WeightedELBO
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.objectives.iwae import ImportanceWeighted
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.inference.training.steps.shared_objective import require_shares
from obsvae.model import VAE, MLPDecoder, Normal, Partial, make_prior

ONE = torch.tensor(1.0)
TEXTS = ["elbo", "elbo:kl=sampled", "elbo:kl=path", "elbo:beta=4", "elbo:free=0.25", "iwae", "iwae:gradient=total"]

OTHERS = [("normal", 0.0), ("mixture", 1.0), ("student-t", 0.3), ("low-rank:rank=1", 0.1)]


def pair_of(guide, prior="standard-normal"):
    torch.manual_seed(0)
    model = VAE(make_prior(prior, 2), MLPDecoder(2, (4,), hidden=(8,)), Normal(scale=1.0))
    q = make_guide(guide, MLPEncoder, (4,), 2, (8,))
    with torch.no_grad():
        for parameter in q.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model, q


def value(objective, x, seed=1):
    torch.manual_seed(seed)
    with torch.no_grad():
        return objective(x, ONE).item()


def gradients(objective, x, parameters, repeats, beta=ONE):
    """Return gradients of several draws ``(repeats, P)``."""
    found = []
    graph = ExportedObjective(objective)
    for seed in range(repeats):
        torch.manual_seed(seed)
        parts = torch.autograd.grad(graph(x, beta), parameters, allow_unused=True, materialize_grads=True)
        found.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(found)


def set_to_the_posterior(problem, x, widened=1.0):
    """Give the guide of a problem with one latent the exact means, and the standard deviations times a factor."""
    mean, covariance = problem.posterior(x)
    guide, last = problem.guide, problem.guide.encoder.layers[-1]
    guide.initialise(x)
    offset, scale = guide.encoder.inputs.offset.flatten(), guide.encoder.inputs.scale
    slope = (covariance @ problem.W.T / problem.sigma**2).float()
    with torch.no_grad():
        last.weight.copy_(torch.cat([slope * scale, torch.zeros_like(slope)]))
        raw = (widened * covariance.sqrt()[0, 0] - guide.floor).expm1().log().float()
        last.bias.copy_(torch.stack([(slope @ (offset - problem.b.float()))[0], raw]))
    torch.testing.assert_close(posterior(guide, x).mean, mean.float(), rtol=1e-3, atol=1e-3)


def test_the_bound_rises_with_the_particles_from_the_elbo_to_log_p(linear_gaussian):
    problem = linear_gaussian(latent=1)
    x = problem.draw(4000)
    set_to_the_posterior(problem, x, widened=2.0)
    elbo, exact = problem.elbo(x).mean(), problem.log_marginal(x).mean()
    found = {K: -value(ImportanceWeighted(problem.model, problem.guide, K), x) for K in (1, 4, 32, 256, 1024)}
    assert math.isclose(found[1], elbo, rel_tol=0.01)
    assert all(a < b for a, b in zip(list(found.values()), list(found.values())[1:], strict=False))
    assert found[1024] < exact + 0.02
    assert exact - found[1024] < 0.05 * (exact - elbo)


def test_the_bound_is_the_log_of_the_mean_weight():
    model, guide = pair_of("normal")
    x = torch.randn(6, 4)
    torch.manual_seed(3)
    with torch.no_grad():
        q = posterior(guide, x)
    torch.manual_seed(3)
    with torch.no_grad():
        z = q.expand((7, 6)).sample()
        log_w = model.given(z).log_prob(x).sum(-1) + model.prior().log_prob(z) - q.log_prob(z)
    for gradient in ("dreg", "total"):
        found = value(ImportanceWeighted(model, guide, 7, gradient), x, seed=3)
        assert math.isclose(found, -(log_w.logsumexp(0) - math.log(7)).mean().item(), rel_tol=1e-5)


@pytest.mark.parametrize(
    ("guide", "beta"),
    [
        ("normal", 1.0),
        ("normal", 0.5),
        ("flow:transforms=1,width=8", 1.0),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in OTHERS),
    ],
)
def test_the_gradient_of_the_guide_is_unbiased_and_that_of_the_model_is_the_bounds_own(guide, beta):
    model, q = pair_of(guide)
    x = torch.randn(1, 4).repeat(3000, 1)
    of_model, of_guide = list(model.parameters()), list(q.parameters())
    found = {
        how: gradients(ImportanceWeighted(model, q, 5, how), x, [*of_model, *of_guide], 12, torch.tensor(beta))
        for how in ("dreg", "total")
    }
    P = sum(parameter.numel() for parameter in of_model)
    torch.testing.assert_close(found["dreg"][:, :P], found["total"][:, :P], rtol=1e-3, atol=1e-5)
    one, other = (of_how[:, P:] for of_how in found.values())
    error = ((one.var(0) + other.var(0)) / len(one)).sqrt() + 1e-6
    z = (one.mean(0) - other.mean(0)) / error
    assert z.abs().max() < 7.0  # of hundreds of parameters, with twelve repeats
    assert other.mean(0).norm() > 10 * error.norm()


def test_against_the_exact_gradient_dreg_is_right_and_has_less_variance(linear_gaussian):
    problem = linear_gaussian(latent=1, sigma=1.0)
    x = problem.draw(1)
    guide, model = problem.guide, problem.model
    parameters = [guide.encoder.layers[-1].bias]
    mean, covariance = problem.posterior(x)
    with torch.no_grad():  # near the posterior, where the gradient of the bound is mostly noise
        guide.encoder.layers[-1].weight.zero_()
        parameters[0].copy_(torch.stack([mean[0, 0] + 0.1, (covariance[0, 0].sqrt() * 1.1).expm1().log()]))
    # The bound of two draws, by quadrature over both.
    u = torch.linspace(-7, 7, 301, dtype=torch.float64)
    weights = dist.Normal(0.0, 1.0).log_prob(u).exp() * (u[1] - u[0])
    raw = parameters[0].double()
    loc, scale = raw[0], guide.floor + torch.nn.functional.softplus(raw[1])
    z = (loc + scale * u).unsqueeze(-1)
    p = dist.MultivariateNormal(mean, covariance)
    log_w = p.log_prob(z) - dist.Normal(loc, scale).log_prob(z[:, 0])  # but for log p(x), which is a constant
    pairs = torch.logsumexp(torch.stack([log_w.unsqueeze(0).expand(301, 301), log_w.unsqueeze(1).expand(301, 301)]), 0)
    (exact,) = torch.autograd.grad(-(weights.unsqueeze(0) * weights.unsqueeze(1) * pairs).sum(), parameters)
    many = x.repeat(2000, 1)
    found = {
        how: gradients(ImportanceWeighted(model, guide, 2, how), many, parameters, 80) for how in ("dreg", "total")
    }
    for of_how in found.values():
        error = of_how.std(0) / len(of_how) ** 0.5
        assert ((of_how.mean(0) - exact).abs() < 5 * error + 1e-5).all()
    assert (found["dreg"].var(0) < 0.3 * found["total"].var(0)).all()


def test_where_the_guide_is_the_posterior_the_gradient_along_the_path_has_no_variance(linear_gaussian):
    problem = linear_gaussian(latent=1)
    x = problem.draw(20)
    set_to_the_posterior(problem, x)
    last = problem.guide.encoder.layers[-1]
    found = {
        kl: gradients(WeightedELBO(problem.model, problem.guide, kl), x, [last.bias], 30) for kl in ("path", "sampled")
    }
    assert found["path"].std(0).max() < 0.01 * found["sampled"].std(0).max()


@pytest.mark.parametrize("guide", ["normal", "full-rank", "mixture"])
def test_all_estimates_of_the_elbo_have_the_same_mean(guide):
    model, q = pair_of(guide)
    x = torch.randn(1, 4).repeat(40_000, 1)
    values = {text: value(make_objective(text, model, q), x) for text in ("elbo", "elbo:kl=sampled", "elbo:kl=path")}
    values["Trace_ELBO"] = value(make_objective(Trace_ELBO(), model, q), x)
    values["one particle"] = value(ImportanceWeighted(model, q, 1), x)
    values["analytic"] = value(WeightedELBO(model, q), x)
    assert max(values.values()) - min(values.values()) < 0.05
    assert math.isclose(values["elbo"], values["analytic"], rel_tol=1e-5)
    assert isinstance(make_objective("elbo", model, q), PyroELBO)


def test_beta_and_free_bits_are_of_the_kl():
    model, q = pair_of("normal", "normal")
    x = torch.randn(50, 4)
    plain, more = value(WeightedELBO(model, q), x), value(WeightedELBO(model, q, beta=3.0), x)
    with torch.no_grad():
        one, other = posterior(q, x).base_dist, model.prior().base_dist
        by_dimension = torch.distributions.kl_divergence(one, other).mean(0)
    assert math.isclose((more - plain) / 2, by_dimension.sum().item(), rel_tol=1e-4)
    free = by_dimension.mean().item()  # between the two
    expected = plain - by_dimension.sum().item() + by_dimension.clamp_min(free).sum().item()
    assert by_dimension.min() < free < by_dimension.max()
    assert math.isclose(value(WeightedELBO(model, q, free=free), x), expected, rel_tol=1e-4)
    assert value(WeightedELBO(model, q, free=0.0), x) == plain


@pytest.mark.parametrize("text", TEXTS)
def test_training_by_each_raises_it(text):
    torch.manual_seed(0)
    data = load((torch.randn(300, 2) @ torch.randn(2, 5) + 0.3 * torch.randn(300, 5)).numpy())
    model, guide = make_pair("normal:scale=shared", data, latent=2, hidden=(8,))
    history = fit(model, guide, data, epochs=20, lr=0.02, objective=text, progress=False)
    assert history.epochs[-1].validation_elbo > history.epochs[0].validation_elbo + 0.3
    name = {"elbo:beta=4": "objective", "elbo:free=0.25": "objective"}.get(text, "ELBO")
    assert history.objective == ("IWAE-5 bound" if text.startswith("iwae") else name)


@pytest.mark.parametrize("text", TEXTS)
def test_missing_entries_tell_nothing(text):
    data = load(torch.randn(60, 4).masked_fill(torch.rand(60, 4) < 0.3, math.nan).numpy(), missing=True)
    model, guide = make_pair("normal:scale=shared", data, latent=2, hidden=(8,))
    for part in (model, guide):
        part.initialise(data.train)
    objective, x = make_objective(text, model, guide), data.train
    assert math.isfinite(value(objective, x))
    torch.manual_seed(0)
    objective(x, ONE).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in objective.parameters())


def test_all_objectives_are_here():
    assert {text.partition(":")[0] for text in TEXTS} == set(OBJECTIVES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("elbow", "unknown objective 'elbow'; did you mean 'elbo'"),
        ("elbo:kl=exact", "known are analytic, sampled, path"),
        ("elbo:beta=-1", "needs beta of 0 or more, and finite, but got -1"),
        ("elbo:free=nan", "needs free of 0 or more"),
        ("elbo:free=0.1,kl=path", "take kl=analytic, not kl=path"),
        ("iwae:particles=0", "needs particles of at least 1, but got 0"),
        ("iwae:gradient=dregs", "unknown gradient 'dregs'; did you mean 'dreg'"),
        ("iwae:K=5", "its options are: particles, gradient"),
    ],
)
def test_options_that_do_not_fit_are_refused(text, words):
    with pytest.raises(UsageError, match=words):
        make_objective(text, *pair_of("normal"))


@pytest.mark.parametrize("text", ["elbo:beta=2", "iwae"])
def test_a_point_mass_has_no_such_objective(text):
    model, _ = pair_of("normal")
    with pytest.raises(UsageError, match="point mass"):
        make_objective(text, model, AmortisedDelta(MLPEncoder((4,), 2)))


@pytest.mark.parametrize(("guide", "prior"), [("full-rank", "standard-normal"), ("normal", "mixture")])
def test_free_bits_need_a_kl_by_dimension_which_is_known_before_anything_is_written(guide, prior, tmp_path):
    data = load(torch.randn(60, 4).numpy())
    options = {"latent": 2, "hidden": (8,), "guide": guide, "prior": prior, "objective": "elbo:free=0.1"}
    with pytest.raises(UsageError, match="free bits need a guide and a prior of independent Normals"):
        train_run("normal", data, tmp_path / "run", epochs=1, progress=False, **options)
    assert not (tmp_path / "run").exists()


def test_free_bits_are_not_shared_by_processes():
    model, guide = pair_of("normal")
    with pytest.raises(UsageError, match="free bits are of the mean KL of a minibatch"):
        require_shares(make_objective("elbo:free=0.01", model, guide), torch.randn(6, 4))


def test_the_bound_of_what_is_seen_is_miwaes(linear_gaussian):
    problem = linear_gaussian(latent=1, sigma=1.0)
    x = problem.draw(3000)
    set_to_the_posterior(problem, x, widened=2.0)
    hidden = torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) < 0.4
    holes = x.masked_fill(hidden, math.nan)
    model = problem.model.with_observation(Partial(problem.model.observation, (4,)))
    guide = problem.guide
    given = guide.given
    guide.given = lambda holes, c: given(x[: len(holes)])  # that of whole rows: of holes it has not learned
    found = -value(ImportanceWeighted(model, guide, 2000), holes[:500])
    marginal, total = problem.marginal(), 0.0
    for row, absent in zip(x[:500].double(), hidden[:500], strict=True):
        seen = ~absent
        if seen.any():
            p = torch.distributions.MultivariateNormal(marginal.loc[seen], marginal.covariance_matrix[seen][:, seen])
            total += p.log_prob(row[seen]).item()
    assert abs(found - total / 500) < 0.03
