"""The masses of a grid's cells under every density that is registered."""

import math
from types import SimpleNamespace

import numpy as np
import pyro
import pytest
import scipy.stats
import torch
from torch import nn

from obsvae.errors import UsageError
from obsvae.model import Discretised, Measure, Normal, make_observation, on_grid
from tests.model.cases import EVENT, start, stub
from tests.model.derivatives import assert_differentiable_twice
from tests.model.follow import assert_levels_follow
from tests.model.wrapped import EVERY

GRID = SimpleNamespace(low=0.0, step=1.0, levels=12)
BYTES = SimpleNamespace(low=0.0, step=1.0, levels=256)
FRACTIONS = SimpleNamespace(low=0.0, step=0.1, levels=23)  # few numbers of it are exact
DENSITIES = [
    spec
    for spec, family in EVERY.items()
    if family.measure in (Measure.LEBESGUE, Measure.MIXED) and "optimal" not in spec
]
# Far below a datum the log-density of the first two is beyond float32, and a sigmoid has no slope at 50 in float32.
REACH = {"weibull": 0.2, "gamma": 0.5, "sigmoid": 0.2}


def data_on(grid, spec):
    """Return a stub of data on a grid, and the data (200, *event)."""
    family = EVERY[spec]
    generator = torch.Generator().manual_seed(9)
    p = torch.rand((200, *EVENT), generator=generator, dtype=torch.float64)
    high = grid.low + grid.step * (grid.levels - 1)
    bounds = None
    if family.support in ("unit", "open", "circle") or "sigmoid" in spec:
        bounds = (grid.low, high + grid.step if family.support == "circle" else high)
    # As many as there are levels, most of them in the middle.
    level = ((grid.levels - 1) * (0.5 + 0.5 * (2 * p - 1) ** 3)).round()
    return stub(bounds=bounds, grid=grid), grid.low + grid.step * level


def made(spec, grid=GRID):
    data, x = data_on(grid, spec)
    observation = make_observation(f"discretised:inner={spec}", data).double()
    start(observation, x, EVERY[spec].shift)
    return observation


@pytest.fixture(params=DENSITIES)
def spec(request):
    return request.param


def outputs(spec, *batch, spread=2.0):
    generator = torch.Generator().manual_seed(0)
    family = EVERY[spec]
    eta = torch.randn((*batch, *EVENT, family.outputs), generator=generator, dtype=torch.float64)
    return family.stretch * spread * eta


def values(grid, dtype=torch.float64):
    """Return every value of a grid (levels, *event)."""
    x = grid.low + grid.step * torch.arange(grid.levels, dtype=torch.float64)
    return x.to(dtype).reshape(-1, 1, 1).expand(-1, *EVENT)


def test_sums_to_one(spec):
    rtol = 3e-7 if "von-mises" in spec else 1e-9  # a turn in data units is rounded to float32
    for grid in (GRID, FRACTIONS):
        observation = made(spec, grid)
        for spread in (2.0, 30.0):
            log_mass = observation(outputs(spec, spread=spread)).log_prob(values(grid))
            torch.testing.assert_close(log_mass.exp().sum(0).detach(), torch.ones(EVENT).double(), rtol=rtol, atol=0)


def test_each_cell_has_the_integral_of_the_density(spec):
    observation, eta = made(spec), outputs(spec)
    # Not the cells at the ends: those hold the tails, or the end of the support, where a density may diverge.
    x = values(GRID)[1:-1]
    at, weights = np.polynomial.legendre.leggauss(16)
    panels = 64
    t = ((np.arange(panels)[:, None] + 0.5 + 0.5 * at) / panels - 0.5).reshape(-1, 1, 1, 1)
    log_weights = np.log(np.tile(weights / (2 * panels), panels)).reshape(-1, 1, 1, 1)
    log_density = observation.inner(eta).log_prob(x + torch.tensor(t))
    truth = torch.logsumexp(log_density + torch.tensor(log_weights), 0)
    found = observation(eta).log_prob(x)
    error = (found - truth).abs() / truth.abs().clamp_min(1.0)
    assert error[truth > -600].max() <= max(1e-9, EVERY[spec].quadrature)


@pytest.mark.parametrize("spread", [2.0, 30.0])
def test_float32_agrees_with_float64(spec, spread):
    for grid in (GRID, BYTES):
        observation = made(spec, grid).float()
        eta, x = outputs(spec, spread=spread).float(), values(grid, torch.float32)
        found = observation(eta).log_prob(x).double()
        eta = eta.double().expand(grid.levels, *eta.shape).requires_grad_()
        truth = observation.double()(eta).log_prob(x.double())
        assert found.isfinite().all()
        # Far out a location of 200 beside a scale of 0.1 may be rounded, and that alone moves the mass.
        (slope,) = torch.autograd.grad(truth.sum(), eta)
        rounding = torch.finfo(torch.float32).eps * (slope.abs() * (1.0 + eta.abs())).sum(-1)
        allowed = rounding if spread > 2.0 else 0.0
        error = ((found - truth).abs() - allowed) / truth.abs().clamp_min(1.0)
        assert error.max() <= 1e-5


def test_fifty_scales_out_there_is_a_gradient_in_float32(spec):
    observation, family = made(spec).float(), EVERY[spec]
    reach = min((r for word, r in REACH.items() if word in spec), default=1.0)
    for side in (-1.0, 1.0):
        eta = torch.full((GRID.levels, *EVENT, family.outputs), 0.3)
        eta[..., list(family.locations)] = side * 50.0 * reach
        eta.requires_grad_()
        log_mass = observation(eta).log_prob(values(GRID, torch.float32))
        (slope,) = torch.autograd.grad(log_mass.sum(), eta)
        assert log_mass.isfinite().all(), side
        assert slope.isfinite().all(), side
        is_open = log_mass < -1e-3
        assert is_open.any(), side
        assert (slope != 0).any(-1)[is_open].all(), side


def test_samples_are_on_the_grid_and_follow_the_mass(spec):
    observation, eta = made(spec), outputs(spec)
    p = observation(eta)
    x = p.sample((2000,))
    observation.check(x)
    level = ((x - GRID.low) / GRID.step).round()
    expected = 2000 * p.log_prob(values(GRID)).exp().detach().numpy()
    for at in np.ndindex(EVENT):
        assert_levels_follow(np.bincount(level[:, *at].long(), minlength=GRID.levels), expected[:, *at])


def test_the_mean_is_the_mean(spec):
    for grid in (GRID, FRACTIONS):
        observation, eta = made(spec, grid), outputs(spec)
        x = values(grid)
        if observation.inner.period is not None:  # angles have a mean direction
            assert torch.equal(observation.mean(eta), observation.inner.mean(eta))
            continue
        truth = (x * observation(eta).log_prob(x).exp()).sum(0)
        torch.testing.assert_close(observation.mean(eta), truth, rtol=1e-9, atol=1e-9)


class LogMass(nn.Module):
    def __init__(self, observation):
        super().__init__()
        self.observation = observation

    def forward(self, eta, x):
        return self.observation(eta).log_prob(x).sum()


def cells_and_outputs(spec):
    """Return a cell of the middle of the grid for each feature, and decoder outputs."""
    x = values(GRID)[:1] + torch.arange(8.0).double().reshape(1, *EVENT) * GRID.step
    return x, outputs(spec, 1)


def test_differentiable_twice(spec):
    observation = made(spec)
    x, eta = cells_and_outputs(spec)
    with pyro.validation_enabled(False):
        assert_differentiable_twice(lambda e: observation(e).log_prob(x), eta)


def is_plain(spec):
    """Whether a family has its default options, or a wrapper the first family of its kind."""
    return ":" not in spec or spec in ("transformed:transform=log,inner=normal", "zero-inflated:inner=gamma")


# Options change how a scale comes about, which each density exports by itself; how the mass of a cell does not.
TO_EXPORT = [pytest.param(spec, marks=() if is_plain(spec) else pytest.mark.slow) for spec in DENSITIES]


@pytest.mark.parametrize("spec", TO_EXPORT)
def test_exports(spec):
    module = LogMass(made(spec))
    x, eta = cells_and_outputs(spec)
    with pyro.validation_enabled(False):
        exported = torch.export.export(module, (eta, x), strict=False).module()
        for args in ((eta, x), (0.5 * eta + 0.1, x.flip(-1))):  # other numbers, too: nothing is baked in
            torch.testing.assert_close(exported(*args), module(*args), rtol=1e-12, atol=0)


def test_check_refuses_what_is_beside_the_grid_in_one_line(spec):
    observation = made(spec, FRACTIONS)
    x = values(FRACTIONS, torch.float32).clone()
    observation.check(x)
    beyond = FRACTIONS.low + FRACTIONS.step * FRACTIONS.levels
    for wrong in (0.45, 0.4003, FRACTIONS.low - FRACTIONS.step, beyond, math.nan, math.inf):
        x[1, 0, 2] = wrong
        with pytest.raises(UsageError, match=r"datum 1, feature \(0, 2\)") as caught:
            observation.check(x)
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith("discretised needs x one of the 23 values 0, 0.1, ... of its grid, but found")


def test_a_trained_density_is_put_on_a_grid_with_its_parameters(spec):
    data, x = data_on(GRID, spec)
    density = make_observation(spec, data).double()
    start(density, x.clamp(0.25, 10.75), EVERY[spec].shift)  # within every support
    masses, eta = on_grid(density, GRID), outputs(spec)
    assert {id(p) for p in masses.parameters()} == {id(p) for p in density.parameters()}
    assert masses.measure is Measure.COUNTING
    assert masses.outputs == density.outputs
    masses.check(x)
    before = masses(eta).log_prob(x[:5])
    for parameter in density.parameters():
        parameter.data.add_(0.5)
        after = masses(eta).log_prob(x[:5])
        assert (after != before).any()
        before = after


def test_a_value_rounded_down_has_its_cell_above_it():
    density = Normal(scale=0.7).double()
    eta = torch.tensor([[0.3], [-1.0]]).double()
    grid = SimpleNamespace(low=-2.0, step=0.5, levels=9)
    masses = Discretised(density, grid, start=0.0)
    x = (grid.low + grid.step * torch.arange(9.0)).double().unsqueeze(-1)
    edges = torch.cat([x[:1] - math.inf, x[1:], x[-1:] + math.inf])
    truth = density(eta).cdf(edges).diff(dim=0)
    torch.testing.assert_close(masses(eta).log_prob(x).exp(), truth, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(masses.mean(eta), (x * truth).sum(0), rtol=1e-9, atol=1e-9)
    drawn = masses(eta).sample((20_000,))
    masses.check(drawn)
    torch.testing.assert_close(drawn.mean(0), masses.mean(eta), rtol=0, atol=0.02)


def test_a_lattice_without_ends_has_no_tails():
    eta = torch.tensor([0.3], dtype=torch.float64)
    open_ended = Discretised(Normal(2.0), SimpleNamespace(low=0.5, step=1.0, levels=None))(eta)
    x = torch.arange(-30.0, 31.0, dtype=torch.float64) + 0.5
    mass = open_ended.log_prob(x).exp()
    np.testing.assert_allclose(mass.sum(), 1.0, atol=1e-12)
    edges = scipy.stats.norm(0.3, 2.0).cdf([3.0, 4.0])
    np.testing.assert_allclose(open_ended.log_prob(torch.tensor([3.5], dtype=torch.float64)), np.log(np.diff(edges)))
    np.testing.assert_allclose(open_ended.mean, (mass * x).sum(), atol=0.01)


def test_a_lattice_without_ends_holds_any_of_its_values_and_draws_them():
    observation = Discretised(Normal(2.0), SimpleNamespace(low=0.0, step=0.5, levels=None))
    observation.check(torch.tensor([[-1e4], [0.5], [1e4]]))
    with pytest.raises(UsageError, match=r"one of the values 0, 0\.5, \.\.\. of its grid, but found 0\.3"):
        observation.check(torch.tensor([[0.3]]))
    x = observation(torch.zeros(1, 1)).sample((100,))
    observation.check(x)
    assert (x < 0).any()
