"""What cannot be put into cells, one cell alone, and cells that go round."""

from types import SimpleNamespace

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import Discretised, Measure, MeasureMismatch, make_observation, on_grid
from tests.model.cases import stub
from tests.model.families import FAMILIES

GRID = SimpleNamespace(low=0.0, step=1.0, levels=12)
MASSES = [spec for spec, family in FAMILIES.items() if family.measure is Measure.COUNTING]


@pytest.mark.parametrize("spec", [*MASSES, "unnormalised-bernoulli", "zero-inflated:inner=poisson"])
def test_only_densities_are_put_into_cells(spec):
    with pytest.raises(MeasureMismatch, match=r"discretised needs an inner density|a loss, not a likelihood") as caught:
        make_observation(f"discretised:inner={spec}", stub(grid=GRID, bounds=(0.0, 11.0)))
    assert "\n" not in str(caught.value)


def test_a_mass_is_its_own_on_a_grid():
    observation = make_observation("poisson")
    assert on_grid(observation, GRID) is observation


@pytest.mark.parametrize("data", [None, stub()])
def test_data_without_a_grid_are_refused(data):
    with pytest.raises(UsageError, match=r"discretised needs data on a grid.*declare none") as caught:
        make_observation("discretised:inner=normal", data)
    assert "\n" not in str(caught.value)


def test_a_profile_likelihood_is_refused():
    with pytest.raises(UsageError, match="scale=optimal is not; take scale=shared") as caught:
        make_observation("discretised:inner=normal,scale=optimal", stub(grid=GRID))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["normal", "laplace", "logistic", "student-t", "gamma", "beta"])
def test_a_single_cell_has_all_of_the_mass(spec):
    density = make_observation(spec).double()
    eta = torch.tensor([[0.5, 0.3][: density.outputs]], dtype=torch.float64, requires_grad=True)
    p = Discretised(density, SimpleNamespace(low=0.0, step=1.0, levels=1))(eta)
    log_mass = p.log_prob(torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(log_mass, torch.zeros_like(log_mass), rtol=0, atol=1e-9)
    (slope,) = torch.autograd.grad(log_mass.sum(), eta)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-8)


def test_the_cells_of_angles_go_round(data_stub):
    grid = SimpleNamespace(low=0.0, step=1.0, levels=4)
    observation = make_observation("discretised:inner=von-mises,concentration=8", data_stub((1,), (0.0, 4.0), grid))
    x = torch.arange(4.0).reshape(-1, 1)
    masses = []
    for at in range(4):  # the mean direction at each value in turn: data units 2 are the angle 0
        angle = torch.tensor((at - 2) * torch.pi / 2)
        eta = torch.stack([torch.cos(angle), torch.sin(angle)])[None]
        masses.append(observation(eta).log_prob(x).exp().squeeze().roll(-at))
        draws = observation(eta).sample((100,))
        observation.check(draws)
    for turned in masses:
        torch.testing.assert_close(turned, masses[0])
    assert masses[0][0] > 0.9
    torch.testing.assert_close(masses[0][1], masses[0][3])
    torch.testing.assert_close(masses[0].sum(), torch.tensor(1.0))
