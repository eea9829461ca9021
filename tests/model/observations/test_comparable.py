"""What may be ranked against what, and what is refused."""

from types import SimpleNamespace

import pytest
import torch

from obsvae.model import (
    Bernoulli,
    Discretised,
    Gamma,
    Measure,
    MeasureMismatch,
    Normal,
    Poisson,
    UnnormalisedBernoulli,
    ZeroInflated,
    on_common_scale,
    on_grid,
    require_one_dataset,
    require_one_measure,
)

GRID = SimpleNamespace(low=0.0, step=1.0, levels=5)


def test_on_a_grid_densities_become_masses_and_masses_stay():
    normal, poisson, inflated = Normal(), Poisson(), ZeroInflated(Gamma())
    found = on_common_scale({"normal": normal, "poisson": poisson, "inflated": inflated}, GRID)
    assert found["poisson"] is poisson
    for name, inner in (("normal", normal), ("inflated", inflated)):
        assert isinstance(found[name], Discretised)
        assert found[name].inner is inner
    assert {o.measure for o in found.values()} == {Measure.COUNTING}


def test_without_a_grid_one_measure_is_needed():
    densities = {"a": Normal(), "b": Normal(link="softplus")}
    assert on_common_scale(densities, None) == densities
    with pytest.raises(MeasureMismatch, match=r"a density \(a\) against a mass \(c\).*bring the data on their grid"):
        on_common_scale({**densities, "c": Poisson()}, None)
    with pytest.raises(MeasureMismatch, match="a density with a mass at 0"):
        on_common_scale({"a": Normal(), "d": ZeroInflated(Gamma())}, None)


@pytest.mark.parametrize("grid", [GRID, None])
def test_a_loss_is_never_ranked(grid):
    with pytest.raises(MeasureMismatch, match="not a likelihood"):
        on_common_scale({"a": Normal(), "b": UnnormalisedBernoulli()}, grid)


def test_models_of_other_data_are_refused():
    require_one_dataset({"a": "mnist, grey", "b": "mnist, grey"})
    with pytest.raises(MeasureMismatch, match="a is a model of mnist, grey, and b one of mnist, binary") as caught:
        require_one_dataset({"a": "mnist, grey", "b": "mnist, binary"})
    assert "train both on the same data" in str(caught.value)


def test_the_messages_are_of_one_line():
    with pytest.raises(MeasureMismatch) as caught:
        require_one_measure({"a": Measure.LEBESGUE, "b": Measure.COUNTING})
    assert "\n" not in str(caught.value)


def test_a_trained_observation_is_scored_both_ways_by_one_set_of_parameters():
    normal = Normal()
    normal.initialise(torch.arange(5.0)[:, None])
    eta, x = torch.zeros(5, 1, 1), torch.arange(5.0)[:, None]
    normal(eta)  # has run before it is wrapped
    masses = on_grid(normal, GRID)
    before = masses(eta).log_prob(x)
    with torch.no_grad():
        normal.scale.raw.add_(1.0)
    assert (masses(eta).log_prob(x) != before).all()
    assert on_grid(Bernoulli(), GRID).measure is Measure.COUNTING
