"""What an encoder sees of the columns of a table."""

import numpy as np
import torch

from obsvae.experiments.inputs import inputs_of
from obsvae.guides import ColumnInputs, CosineSine, Logarithm, OneHot, Standardised
from tests.tables import COLUMNS, mixed


def test_columns_are_seen_by_their_kinds():
    data = mixed(500, missing=0.0)
    inputs = inputs_of(data)
    inputs.initialise(data.train)
    u = inputs(data.train)
    # 5 standardised, 3 positive and 1 count by logarithm and zero, 4 levels, cosine and sine, 11 indicators.
    assert inputs.shape == (5 + 6 + 2 + 4 + 2 + len(COLUMNS),) == u.shape[1:]
    assert torch.isfinite(u).all()
    assert (u[:, -len(COLUMNS) :] == 1).all()


def test_a_missing_entry_is_seen_as_missing_and_nothing_else():
    data = mixed(500)
    inputs = inputs_of(data)
    inputs.initialise(data.train)
    x = data.test.clone()
    for value in (0.0, 1e4):
        hidden = x.clone()
        hidden[:, 2] = torch.nan
        assert torch.equal(inputs(hidden), inputs(torch.where(torch.isnan(hidden), torch.nan, hidden)))
        shown = x.clone()
        shown[:, 2] = value
        assert not torch.equal(inputs(hidden), inputs(shown))
    assert (inputs(torch.full_like(x, torch.nan)) == 0).all()


def test_logarithms_are_standardised_over_what_has_one():
    x = torch.tensor([[0.0], [1.0], [10.0], [100.0], [torch.nan]])
    seen = Logarithm(1)
    seen.initialise(x)
    u = seen(x)
    logs = np.log([1.0, 10, 100])
    np.testing.assert_allclose(u[1:4, 0], (logs - logs.mean()) / logs.std(ddof=1), rtol=1e-6)
    assert torch.isnan(u[[0, 4], 0]).all()
    assert u[:, 1].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    counts = Logarithm(1, shift=1.0)
    counts.initialise(x)
    assert torch.isfinite(counts(x)[:4]).all()


def test_codes_are_one_hot_over_columns_of_different_levels():
    u = OneHot([3, 2])(torch.tensor([[2.0, 0.0], [torch.nan, 1.0]]))
    assert u.tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]


def test_angles_next_to_one_another_across_the_end_of_a_turn_look_alike():
    seen = CosineSine([(0.0, 360.0)])
    u = seen(torch.tensor([[0.5], [359.5], [180.0]]))
    assert (u[0] - u[1]).norm() < 0.02
    assert (u[0] - u[2]).norm() > 1.9


def test_leading_axes_pass_through():
    inputs = ColumnInputs([(Standardised((1,)), [1]), (OneHot([2]), [0])], has_missing=True)
    assert inputs(torch.zeros(4, 5, 2)).shape == (4, 5, 5)
