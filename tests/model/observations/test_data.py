"""What every observation does with data: its support, its start, its measure."""

import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import Measure, MeasureMismatch, make_observation
from tests.model.cases import EVENT


def wrong(case):
    return [*(case.to_data(u) for u in case.family.where.wrong), float("nan"), float("inf"), -float("inf")]


def test_check_accepts_the_support_with_its_edges(case):
    x = case.x(3)
    for at, u in enumerate(case.family.where.edges):
        x[0, 0, at] = case.to_data(u)
    assert case.observation.check(x) is None
    assert case.observation.check(x.float()) is None
    assert case.observation(case.eta(3)).log_prob(x).isfinite().all()


def test_check_refuses_in_one_line_with_value_and_place(case):
    for value in wrong(case):
        x = case.x(3)
        x[1, 0, 2] = value
        with pytest.raises(UsageError, match=r"datum 1, feature \(0, 2\)") as caught:
            case.observation.check(x)
        message = str(caught.value)
        assert "\n" not in message
        assert f"found {value:g} " in message
        assert message.startswith(case.observation.name)
        assert case.observation.support.remedy in message
        assert "{" not in message
        assert "more" not in message
        x[2] = value
        with pytest.raises(UsageError, match=r"datum 1, feature \(0, 2\) and in 8 more places"):
            case.observation.check(x)


def test_initial_outputs_reproduce_the_mean_of_the_data(case):
    x = case.x(300, seed=4)
    # Features that never vary, at the edges and within, where a density or a logit would diverge.
    x[:, 0, 0], x[:, 0, 1], x[:, 1, 3] = x.amin(), x.amax(), x[0, 1, 3].item()
    case.observation.check(x)
    with torch.no_grad():
        for parameter in case.observation.parameters():
            parameter.zero_()
    eta = case.observation.initialise(x)
    assert eta.shape == (*EVENT, case.family.outputs)
    assert eta.dtype == x.dtype
    assert eta.isfinite().all()
    assert case.observation(eta).log_prob(x).isfinite().all()
    # Families on an interval draw their start 5 % towards its middle.
    width = case.factor * max(1, case.family.levels - 1)
    tolerance = 1e-9 if case.family.support == "real" and "sigmoid" not in case.spec else 0.0251 * width
    if case.family.start is not None:
        tolerance = case.family.start * x.std()
    expected = x.mean(0)
    if case.family.support == "circle":
        angle = (x - case.offset) / case.factor
        expected = case.to_data(torch.atan2(torch.sin(angle).mean(0), torch.cos(angle).mean(0)))
    assert (case.observation.mean(eta) - expected).abs().max() <= tolerance


SIMULATED = {
    "normal": (lambda rng: rng.normal(3, 2, (20_000, 3)), {"scale": 2.0}),
    "laplace": (lambda rng: rng.laplace(3, 2, (20_000, 3)), {"scale": 2.0 * 2**0.5}),  # the standard deviation
    "student-t": (lambda rng: rng.normal(3, 2, (20_000, 3)), {"scale": 2.0, "df": 5.0}),
    "log-normal": (lambda rng: rng.lognormal(1, 0.7, (20_000, 3)), {"scale": 0.7}),
    "logit-normal": (lambda rng: 1 / (1 + np.exp(-rng.normal(1, 0.7, (20_000, 3)))), {"scale": 0.7}),
    "gamma": (lambda rng: rng.gamma(7, 2, (20_000, 3)), {"concentration": 7.0}),
    "weibull": (lambda rng: 2 * rng.weibull(3, (20_000, 3)), {"concentration": 3.0}),
    "beta": (lambda rng: rng.beta(2, 5, (20_000, 3)), {"concentration": 7.0}),
    "negative-binomial": (lambda rng: rng.negative_binomial(4, 0.3, (20_000, 3)), {"dispersion": 0.25}),
    "von-mises": (lambda rng: rng.vonmises(1, 4, (20_000, 3)), {"concentration": 4.0}),
}


@pytest.mark.parametrize("source", ["shared", "per-feature"])
@pytest.mark.parametrize("name", SIMULATED)
def test_parameters_start_from_the_data(name, source, data_stub):
    simulate, expected = SIMULATED[name]
    x = torch.tensor(simulate(np.random.default_rng(0))).double()
    spec = f"{name}:{','.join(f'{key}={source}' for key in expected)}"
    observation = make_observation(spec, data_stub((3,))).double()
    observation.initialise(x)
    found = observation.describe()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert np.max(np.abs(np.asarray(found[key]) - value)) < 0.08 * value  # the approximation for angles is 7 % off


def test_the_measure_is_named_and_enforced(case):
    assert case.observation.measure is case.family.measure
    if case.family.measure is not Measure.NONE:
        assert case.observation.require_likelihood() is None
        assert case.observation.corrections() == ()
        return
    with pytest.raises(MeasureMismatch, match=r"not a likelihood.*'as it stands' or 'mean matched'") as caught:
        case.observation.require_likelihood()
    assert "\n" not in str(caught.value)


def test_describing_changes_nothing(case):
    case.observation.train()
    case.observation.describe()
    assert all(module.training for module in case.observation.modules())


@pytest.mark.parametrize("own_case", ["normal", "normal:scale=per-feature", "normal:scale=decoder"], indirect=True)
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_data_without_any_spread_start_finite_or_are_refused(own_case, value):
    # A floor relative to the data's spread is none at all where the spread is 0.
    x = torch.full((50, *EVENT), value, dtype=torch.float64)
    try:
        eta = own_case.observation.initialise(x)
    except ValueError:
        return
    assert eta.isfinite().all()
    assert (own_case.observation.scale(eta[..., 1:]) > 0).all()


@pytest.mark.parametrize("name", ["gamma", "weibull", "log-normal"])
def test_a_unit_of_eta_is_a_spread_of_the_logarithm(name, data_stub):
    rng = np.random.default_rng(0)
    x = torch.tensor(np.exp(np.array([0.001, 1.0]) * rng.normal(size=(5000, 2)))).double()
    observation = make_observation(f"{name}", data_stub((2,))).double()
    eta = observation.initialise(x)
    before = observation.mean(eta)
    eta[..., 0] += 1.0
    torch.testing.assert_close(torch.log(observation.mean(eta) / before), torch.log(x).std(0))
