"""Observations by name: options, data units, and errors that say what to type."""

from types import SimpleNamespace

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import (
    OBSERVATIONS,
    WRAPPERS,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Discretised,
    Logistic,
    Mixture,
    Normal,
    Transformed,
    make_observation,
)


def test_every_covered_spec_is_made(specs, data_stub):
    for spec in specs:
        grid = SimpleNamespace(low=0.0, step=1.0, levels=5)
        observation = make_observation(spec, data_stub(grid=grid))
        assert type(observation) is (OBSERVATIONS | WRAPPERS)[spec.partition(":")[0]]


def test_options_arrive():
    normal = make_observation("normal:scale=0.25,link=sigmoid,floor=0.5")
    assert normal.scale.value == 0.25
    assert torch.equal(normal.loc(torch.zeros(1)), torch.tensor(0.5))
    assert make_observation("normal:scale=shared,floor=0.5").scale.floor == 0.5
    assert make_observation("categorical:categories=7").outputs == 7
    assert make_observation("continuous-bernoulli:matched=True").matched is True
    assert make_observation("continuous-bernoulli:matched=false").matched is False


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bernouli", r"unknown observation 'bernouli'; did you mean 'bernoulli'\? known are .*categorical"),
        ("Normal", "did you mean 'normal'"),
        ("continous-bernoulli:matched=true", "did you mean 'continuous-bernoulli'"),
        ("", "unknown observation ''; known are bernoulli"),
        ("normal:sigma=1", "normal has no option 'sigma=1'; its options are: scale, link, floor"),
        ("normal:event_shape=3", "normal has no option 'event_shape=3'"),
        ("normal:scale", "normal needs a value of option 'scale', but got normal:scale; write scale=VALUE"),
        ("bernoulli:x=1", r"bernoulli has no option 'x=1': it takes none$"),
        ("normal:floor=low", "normal: option floor takes a number, but got 'low'"),
        ("categorical:categories=many", "categorical: option categories takes a whole number, but got 'many'"),
        ("categorical:categories=2.5", "option categories takes a whole number, but got '2.5'"),
        ("continuous-bernoulli:matched=maybe", "option matched takes true or false, but got 'maybe'"),
        ("normal:scale=sharde", r"unknown scale .*'sharde'; did you mean 'shared'"),
        ("normal:link=sigmoyd", "unknown link 'sigmoyd'; did you mean 'sigmoid'"),
        ("normal:scale=-1", "positive, from 1e-15 to 1e15, but got -1"),
        ("student-t:df=0", "a fixed df must be positive"),
        ("normal:scale=nan", "positive, from"),
        ("categorical:categories=1", "at least 2 categories, but got 1"),
        ("categorical", "categorical needs data on a grid.*save the codes of the levels"),
        ("normal:scale=per-feature", "scale=per-feature needs the shape of a datum"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(spec, message):
    with pytest.raises(UsageError, match=message) as caught:
        make_observation(spec)
    assert "\n" not in str(caught.value)


def test_categories_come_from_the_grid(data_stub):
    grid = SimpleNamespace(low=3.0, step=2.0, levels=6)
    observation = make_observation("categorical", data_stub(grid=grid))
    assert isinstance(observation, Transformed)
    assert isinstance(observation.inner, Categorical)
    assert observation.outputs == 6
    assert (observation.transform.offset, observation.transform.factor) == (3.0, 2.0)
    with pytest.raises(UsageError, match=r"categorical needs data on a grid.*declare none"):
        make_observation("categorical", data_stub(bounds=(0.0, 1.0)))
    plain = make_observation("categorical", data_stub(grid=SimpleNamespace(low=0.0, step=1.0, levels=6)))
    assert isinstance(plain, Categorical)


def test_bounds_give_the_affine_map(data_stub):
    for spec in ("continuous-bernoulli", "unnormalised-bernoulli", "normal:scale=0.1,link=sigmoid"):
        observation = make_observation(spec, data_stub(bounds=(-5.0, 250.0)))
        assert (observation.transform.offset, observation.transform.factor) == (-5.0, 255.0)
    plain = make_observation("continuous-bernoulli", data_stub(bounds=(0.0, 1.0)))
    assert isinstance(plain, ContinuousBernoulli)
    # Nobody declared bounds: x has to be in the unit interval, and `check` says so.
    undeclared = make_observation("continuous-bernoulli", data_stub())
    with pytest.raises(UsageError, match="declare the data's bounds"):
        undeclared.check(torch.full((1, 2, 4), 7.0))


def test_binary_bytes(data_stub):
    grid = SimpleNamespace(low=0.0, step=255.0, levels=2)
    observation = make_observation("bernoulli", data_stub(bounds=(0.0, 255.0), grid=grid))
    observation.check(torch.tensor([[0.0, 255.0]]))
    grey = make_observation("bernoulli", data_stub(grid=SimpleNamespace(low=0.0, step=1.0, levels=256)))
    assert isinstance(grey, Bernoulli)
    with pytest.raises(UsageError, match="binarise"):
        grey.check(torch.tensor([[128.0]]))


def test_real_families_take_the_scaling_and_ignore_the_bounds(data_stub):
    observation = make_observation("normal", data_stub(bounds=(0.0, 255.0)))
    assert isinstance(observation, Normal)
    observation = make_observation("normal", data_stub(bounds=(0.0, 255.0), offset=33.0, scale=78.0))
    assert (observation.transform.offset, observation.transform.factor) == (33.0, 78.0)
    per_feature = data_stub((3,), offset=torch.tensor([1.0, 2.0, 3.0]), scale=torch.tensor([4.0, 5.0, 6.0]))
    observation = make_observation("normal:scale=per-feature", per_feature)
    assert observation.transform.factor.tolist() == [4.0, 5.0, 6.0]
    assert observation.inner.scale.raw.shape == (3,)


@pytest.mark.parametrize("spec", ["continuous-bernoulli", "unnormalised-bernoulli", "normal:link=sigmoid"])
def test_standardised_data_do_not_live_on_the_unit_interval(spec, data_stub):
    data = data_stub(bounds=(0.0, 255.0), offset=33.0, scale=78.0)
    with pytest.raises(
        ValueError, match="takes its scale from the data's bounds or grid; leave out the scaling"
    ) as caught:
        make_observation(spec, data)
    assert "\n" not in str(caught.value)
    same = make_observation(spec, data_stub(bounds=(0.0, 255.0), offset=0.0, scale=255.0))
    assert same.transform.factor == 255.0


@pytest.mark.parametrize("spec", ["continuous-bernoulli", "unnormalised-bernoulli", "normal:link=sigmoid"])
def test_a_scaling_is_never_dropped_in_silence(spec, data_stub):
    # Without bounds there is no map to the unit interval, and the scaling that the user chose does not give one.
    with pytest.raises(UsageError, match=r"scaling|bounds"):
        make_observation(spec, data_stub(offset=33.0, scale=78.0))


GRID = SimpleNamespace(low=0.0, step=1.0, levels=12)


@pytest.mark.parametrize(
    "spec",
    [
        "discretised:inner=mixture,components=3,inner=logistic,scale=decoder",
        "discretised:inner=mixture:components=3,inner=logistic:scale=decoder",
        "discretised:inner=mixture:inner=logistic,components=3,scale=decoder",
        "discretised:inner=mixture,inner=logistic,scale=decoder,components=3",
    ],
)
def test_an_option_belongs_to_the_innermost_part_that_has_it(spec, data_stub):
    observation = make_observation(spec, data_stub(grid=GRID))
    assert isinstance(observation, Discretised)
    assert isinstance(observation.inner, Mixture)
    assert [type(c) for c in observation.inner.parts] == [Logistic] * 3
    assert observation.outputs == 3 * (1 + 2)


def test_a_wrapper_in_a_wrapper_of_its_kind_has_options_of_its_own(data_stub):
    observation = make_observation("mixture:components=2,inner=mixture,components=3,inner=logistic", data_stub())
    assert len(observation.parts) == 2
    assert [len(c.parts) for c in observation.parts] == [3, 3]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("discretised", r"discretised needs an inner observation: .*such as discretised:inner=logistic"),
        ("mixture:components=3", r"mixture needs an inner observation: mixture:inner=NAME"),
        ("discretised:inner=logistik", r"unknown observation 'logistik'; did you mean 'logistic'\?"),
        ("discretized:inner=logistic", r"did you mean 'discretised'\?"),
        (
            "discretised:inner=mixture,inner=logistic,sigma=3",
            r"no part of discretised:inner=mixture:inner=logistic has an option 'sigma=3'; their options are: "
            r"discretised: inner; mixture: components, inner; logistic: scale, link, floor \(written option=value\)",
        ),
        ("normal:inner=logistic", "normal has no option 'inner=logistic'; its options are: scale, link, floor"),
        ("discretised:inner=normal,inner=logistic", "no part of discretised:inner=normal has an option 'inner=logi"),
        ("discretised:inner=logistic,scale=1,scale=shared", "logistic got option 'scale' twice"),
        ("mixture:components=2,inner=logistic,components=3", "mixture got option 'components' twice"),
        ("transformed:inner=normal", "transformed needs option transform: transformed:transform=VALUE,inner=normal"),
        ("transformed:transform=lgo,inner=normal", "unknown transform 'lgo'; did you mean 'log'"),
        ("mixture:components=1,inner=normal", "mixture needs from 2 to 1000 components, but got 1"),
        ("mixture:components=2.5,inner=normal", "option components takes a whole number, but got '2.5'"),
        ("mixture:inner=unnormalised-bernoulli", "needs components that are normalised, but unnormalised-bernoulli is"),
        ("mixture:inner=dequantised,inner=normal", "dequantised is a random bound of one; take discretised"),
        ("mixture:inner=normal,scale=optimal", "normal with scale=optimal is not; take scale=shared"),
        ("zero-inflated:inner=unnormalised-bernoulli", "zero-inflated needs an inner density or mass"),
        ("zero-inflated:inner=zero-inflated,inner=gamma", "zero-inflated needs an inner density or mass"),
        ("discretised:inner=discretised,inner=normal", "the measure of discretised is mass: take discretised alone"),
        ("dequantised:inner=discretised,inner=normal", "the measure of discretised is mass: take discretised alone"),
        ("dequantised:inner=categorical", "the measure of categorical is mass: take categorical alone"),
        ("transformed:transform=log,inner=gamma", r"an inner family on the real line \(normal, .*\), but got gamma"),
        ("transformed:transform=log,inner=categorical", r"on the real line .*but got categorical"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_in_one_line(spec, message, data_stub):
    with pytest.raises(UsageError, match=message) as caught:
        make_observation(spec, data_stub(grid=GRID, bounds=(0.0, 11.0)))
    assert "\n" not in str(caught.value)
