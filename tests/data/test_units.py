"""Which entries of a datum have a unit of their own."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.units import mean_of, unit_shape_of, variance_of, varies

REAL = np.random.default_rng(0).normal(size=(20, 6, 4))


@pytest.mark.parametrize(
    ("x", "arguments", "expected"),
    [
        (REAL[:, 0], {}, (4,)),  # a table
        (REAL, {}, (1, 4)),  # windows (time, sensor)
        (REAL, {"bounds": (-9, 9)}, ()),  # an image
        (REAL[:, :4], {}, ()),  # a square
        ((30 * REAL).astype(int), {}, ()),
        (np.moveaxis(np.stack([REAL] * 3), 0, 1), {}, (3, 1, 1)),
        (np.stack([REAL] * 3, -1), {}, (1, 1, 3)),
        (REAL, {"units": "all"}, ()),
        ((30 * REAL).astype(int), {"units": "column"}, (1, 4)),
        (REAL[:, 0], {"units": "all"}, ()),
    ],
)
def test_units(x, arguments, expected):
    data = load(x, **arguments)
    assert data.unit_shape == expected
    standard = load(x, **arguments, scaling="standardise").scaling
    assert standard.offset.shape == standard.scale.shape == expected
    train = data.train.double()
    torch.testing.assert_close(standard.offset.double(), mean_of(train, expected), rtol=1e-6, atol=1e-6)


def test_wrong_units_are_refused():
    with pytest.raises(UsageError, match="unknown units 'colum'; did you mean 'column'"):
        load(REAL, units="colum")
    with pytest.raises(UsageError, match=r"needs images \(channels, rows, columns\), but a datum has shape \(6, 4\)"):
        load(REAL, units="channel")


@pytest.mark.parametrize("units", ["column", "channel", "all"])
def test_statistics_leave_out_what_is_missing(units):
    x = torch.tensor(np.stack([REAL] * 3, 1))
    shape, axes = unit_shape_of(x.shape[1:], units), {"column": (0, 1, 2), "channel": (0, 2, 3), "all": (0, 1, 2, 3)}
    x = torch.where(torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.3, torch.nan, x)
    values = x.numpy()
    np.testing.assert_allclose(mean_of(x, shape).flatten(), np.nanmean(values, axes[units]).flatten(), rtol=1e-9)
    np.testing.assert_allclose(
        variance_of(x, shape).flatten(), np.nanvar(values, axes[units], ddof=1).flatten(), rtol=1e-12
    )
    assert bool(varies(x, shape).all())
    constant = torch.where(x.isnan(), torch.nan, 3.0)
    assert not bool(varies(constant, shape).any())
