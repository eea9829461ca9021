"""Densities of data with uniform noise: a bound whose exact value is known."""

from types import SimpleNamespace

import pyro
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import Dequantised, Discretised, Measure, Normal, make_observation, on_grid
from obsvae.model import exact as ours
from tests.model.cases import EVENT, start, stub
from tests.model.families import FAMILIES

GRID = SimpleNamespace(low=-1.0, step=0.5, levels=9)
DATA = stub(grid=GRID, bounds=(-1.0, 3.0))
ON_THE_LINE = ["normal", "logistic:scale=per-feature", "student-t", "mixture:components=2,inner=normal"]
# Over the whole of their bounds, which are a step wider than those of the data; of bounded densities.
ON_THE_BOUNDS = ["continuous-bernoulli", "truncated-normal", "von-mises"]


def made(spec):
    observation = make_observation(f"dequantised:inner={spec}", DATA).double()
    level = torch.randint(0, GRID.levels, (200, *EVENT), generator=torch.Generator().manual_seed(1))
    start(observation, GRID.low + GRID.step * level.double(), 0.0)
    return observation


def outputs(observation):
    generator = torch.Generator().manual_seed(0)
    return 3.0 * torch.randn((*EVENT, observation.outputs), generator=generator, dtype=torch.float64)


def values():
    return (GRID.low + GRID.step * torch.arange(GRID.levels).double()).reshape(-1, 1, 1).expand(-1, *EVENT)


@pytest.mark.parametrize("spec", ON_THE_LINE + ON_THE_BOUNDS)
def test_is_an_unbiased_estimate_of_the_mass_and_below_it_on_the_log_scale(spec):
    observation = made(spec)
    eta, x = outputs(observation), values()
    exact = on_grid(observation, GRID)(eta).log_prob(x)
    if spec in ON_THE_LINE:  # the masses at the ends of the grid hold the tails as well
        x, exact = x[1:-1], exact[1:-1]
    draws = observation(eta).log_prob(x.expand(4000, *x.shape))
    ratio = (draws - exact).exp()
    error = (ratio.mean(0) - 1.0).abs() / (ratio.std(0) / 4000**0.5)
    assert error.max() < 4.0
    below = (exact - draws.mean(0)) / (draws.std(0) / 4000**0.5)
    assert below.min() > -4.0
    assert below.sum() / below.numel() ** 0.5 > 4.0


def test_the_mass_sums_to_one_over_cells_that_cover_the_bounds():
    observation = made("continuous-bernoulli")
    masses = on_grid(observation, GRID)
    assert masses.measure is Measure.COUNTING
    torch.testing.assert_close(
        masses(outputs(observation)).log_prob(values()).exp().sum(0), torch.ones(EVENT).double(), rtol=1e-9, atol=0
    )
    assert {id(p) for p in masses.parameters()} == {id(p) for p in observation.parameters()}


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("u", [0.0, 0.5, 1 - 2**-24])
@pytest.mark.parametrize(("x", "step"), [(255.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (0.3, 0.1), (1e6, 0.25)])
def test_noise_is_strictly_within_the_cell_in_float32(x, step, u, flush, monkeypatch):
    seen = []

    class Base:
        batch_shape = torch.Size()

        def log_prob(self, value):
            seen.append(value)
            return torch.zeros_like(value)

    monkeypatch.setattr(torch, "rand", lambda shape, **kinds: torch.full(shape, u, **kinds))
    x = torch.tensor([x])
    torch.set_flush_denormal(flush)
    try:
        ours.Dequantised(Base(), 0.0, step, 256).log_prob(x)
        assert (seen[0] > x).all()
        assert (seen[0] < x + step).all()
        assert (seen[0] / 256 != 0).all()
    finally:
        torch.set_flush_denormal(False)
    assert seen[0].dtype == torch.float32


def test_each_evaluation_draws_its_own_noise_by_the_seed():
    observation = made("normal")
    eta, x = outputs(observation), values()
    p = observation(eta)

    def evaluate():
        return p.log_prob(x)

    pyro.set_rng_seed(5)
    first, second = evaluate(), evaluate()
    assert (first != second).all()
    pyro.set_rng_seed(5)
    assert torch.equal(evaluate(), first)
    # One value under many η, as importance samples are, has noise for each.
    many = observation(eta.expand(3, *eta.shape)).log_prob(x[0])
    assert many.shape == (3, *EVENT)
    assert (many[0] != many[1]).all()


def test_it_says_that_it_is_a_bound():
    observation = made("normal")
    assert observation.is_bound
    assert not on_grid(observation, GRID).is_bound
    assert observation.measure is Measure.COUNTING
    assert observation.name == "dequantised"
    assert observation.equivalent
    observation.check(values())
    with pytest.raises(
        ValueError, match=r"dequantised needs x one of the 9 values -1, -0.5, \.\.\. of its grid"
    ) as caught:
        observation.check(torch.full((1, *EVENT), 0.25))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["normal", "continuous-bernoulli"])
def test_samples_are_rounded_down_to_the_grid(spec):
    observation = made(spec)
    eta = outputs(observation)
    x = observation(eta).sample((20_000,))
    level = (x - GRID.low) / GRID.step
    torch.testing.assert_close(level, level.round(), rtol=0, atol=1e-9)
    if spec == "normal":  # off the grid as well, as its density is
        return
    observation.check(x)
    error = (x.mean(0) - on_grid(observation, GRID).mean(eta)).abs() / (x.std(0) / 20_000**0.5)
    assert error.max() < 4.5


def test_the_mean_is_that_of_the_density_less_half_a_step():
    observation = made("normal")
    eta = 0.1 * outputs(observation)
    torch.testing.assert_close(observation.mean(eta), observation.inner.mean(eta) - 0.5 * GRID.step)
    # Close to that of the masses, where the density is smooth over a step and within the grid.
    exact = Discretised(observation.inner, SimpleNamespace(low=-51.0, step=0.5, levels=209), start=0.0).mean(eta)
    torch.testing.assert_close(observation.mean(eta), exact, rtol=0, atol=0.01)


def test_a_step_of_gradient_reaches_every_parameter():
    observation = made("student-t")
    eta = outputs(observation).requires_grad_()
    observation(eta).log_prob(values()).sum().backward()
    for tensor in (eta, *observation.parameters()):
        assert tensor.grad.isfinite().all()
        assert (tensor.grad != 0).any()


MASSES = [spec for spec, family in FAMILIES.items() if family.measure in (Measure.COUNTING, Measure.NONE)]


@pytest.mark.parametrize("spec", [*MASSES, "zero-inflated:inner=gamma"])
def test_only_densities_are_dequantised(spec):
    with pytest.raises(UsageError, match=r"dequantised needs an inner density|a loss, not a likelihood") as caught:
        make_observation(f"dequantised:inner={spec}", DATA)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, stub()])
def test_data_without_a_grid_are_refused(data):
    with pytest.raises(UsageError, match=r"dequantised needs data on a grid.*declare none"):
        make_observation("dequantised:inner=normal", data)


def test_a_unit_of_noise_costs_the_logarithm_of_the_step():
    grid = SimpleNamespace(low=0.0, step=0.01, levels=100)
    observation = Dequantised(Normal(scale=5.0), grid)
    x = torch.full((1,), 0.5)
    flat = observation.inner(torch.zeros(1, 1)).log_prob(x) + torch.log(torch.tensor(0.01))
    torch.testing.assert_close(observation(torch.zeros(1, 1)).log_prob(x), flat, rtol=0, atol=1e-3)
