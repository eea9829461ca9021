"""What every observation keeps, in its own units and in data units: one suite for the whole registry."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from obsvae.model import OBSERVATIONS, WRAPPERS, Measure, Observation, make_observation
from tests.model.cases import EVENT
from tests.model.follow import assert_levels_follow


def nodes(case, count=32_001):
    """Return quadrature nodes (count, *event) over the support in u, and their weights."""
    u, weights = case.family.where.nodes(count=count)
    # Closer to an edge a point would be the edge itself in float64, in data units at least.
    inside = np.isfinite(u) & np.isfinite(weights) & (weights > 0)
    if case.family.support in ("unit", "open"):
        inside &= (u > 1e-14) & (u < 1 - 1e-14)
    u, weights = (a[inside].reshape(-1, 1, 1) for a in (u, weights))
    return torch.tensor(np.broadcast_to(u, (len(u), *EVENT)).copy()), weights


def every_level(case):
    """Return every level (count, *event); of counts the first 20,000, beyond which hardly any mass lies."""
    count = case.family.levels or 20_000
    return torch.arange(count).double().reshape(-1, 1, 1).expand(-1, *EVENT)


def test_every_registered_name_is_covered(specs):
    randomised = {"dequantised"}  # it has a suite of its own
    assert {spec.partition(":")[0] for spec in specs} == OBSERVATIONS.keys() | WRAPPERS.keys() - randomised


def test_the_registry_names_families_as_they_name_themselves(own_case):
    assert own_case.observation.name == own_case.spec.partition(":")[0]
    assert type(own_case.observation) is (OBSERVATIONS | WRAPPERS)[own_case.observation.name]
    assert own_case.observation.equivalent
    assert own_case.observation.support.remedy


def test_shapes(case):
    for batch in ((), (3,), (5, 3)):
        eta = case.eta(*batch)
        assert case.observation.outputs == case.family.outputs == eta.shape[-1]
        p = case.observation(eta)
        assert p.batch_shape == (*batch, *EVENT)
        assert p.event_shape == ()
        assert case.observation.mean(eta).shape == (*batch, *EVENT)
        log_prob = p.log_prob(case.x(*batch))
        assert log_prob.shape == (*batch, *EVENT)
        assert log_prob.dtype == torch.float64
        assert p.log_prob(case.x(7, *(1 for _ in batch))).shape == (7, *batch, *EVENT)


def test_is_elementwise(case):
    eta, x = case.eta(3), case.x(3)
    before = case.observation(eta).log_prob(x)
    eta[1, 0, 2, 0] += 1.0
    changed = case.observation(eta).log_prob(x) != before
    assert changed[1, 0, 2]
    assert changed.sum() == 1


def test_integrates_or_sums_to_one(case):
    for spread in (0.01, 2.0):
        eta = case.eta(spread=spread)
        p = case.observation(eta)
        if case.family.measure is Measure.COUNTING:
            total = p.log_prob(case.to_data(every_level(case))).exp().sum(0).detach()
            np.testing.assert_allclose(total, 1.0, rtol=1e-9, err_msg=f"spread {spread}")
            continue
        u, weights = nodes(case)
        total = (p.log_prob(case.to_data(u)).exp().detach().numpy() * case.factor * weights).sum(0)
        if case.family.measure is Measure.MIXED:
            total = total + p.log_prob(torch.zeros(EVENT, dtype=torch.float64)).exp().detach().numpy()
        if case.family.measure in (Measure.LEBESGUE, Measure.MIXED):
            np.testing.assert_allclose(total, 1.0, rtol=case.family.quadrature, err_msg=f"spread {spread}")
        else:  # the integral over u: tanh(η / 2) / η
            e = eta[..., 0].numpy()
            np.testing.assert_allclose(total / case.factor, np.tanh(e / 2) / e, rtol=1e-9, err_msg=f"spread {spread}")
            assert (total / case.factor <= 0.5).all(), spread


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_agrees_with_the_reference_far_into_the_tails(case, dtype, rtol):
    observation = case.observation.to(dtype)
    x = case.to_data(case.family.where.far(case.u(6))).to(dtype)
    # Logits reach ±80; a Normal is scored thousands of standard deviations away.
    for spread in (0.01, 2.0, 10.0 if "matched" in case.spec else 30.0):
        eta = case.eta(6, spread=spread).to(dtype)
        value = observation(eta).log_prob(x)
        # The reference is evaluated at what the rounded numbers are, σ included.
        reference = case.reference(eta.double(), (x.double() - case.offset) / case.factor)
        # A matched η grows like e^|logit|, so that family works in double precision whatever it is given.
        assert value.dtype == (torch.float64 if "matched" in case.spec else dtype)
        assert np.isfinite(reference).all(), spread
        error = np.abs(value.double().detach().numpy() - reference) / np.maximum(1, np.abs(reference))
        assert error.max() <= rtol, spread


@pytest.mark.parametrize("spread", [1.0, 4.0])
def test_samples_follow_the_density(case, spread):
    torch.manual_seed(0)
    eta = case.eta(spread=spread)
    p = case.observation(eta)
    if not case.family.samples:
        with pytest.raises(NotImplementedError):
            p.sample()
        return
    x = p.sample((4000,))
    assert x.shape == (4000, *EVENT)
    case.observation.check(x)
    u = ((x - case.offset) / case.factor).detach().numpy()
    for at in np.ndindex(EVENT):
        e = eta[at][None]
        if case.family.support == "counts":
            # Spread over its step of the distribution function, a count is uniform.
            full, k = eta.numpy(), u[:, *at][:, None, None]
            below = case.family.cdf(case.inner, full, k - 1)[:, *at]
            mass = np.exp(case.family.log_prob(case.inner, full, k))[:, *at]
            rng = np.random.default_rng(0)
            assert scipy.stats.kstest(below + mass * rng.uniform(size=len(mass)), "uniform").pvalue > 1e-4
        elif case.family.measure is Measure.COUNTING:
            expected = 4000 * np.exp(
                [
                    case.family.log_prob(case.inner, e.numpy(), np.array([float(k)]))[0]
                    for k in range(case.family.levels)
                ]
            )
            observed = np.array([(u[:, *at] == k).sum() for k in range(case.family.levels)])
            assert_levels_follow(observed, expected)
        else:
            full = eta.numpy()

            def cdf(values, at=at, full=full):
                return case.family.cdf(case.inner, full, values[:, None, None])[:, *at]

            below = cdf(u[:, *at])
            if case.family.measure is Measure.MIXED:  # spread over its step as well
                below = np.where(u[:, *at] == 0, below * np.random.default_rng(0).uniform(size=len(below)), below)
            assert scipy.stats.kstest(below, "uniform").pvalue > 1e-4


def test_mean_is_the_mean(case):
    eta = case.eta()
    if case.family.mean is not None:
        truth = case.to_data(case.family.mean(case.inner, eta.numpy()))
    elif case.family.measure is Measure.COUNTING:
        levels = every_level(case)
        truth = (case.to_data(levels).numpy() * np.exp(case.reference(eta, levels))).sum(0)
    elif case.family.measure in (Measure.LEBESGUE, Measure.MIXED):  # 0 adds nothing
        # Some references take mpmath for each node, and few nodes do where the density is smooth.
        u, weights = nodes(case, 501 if case.family.support in ("unit", "open") else 8001)
        density = np.exp(case.family.log_prob(case.inner, eta.numpy(), u.numpy()))
        truth = (case.to_data(u.numpy()) * density * weights).sum(0)
    else:
        truth = case.to_data(scipy.special.expit(eta[..., 0].numpy()))
    np.testing.assert_allclose(case.observation.mean(eta).detach(), truth, rtol=10 * case.family.quadrature, atol=1e-9)


@pytest.mark.parametrize("case", [("unnormalised-bernoulli", units) for units in ("own", "data")], indirect=True)
def test_corrections_of_the_unnormalised_loss(case):
    eta, x = case.eta(3), case.x(3)
    corrections = {correction.name: correction for correction in case.observation.corrections()}
    assert {name: found.is_preferred for name, found in corrections.items()} == {
        "as it stands": False,
        "mean matched": True,
    }
    found = {name: correction.observation for name, correction in corrections.items()}
    for observation in found.values():
        assert observation.measure is Measure.LEBESGUE
        observation.require_likelihood()
        u, weights = nodes(case)
        density = observation.double()(eta[0]).log_prob(case.to_data(u)).exp().numpy()
        np.testing.assert_allclose((density * weights).sum(0) * case.factor, 1.0, rtol=1e-9)
    e = eta[..., 0]
    sigmoid = case.to_data(torch.sigmoid(e))
    torch.testing.assert_close(found["mean matched"].mean(eta), sigmoid, rtol=1e-9, atol=1e-12)
    assert (found["as it stands"].mean(eta) - sigmoid).abs().max() > 0.1
    truth = e * (x - case.offset) / case.factor + torch.log(e / torch.expm1(e)) - np.log(case.factor)
    torch.testing.assert_close(found["as it stands"](eta).log_prob(x), truth, rtol=1e-9, atol=1e-12)


def test_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Observation()


def test_a_matched_mean_beyond_float32_is_still_scored():
    eta = torch.tensor([-300.0, 300.0]).unsqueeze(-1)
    value = make_observation("continuous-bernoulli:matched=true")(eta).log_prob(torch.tensor([0.0, 1.0]))
    # At the near bound the density is η = 1 + e^300.
    torch.testing.assert_close(value, torch.full((2,), 300.0, dtype=torch.float64))
