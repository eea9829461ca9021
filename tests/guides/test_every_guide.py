"""What holds for every guide with a density: it integrates to one, its draws follow it, and so do their gradients."""

import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from torch.distributions import kl_divergence

from obsvae.errors import UsageError
from obsvae.guides import GUIDES, MLPEncoder, make_guide
from obsvae.guides.low_rank import LowRankNormal
from obsvae.inference import posterior
from obsvae.local import local_parameters

TEXTS = ["normal", "full-rank", "low-rank:rank=1", "low-rank:rank=3", "mixture:components=1", "mixture"]
TEXTS += ["student-t:df=8", "flow:transforms=2,width=8", "flow:kind=autoregressive,transforms=2,width=8,context=3"]
TEXTS += [pytest.param("flow", marks=pytest.mark.slow)]
LINE = torch.linspace(-15.0, 15.0, 501, dtype=torch.float64)


def guide_of(text, latent=2, seed=0, spread=2.0):
    """Return a guide whose parameters are far from those that it starts from, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        guide = make_guide(text, MLPEncoder, (4,), latent, (8,)).double()
        with torch.no_grad():
            for parameter in guide.parameters():
                parameter.add_(0.15 * torch.randn_like(parameter))
            guide.encoder.layers[-1].weight.mul_(spread)
    return guide


def on_a_grid(latent=2):
    z = torch.cartesian_prod(*[LINE] * latent).view(-1, latent)
    return z, float(LINE[1] - LINE[0]) ** latent


def datum():
    return torch.tensor([[0.3, -1.2, 0.8, 2.0]], dtype=torch.float64)


def test_all_guides_with_a_density_are_here():
    texts = [text for text in TEXTS if isinstance(text, str)]
    assert {text.partition(":")[0] for text in texts} == {name for name, one in GUIDES.items() if one.has_density}


@pytest.mark.parametrize("text", TEXTS)
def test_the_density_integrates_to_one_and_the_draws_follow_it(text):
    q = posterior(guide_of(text), datum())
    z, cell = on_a_grid()
    with torch.no_grad():
        density = q.log_prob(z.unsqueeze(1)).exp().squeeze(1) * cell
        torch.manual_seed(0)
        drawn = q.sample((200_000,)).squeeze(1)
    torch.testing.assert_close(density.sum(), torch.ones_like(density.sum()), rtol=2e-4, atol=0)
    for f in (lambda z: z[:, 0], lambda z: z[:, 1], lambda z: z[:, 0] * z[:, 1], lambda z: torch.sin(z).sum(1)):
        values, expected = f(drawn), (density * f(z)).sum()
        assert abs(values.mean() - expected) < 5 * values.std() / len(values) ** 0.5 + 1e-3


@pytest.mark.parametrize("text", TEXTS)
def test_the_gradient_of_draws_is_that_of_the_expectation(text):
    guide = guide_of(text)
    bias = guide.encoder.layers[-1].bias
    z, cell = on_a_grid()

    def f(z):
        return torch.sin(z[..., 0]) + 0.3 * torch.cos(z[..., 0] - z[..., 1])

    inside = posterior(guide, datum()).log_prob(z.unsqueeze(1)).exp().squeeze(1) * cell
    (exact,) = torch.autograd.grad((inside * f(z)).sum(), bias)
    torch.manual_seed(0)
    found = []
    for _ in range(40):
        q = posterior(guide, datum())
        found.append(torch.autograd.grad(f(q.rsample((500,))).mean(), bias)[0])
    found = torch.stack(found)
    error = found.std(0) / len(found) ** 0.5
    assert ((found.mean(0) - exact).abs() < 5 * error + 2e-4).all()
    assert (error < 0.05).all()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("latent", [1, 3])
def test_sites_shapes_and_dtypes(text, latent):
    guide = make_guide(text, MLPEncoder, (4,), latent, (8,))
    x = torch.randn(6, 4)
    trace = poutine.trace(guide).get_trace(x)
    site = trace.nodes["z"]
    assert site["value"] is trace.nodes["_RETURN"]["value"]
    assert (site["value"].shape, site["value"].dtype) == ((6, latent), torch.float32)
    assert (site["fn"].batch_shape, site["fn"].event_shape) == ((6,), (latent,))
    assert [(f.name, f.dim, f.size) for f in site["cond_indep_stack"]] == [("data", -1, 6)]
    q = site["fn"]
    at_draw, anew = q.log_prob(site["value"]), q.log_prob(site["value"].clone())
    torch.testing.assert_close(at_draw, anew, rtol=1e-4, atol=1e-4)
    with local_parameters(guide):
        wide = q.expand((5, 6))
    assert wide.rsample().shape == (5, 6, latent)
    assert wide.log_prob(site["value"]).shape == (5, 6)


@pytest.mark.parametrize("text", ["normal", "full-rank", "low-rank:rank=2"])
def test_the_kl_to_independent_normals_is_in_closed_form(text):
    q = posterior(guide_of(text, latent=3, spread=1.0), datum())
    loc, scale = torch.tensor([0.5, -1.0, 0.0]).double(), torch.tensor([0.7, 2.0, 1.3]).double()
    p = dist.Normal(loc, scale).to_event(1)
    torch.manual_seed(0)
    with torch.no_grad():
        z = q.sample((200_000,))
        ratios = q.log_prob(z) - p.log_prob(z)
        found = kl_divergence(q, p)
    assert found.shape == (1,)
    assert abs(found - ratios.mean()) < 5 * ratios.std() / len(z) ** 0.5


@pytest.mark.parametrize("scale", [0.03, 1e-3, 1e-4])
def test_a_low_rank_density_is_right_where_the_diagonal_is_small(scale):
    torch.manual_seed(0)
    loc, W, s = torch.randn(6, 20), torch.randn(6, 20, 4), torch.full((6, 20), scale)
    q = LowRankNormal(loc, W, s)
    z = q.sample()
    covariance = torch.diag_embed(s.double().square()) + W.double() @ W.double().mT
    exact = torch.distributions.MultivariateNormal(loc.double(), covariance).log_prob(z.double())
    # z itself is rounded to a few ten-millionths, which are more of a smaller s.
    torch.testing.assert_close(q.log_prob(z).double(), exact, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("low-rank:rank=0", "guide low-rank needs rank of at least 1, but got 0"),
        ("mixture:components=0", "guide mixture needs components of at least 1, but got 0"),
        ("student-t:df=0", "guide student-t needs df positive and finite, but got 0"),
        ("student-t:df=nan", "needs df positive and finite"),
        ("flow:kind=spline", "unknown kind of flow 'spline'"),
        ("flow:transforms=0", "a flow needs transforms of 1 to 100, but got 0"),
        ("flow:context=0", "needs a context of at least 1, but got 0"),
        ("low-rank:rank=two", "option rank takes a whole number, but got 'two'"),
        ("low-rank:rank=2,rank=3", "got option 'rank' twice"),
        ("normal:floor=1", "guide normal has no option 'floor=1'; it takes none"),
        ("mixture:K=3", "its options are: components"),
    ],
)
def test_options_that_do_not_fit_are_refused(text, words):
    with pytest.raises(UsageError, match=words):
        make_guide(text, MLPEncoder, (4,), 2, (8,))


@pytest.mark.parametrize("name", [name for name in GUIDES if name != "delta"])
def test_an_encoder_with_other_outputs_is_refused(name):
    # Too few for two latents, and no number that another size of z would need.
    wrong = {"normal": 5, "full-rank": 6, "low-rank": 7, "mixture": 11, "student-t": 5, "flow": 37}[name]
    with pytest.raises(UsageError, match=rf"outputs for D latents, but it has {wrong}"):
        GUIDES[name](MLPEncoder((4,), wrong))
