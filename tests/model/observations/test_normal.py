"""Normal: floors, the optimal scale, and learning that does not depend on the unit."""

import math

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import Normal
from obsvae.model.exact import ProfileNormal
from obsvae.model.observations.data_like import Features

EVENT = (2, 3)
SCALES = ["shared", "per-feature", "decoder", "optimal"]


def data(n=64, scale=3.0, seed=0):
    return 5.0 + scale * torch.randn(n, *EVENT, generator=torch.Generator().manual_seed(seed))


def started(scale, floor=1e-3, link="identity", x=None):
    observation = Normal(scale=scale, link=link, features=Features(EVENT), floor=floor)
    return observation, observation.initialise(data() if x is None else x)


@pytest.mark.parametrize("floor", [1e-3, 0.2])
@pytest.mark.parametrize("scale", ["shared", "per-feature", "decoder"])
def test_the_floor_is_a_fraction_of_the_spread(scale, floor):
    observation, eta = started(scale, floor)
    with torch.no_grad():
        for parameter in observation.parameters():
            parameter.fill_(-1e4)
    eta[..., 1:] = -1e4
    sigma = observation(eta).scale
    assert sigma.shape == EVENT
    torch.testing.assert_close(sigma, floor * data().std().expand(EVENT))


@pytest.mark.parametrize("scale", ["shared", "per-feature", "decoder", "optimal"])
def test_the_scale_starts_at_the_spread(scale):
    observation, eta = started(scale)
    observation.eval()
    torch.testing.assert_close(observation(eta).scale, data().std().expand(EVENT), rtol=2e-3, atol=0)


def test_a_fixed_scale_stays_what_it_is():
    observation, eta = started(0.25)
    assert (observation(eta).scale == 0.25).all()
    assert list(observation.parameters()) == []


@pytest.mark.parametrize(
    ("scale", "shapes"), [("shared", [()]), ("per-feature", [EVENT]), ("decoder", []), ("optimal", []), (1.0, [])]
)
def test_parameters(scale, shapes):
    observation, _ = started(scale)
    assert [tuple(p.shape) for p in observation.parameters()] == shapes
    assert observation.outputs == (2 if scale == "decoder" else 1)


def test_the_decoder_moves_its_own_entry_only():
    observation, eta = started("decoder")
    eta[1, 2, 1] = 3.0
    sigma = observation(eta).scale
    assert sigma[1, 2] > 2 * sigma[0, 0]
    assert (sigma.flatten()[:-1] == sigma[0, 0]).all()


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-50, 1e40])
def test_a_fixed_scale_must_be_positive_and_finite(scale):
    with pytest.raises(UsageError, match="positive, from"):
        Normal(scale=scale)


@pytest.mark.parametrize("floor", [0.0, -1.0, math.nan])
def test_a_floor_must_be_positive(floor):
    with pytest.raises(UsageError, match="floor must be positive"):
        Normal(floor=floor)


def test_the_optimal_scale_is_the_batch_s_while_training():
    observation, eta = started("optimal")
    observation.train()
    x = data(seed=1)
    eta = eta.expand(len(x), *EVENT, 1).clone().requires_grad_()
    loc = observation.loc(eta)
    mse = (x - loc).square().mean()
    value = observation(eta).log_prob(x)
    assert value.shape == x.shape
    torch.testing.assert_close(value.sum(), -x.numel() / 2 * (torch.log(2 * math.pi * mse) + 1))
    # The envelope theorem: σ̂ maximises, so its own slope drops out.
    (slope,) = torch.autograd.grad(value.sum(), eta, retain_graph=True)
    (fixed,) = torch.autograd.grad(torch.distributions.Normal(loc, mse.sqrt().detach()).log_prob(x).sum(), eta)
    torch.testing.assert_close(slope, fixed, rtol=1e-4, atol=1e-5)
    assert slope.abs().max() > 0.01


def test_the_optimal_scale_is_the_training_set_s_afterwards():
    observation, eta = started("optimal")
    train, scored = data(seed=1), data(scale=40.0, seed=2)
    eta = eta.expand(len(train), *EVENT, 1)
    observation.update(iter([(eta[:50], train[:50]), (eta[50:], train[50:])]))
    observation.eval()
    loc = observation.loc(eta)
    sigma = (train - loc).double().square().mean().sqrt().float()
    for x in (train, scored, scored[:1]):
        expected = torch.distributions.Normal(loc[: len(x)], sigma).log_prob(x)
        torch.testing.assert_close(observation(eta[: len(x)]).log_prob(x), expected)
    torch.testing.assert_close(observation(eta).scale, sigma.expand(len(train), *EVENT))
    torch.testing.assert_close(observation(eta).sample((200,)).sub(loc).std(), sigma, rtol=0.02, atol=0)


def test_describing_during_training_leaves_the_batch_s_scale():
    observation, eta = started("optimal")
    x = data(seed=1) / 50 + 5  # far less spread than at the start
    eta = eta.expand(len(x), *EVENT, 1)
    before = observation(eta).log_prob(x)
    assert observation.describe()["scale"] == pytest.approx(data().std().item())
    torch.testing.assert_close(observation(eta).log_prob(x), before)


def test_a_perfect_reproduction_meets_the_floor():
    observation, eta = started("optimal", floor=0.01)
    eta = eta.expand(4, *EVENT, 1).clone().requires_grad_()
    floor = 0.01 * data().std()
    x = observation.loc(eta).detach()
    expected = torch.distributions.Normal(x, floor).log_prob(x)
    value = observation.train()(eta).log_prob(x)
    torch.testing.assert_close(value, expected)
    assert torch.autograd.grad(value.sum(), eta)[0].isfinite().all()
    observation.update([(eta.detach(), x)])
    torch.testing.assert_close(observation.eval()(eta).log_prob(x), expected)


def test_the_profile_likelihood_survives_what_pyro_does_to_distributions():
    loc, floor = torch.zeros(5, 3), torch.tensor(1e-3)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    p = ProfileNormal(loc, floor)
    expected = p.log_prob(x)
    assert type(p.expand((5, 3))) is ProfileNormal
    assert torch.equal(p.expand((5, 3)).log_prob(x), expected)
    torch.testing.assert_close(p.to_event(1).expand((5,)).log_prob(x), expected.sum(-1))
    torch.testing.assert_close(expected.sum(), -7.5 * (torch.log(2 * math.pi * x.square().mean()) + 1))


@pytest.mark.parametrize("link", ["identity", "softplus"])
@pytest.mark.parametrize("scale", SCALES)
def test_the_unit_of_the_data_changes_nothing_but_the_unit(scale, link):
    # Positive data for the sake of softplus.
    x = data().abs() + 1
    metres, eta = started(scale, link=link, x=x)
    centimetres, eta_cm = started(scale, link=link, x=100 * x)
    torch.testing.assert_close(eta, eta_cm, rtol=1e-4, atol=1e-6)
    metres.eval()
    centimetres.eval()
    eta = eta + torch.randn(len(x), *eta.shape, generator=torch.Generator().manual_seed(5))
    p, p_cm = metres(eta), centimetres(eta)
    torch.testing.assert_close(p_cm.mean, 100 * p.mean, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(p_cm.scale, 100 * p.scale, rtol=1e-5, atol=0)
    lower = p.log_prob(x).sum((1, 2)) - p_cm.log_prob(100 * x).sum((1, 2))
    torch.testing.assert_close(lower, torch.full((len(x),), 6 * math.log(100)), rtol=1e-3, atol=1e-3)


def test_links():
    eta = torch.tensor([[-30.0], [0.0], [30.0]])
    assert Normal(link="sigmoid").loc(eta).tolist() == pytest.approx([0, 0.5, 1], abs=1e-12)
    assert Normal(link="softplus").loc(eta).tolist() == pytest.approx([math.exp(-30), math.log(2), 30], rel=1e-6)
    assert Normal(link="identity").loc(eta).tolist() == [-30, 0, 30]


def test_state_moves_with_the_weights():
    observation, eta = started("optimal")
    observation.update([(eta[None], data(1, seed=7))])
    other = Normal(scale="optimal")
    other.load_state_dict(observation.state_dict())
    x = data(3, seed=8)
    assert torch.equal(other.eval()(eta).log_prob(x), observation.eval()(eta).log_prob(x))


@pytest.mark.parametrize("scale", ["per-feature", "decoder"])
def test_columns_have_units_of_their_own(scale):
    spreads = torch.tensor([1e-3, 1.0, 1e6])
    x = 5.0 * spreads + spreads * torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    observation = Normal(scale=scale, features=Features((3,), (3,)))
    eta = observation.initialise(x)
    torch.testing.assert_close(observation(eta).mean, x.mean(0))
    torch.testing.assert_close(observation(eta).scale, x.std(0), rtol=2e-3, atol=0)
    # One step of eta moves each column by a spread of its own.
    eta[..., 0] += 1
    torch.testing.assert_close(observation(eta).mean, x.mean(0) + x.std(0))


@pytest.mark.parametrize(("value", "spread"), [(0.1, 0.1), (-7.0, 7.0)])
def test_a_constant_column_takes_its_size_for_a_spread(value, spread):
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * 1e6
    x[:, 1] = value
    observation = Normal(scale="per-feature", features=Features((2,), (2,)))
    eta = observation.initialise(x)
    assert observation(eta).mean[1].item() == pytest.approx(value)
    assert observation(eta).scale[1].item() == pytest.approx(spread, rel=2e-3)


def test_a_column_of_zeros_takes_the_spread_of_all():
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    x[:, 1] = 0.0
    observation = Normal(scale="per-feature", features=Features((2,), (2,)))
    assert observation(observation.initialise(x)).scale[1].item() == pytest.approx(x.std().item(), rel=2e-3)


def test_softplus_starts_at_the_mean_however_far_it_is_from_zero():
    x = 1e4 + torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    observation = Normal(link="softplus", features=Features((2,), (2,)))
    torch.testing.assert_close(observation(observation.initialise(x)).mean, x.mean(0))
