"""Every family takes the data's own units: only the Jacobian and the map of x tell them from its own units."""

import pytest
import torch

from tests.model.cases import AS_IT_IS, make_case
from tests.model.conftest import IN_DATA_UNITS
from tests.model.wrapped import EVERY

# Yeo-Johnson's map and the location of a discretised density do not move with the unit: the shared suite has both in
# data units, against their references.
MAPPED = [
    spec
    for spec, family in EVERY.items()
    if family.support not in AS_IT_IS and not spec.startswith(("discretised", "transformed:transform=yeo-johnson"))
]


@pytest.mark.parametrize("spec", MAPPED)
def test_a_log_probability_loses_the_jacobian_and_the_mean_is_mapped(spec):
    own, data = make_case(spec, "own"), make_case(spec, "data")
    # A turn in data units is rounded to float32.
    rtol = 1e-5 if own.family.support == "circle" else 1e-9
    eta, u = own.eta(20), own.u(20)
    x = data.to_data(u)
    assert data.observation.check(x) is None
    in_data_units, in_own_units = data.observation(eta).log_prob(x), own.observation(eta).log_prob(u)
    torch.testing.assert_close(in_data_units, in_own_units - data.jacobian, rtol=rtol, atol=1e-9)
    found, expected = data.observation.mean(eta), data.to_data(own.observation.mean(eta))
    torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-9)


def test_the_shared_suite_runs_once_for_each_support_in_data_units():
    supports = {family.support for family in EVERY.values()}
    assert {EVERY[spec].support for spec in IN_DATA_UNITS} == supports - set(AS_IT_IS)
