"""The observations under test: every registered family with its options in its own units, some in data units."""

import pyro
import pytest

from tests.model.cases import make_case, stub
from tests.model.wrapped import EVERY


@pytest.fixture(autouse=True)
def seeded():
    pyro.set_rng_seed(0)


@pytest.fixture
def specs():
    """Return every spec that the shared suite covers."""
    return tuple(EVERY)


# The map to data units is that of the support, or of the wrapper: one of each is enough beside every family in its own
# units. That every family takes its map is a test of its own, test_data_units.py.
IN_DATA_UNITS = (
    "normal:scale=decoder",
    "normal:scale=0.1,link=sigmoid",
    "continuous-bernoulli",
    "unnormalised-bernoulli",
    "beta",
    "von-mises",
    "categorical:categories=5",
    "transformed:transform=logit,inner=normal",
    "transformed:transform=yeo-johnson,inner=normal",
    "mixture:components=3,inner=logistic,scale=decoder",
    "mixture:components=2,inner=beta",
    "discretised:inner=normal",
)
IN_UNITS = [*((spec, "own") for spec in EVERY), *((spec, "data") for spec in IN_DATA_UNITS)]


@pytest.fixture(params=IN_UNITS, ids="-".join)
def case(request):
    return make_case(*request.param)


@pytest.fixture(params=EVERY)
def own_case(request):
    return make_case(request.param, "own")


@pytest.fixture
def data_stub():
    """Return the function that makes a stand-in for a dataset."""
    return stub
