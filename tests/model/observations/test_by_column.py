"""A family for each column of a table."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch

from obsvae.data import Column, Grid, Kind, load
from obsvae.errors import UsageError
from obsvae.model import (
    ByColumn,
    Discretised,
    Measure,
    MeasureMismatch,
    by_column_text,
    make_observation,
    on_common_scale,
    on_grid,
)
from tests.tables import COLUMNS, mixed


def started(spec="by-column", data=None):
    """Return an observation that was started from a table, with outputs for some rows, and these rows."""
    data = mixed(missing=0.0) if data is None else data
    observation = make_observation(spec, data)
    eta = observation.initialise(data.train)
    noise = torch.randn(20, *eta.shape, generator=torch.Generator().manual_seed(0))
    return observation, eta + 0.2 * noise * observation.used, data.train[:20]


def test_each_column_has_the_density_that_its_family_has_alone():
    observation, eta, x = started()
    data = mixed(missing=0.0)
    log_p = observation(eta).log_prob(x)
    for d, column in enumerate(COLUMNS):
        alone = mixed(missing=0.0, columns=(column,))
        alone = replace(alone, **{split: data.split(split)[:, [d]] for split in ("train", "validation", "test")})
        single = make_observation("by-column", alone)
        start = single.initialise(alone.train)
        torch.testing.assert_close(
            log_p[:, d], single(eta[:, [d], : start.shape[-1]]).log_prob(x[:, [d]])[:, 0], msg=column.name
        )


def test_columns_are_in_the_units_that_they_are_stored_in():
    observation, eta, x = started()
    log_p = observation(eta).log_prob(x).detach().double().numpy()
    e = eta.double().numpy()
    normal = observation.inner.parts[0]
    centre, scale = normal.centre.double().numpy(), normal.scale(torch.zeros(0)).detach().double().numpy()
    spread = normal.spread.double().numpy()
    expected = scipy.stats.norm(centre + spread * e[:, [0, 10], 0], scale).logpdf(x[:, [0, 10]].double().numpy())
    np.testing.assert_allclose(log_p[:, [0, 10]], expected, atol=2e-4)
    p = 1 / (1 + np.exp(-e[:, 5, 0]))
    np.testing.assert_allclose(log_p[:, 5], scipy.stats.bernoulli(p).logpmf(x[:, 5].numpy()), rtol=1e-5)


def test_draws_keep_their_decimals_whichever_column_comes_first():
    for first in (5, 6, 7):
        data = mixed(missing=0.0, columns=(COLUMNS[first], *COLUMNS[:first], *COLUMNS[first + 1 :]))
        observation, eta, _ = started(data=data)
        drawn = observation(eta).sample()
        assert drawn.dtype == torch.float32
        assert (drawn[:, 1] != drawn[:, 1].round()).all()  # lengths in mm
        assert (drawn[:, 0] == drawn[:, 0].round()).all()


def test_columns_of_equal_families_are_the_single_family():
    x = torch.randn(100, 5, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 10.0, 0.1, 3.0, 1e3])
    data = replace(mixed(missing=0.0), columns=None, train=x, validation=x, test=x, has_missing=False)
    table = replace(data, columns=tuple(Column(f"c{i}", Kind.REAL, "student-t") for i in range(5)))
    one, other = make_observation("student-t", data), make_observation("by-column", table)
    assert len(other.parts) == 1
    eta = one.initialise(x)
    assert torch.equal(eta, other.initialise(x))
    eta = eta + torch.randn(100, 5, 1)
    assert torch.equal(one(eta).log_prob(x), other(eta).log_prob(x))
    assert torch.equal(one.mean(eta), other.mean(eta))


def test_the_order_of_columns_does_not_matter():
    observation, eta, x = started()
    order = torch.randperm(len(COLUMNS), generator=torch.Generator().manual_seed(3))
    data = mixed(missing=0.0)
    shuffled = replace(
        data,
        columns=tuple(COLUMNS[d] for d in order),
        **{split: data.split(split)[:, order] for split in ("train", "validation", "test")},
    )
    other = make_observation("by-column", shuffled)
    torch.testing.assert_close(other.initialise(shuffled.train), observation.initialise(data.train)[order])
    torch.testing.assert_close(other(eta[:, order]).log_prob(x[:, order]), observation(eta).log_prob(x)[:, order])


def test_columns_that_are_alike_share_a_call():
    columns = tuple(replace(COLUMNS[1], name=f"word {i}") for i in range(57))
    assert len(make_observation("by-column", replace(mixed(), columns=columns)).inner.parts) == 1
    # Ten families in eleven columns: two are Normal.
    assert len(make_observation("by-column", mixed()).inner.parts) == 10


def test_every_column_draws_within_its_support_and_has_its_mean():
    observation, eta, _ = started()
    p = observation(eta[:1])
    x = p.sample((4000,))
    assert x.shape == (4000, 1, len(COLUMNS))
    observation.check(x[:, 0])
    mean = observation.mean(eta[:1])
    error = (x.mean(0) - mean) / (x.std(0) / 4000**0.5)
    lacking = [d for d, c in enumerate(COLUMNS) if c.kind in (Kind.ANGLE, Kind.PROPORTION)]  # no mean in closed form
    error[:, lacking] = 0.0
    assert (error.abs() < 5).all()


@pytest.mark.parametrize("first", range(len(COLUMNS)))
def test_draws_are_real_numbers_whatever_the_first_column_is(first):
    columns = (COLUMNS[first], *COLUMNS[:first], *COLUMNS[first + 1 :])
    observation, eta, _ = started(data=mixed(missing=0.0, columns=columns))
    x = observation(eta).sample()
    observation.check(x)
    place = columns.index(COLUMNS[0]) if first else 0
    assert (x[:, place] != x[:, place].round()).any()


def test_its_gradient_is_that_of_the_parts_and_finite():
    observation, eta, x = started()
    eta.requires_grad_()
    (slope,) = torch.autograd.grad(observation(eta).log_prob(x).sum(), eta)
    assert torch.isfinite(slope).all()
    used = observation.used.expand_as(slope)
    assert (slope[~used] == 0).all()
    assert (slope[used] != 0).float().mean() > 0.95


def test_the_measure_is_a_product_and_compares_column_by_column():
    data = mixed()
    observation = make_observation("by-column", data)
    assert observation.measure is Measure.PRODUCT
    masses = on_grid(observation, data.grids)
    assert masses.measures["weight"] is Measure.COUNTING
    assert masses.measures["price"] is Measure.LEBESGUE
    assert masses.measures["rain"] is Measure.MIXED
    other = make_observation(by_column_text({"price": "gamma", "visits": "poisson"}), data)
    assert set(on_common_scale({"a": observation, "b": other}, data.grids)) == {"a", "b"}
    mismatch = make_observation(by_column_text({"rain": "normal"}), data)
    with pytest.raises(MeasureMismatch, match=r"column 'rain' is a density with a mass at 0 in a, and a density in b"):
        on_common_scale({"a": observation, "b": mismatch}, data.grids)


def test_masses_of_columns_on_a_grid_are_the_integrals_of_their_densities():
    observation, eta, x = started()
    data = mixed(missing=0.0)
    masses = on_grid(observation, data.grids)
    density, mass = observation(eta).log_prob(x), masses(eta).log_prob(x)
    d = [column.name for column in COLUMNS].index("weight")
    others = [i for i in range(len(COLUMNS)) if i != d]
    assert torch.equal(density[:, others], mass[:, others])
    # Cells of 1 under a spread of hundreds: the density times the width.
    torch.testing.assert_close(mass[:, d], density[:, d], atol=1e-3, rtol=0.0)
    assert not torch.equal(mass[:, d], density[:, d])
    by_hand = Discretised(observation.inner.parts[d], Grid(0.0, 1.0, None))
    assert torch.equal(by_hand(eta[:, [d], :1]).log_prob(x[:, [d]])[:, 0], mass[:, d])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("by-column:{price = normal}", "needs families by column.*quote names and families"),
        ("by-column:{price = 3}", "it is no table of texts"),
        ('by-column:{"prise" = "normal"}', "unknown column 'prise'.*'price'"),
        ('by-column:{"price" = "nomal"}', "column 'price': unknown observation 'nomal'"),
        ('by-column:{"share" = "unnormalised-bernoulli"}', "column 'share' needs a likelihood"),
        ('by-column:{"price" = "normal:scale=optimal"}', "column 'price' needs a scale of its own"),
        ('by-column:{"price" = "categorical"}', "column 'price': categorical needs data on a grid"),
        ('by-column:{"price" = "by-column"}', "column 'price': unknown observation 'by-column'"),
    ],
)
def test_texts_that_cannot_be_meant_are_refused(spec, message):
    with pytest.raises(UsageError, match=message):
        make_observation(spec, mixed())


def test_a_table_is_needed():
    data = replace(mixed(), columns=None)
    with pytest.raises(UsageError, match="by-column needs a table"):
        make_observation("by-column", data)


def test_names_of_any_kind_go_through_a_text():
    names = ["a, b", 'q"uote', "größe 😀", "tab\there", "back\\slash", "{x}", "a = b"]
    columns = tuple(Column(name, Kind.REAL, "normal") for name in names)
    data = replace(mixed(), columns=columns)
    text = by_column_text(dict.fromkeys(names, "student-t:df=4"))
    assert make_observation(text, data).inner.parts[0].name == "student-t"


def test_one_family_may_be_that_of_all_columns():
    observation = make_observation("normal:scale=decoder", mixed())
    assert {part.name for part in observation.inner.parts} == {"normal"}
    assert isinstance(observation.inner, ByColumn)


def test_data_outside_name_column_row_value_and_remedy():
    observation, _, x = started()
    x = x.clone()
    x[3, 1] = -2.0
    with pytest.raises(
        UsageError,
        match=r"column 'price' as log-normal needs x above 0, but found -2 in row 13 \(counted from 0\); take",
    ):
        observation.check(x, torch.arange(10, 30))
    x[3, 1] = torch.nan
    observation.check(x)  # missing
    with pytest.raises(UsageError, match="column 'price' as log-normal"):
        observation.inner.check(x)


def test_a_column_that_no_family_can_start_from_is_named():
    data = mixed(missing=0.0)
    x = data.train.clone()
    x[:, 0] = 5.0
    with pytest.raises(UsageError, match="column 'length, mm': a scale starts from the spread"):
        make_observation("by-column", replace(data, columns=COLUMNS[:1])).initialise(x[:, :1])


def test_its_description_names_families_and_columns():
    observation, _, _ = started()
    about = observation.describe()
    assert set(about["normal of 'length, mm', 'temperature'"]) == {"scale"}


def test_a_column_of_which_nothing_is_seen_in_training_is_named():
    data = mixed()
    x = data.train.clone()
    x[:, 4] = torch.nan
    with pytest.raises(UsageError, match="but column 'visits' has none; leave it out"):
        make_observation("by-column", data).initialise(x)


@pytest.mark.parametrize("turn", [(-180.0, 180.0), (0.0, 360.0), (1.0, 361.0), (0.5, 360.5)])
def test_whole_degrees_have_the_cells_of_one_turn_wherever_that_begins(turn):
    column = Column("wind", Kind.ANGLE, "von-mises", bounds=turn, grid=Grid(0.0, 1.0, None), is_whole=True)
    x = torch.from_numpy(np.random.default_rng(0).integers(turn[0] + 1, turn[1] - 1, size=(300, 1)).astype(np.float32))
    data = replace(mixed(), columns=(column,), train=x)
    observation = make_observation("by-column", data)
    eta = observation.initialise(x)
    masses = on_grid(observation, data.grids)
    masses.check(x)
    drawn = masses(eta[None]).sample((2000,))[:, 0]
    masses.check(drawn)
    assert drawn.min() >= turn[0]
    assert drawn.max() <= turn[1]
    cells = torch.arange(np.ceil(turn[0]), np.ceil(turn[0]) + 360).unsqueeze(1)
    np.testing.assert_allclose(masses(eta[None]).log_prob(cells).exp().sum().detach(), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "bounds"),
    [
        ("transformed:transform=yeo-johnson,inner=normal", None),
        ("truncated-normal", (-0.5, 10.5)),
        ("beta", (-1.0, 11.0)),
    ],
)
def test_whole_numbers_have_a_mean_under_any_family(family, bounds):
    column = Column("n", Kind.REAL, family, bounds=bounds, grid=Grid(0.0, 1.0, None), is_whole=True)
    x = torch.from_numpy(np.random.default_rng(0).binomial(10, 0.4, size=(300, 1)).astype(np.float32))
    data = replace(mixed(), columns=(column,), train=x)
    observation = make_observation("by-column", data)
    eta = observation.initialise(x)
    mean = on_grid(observation, data.grids).mean(eta[None])
    assert mean.item() == pytest.approx(float(x.mean()), abs=0.7)


def test_a_column_of_zeros_does_not_start_from_another():
    columns = tuple(Column(f"c{i}", Kind.POSITIVE, "zero-inflated:inner=log-normal") for i in range(2))
    x = torch.rand(100, 2) * torch.tensor([1.0, 1e4])
    x[::3] = 0.0
    data = replace(mixed(), columns=columns, train=x)
    observation = make_observation("by-column", data)
    eta = observation.initialise(x)
    for d in range(2):
        alone = make_observation("by-column", replace(data, columns=columns[d : d + 1], train=x[:, [d]]))
        torch.testing.assert_close(alone.initialise(x[:, [d]])[0], eta[d])
        torch.testing.assert_close(
            alone(eta[[d]].expand(9, 1, -1)).log_prob(x[:9, [d]])[:, 0],
            observation(eta.expand(9, 2, -1)).log_prob(x[:9])[:, d],
        )
    x[:, 0] = 0.0
    with pytest.raises(UsageError, match="column 'c0', 'c1': zero-inflated needs some data that are not 0"):
        observation.initialise(x)


def test_the_first_row_of_the_file_is_named():
    data = load(np.abs(np.random.default_rng(0).normal(size=(40, 2))) + 1)
    observation = make_observation("gamma", data)
    x = data.train.clone()
    rows = data.rows["train"]
    x[3:9, 1] = -1.0
    first = int(rows[3:9].min())
    assert rows[3:9].tolist() != sorted(rows[3:9].tolist())
    with pytest.raises(UsageError, match=f"at datum {first}, feature 1 and in 5 more places"):
        observation.check(x, rows)
    with pytest.raises(UsageError, match="at datum 3, feature 1"):
        observation.check(x)
