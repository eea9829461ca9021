"""The observations under test: every registered family with its options, in its own units and in data units."""

import pyro
import pytest

from tests.model.cases import AS_IT_IS, make_case, stub
from tests.model.wrapped import EVERY


@pytest.fixture(autouse=True)
def seeded():
    pyro.set_rng_seed(0)


@pytest.fixture
def specs():
    """Return every spec that the shared suite covers."""
    return tuple(EVERY)


IN_UNITS = [
    (spec, units)
    for spec, family in EVERY.items()
    for units in ("own", "data")
    if units == "own" or family.support not in AS_IT_IS
]


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
