"""Figures of tables: what they draw of each kind of column, and that no text of a table is taken for a formula."""

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from obsvae.data import Column, Grid, Kind
from obsvae.inference import (
    Predictive,
    column_fits,
    pair_fits,
    plot_column_fits,
    plot_column_gains,
    plot_column_reproductions,
    plot_column_walks,
    plot_columns,
    plot_dependence,
    plot_pairs,
)
from obsvae.inference.figures.columns.kinds import view_of
from tests.tables import COLUMNS, mixed

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def check():
    data, drawn = mixed(150, seed=1).train.numpy(), mixed(2500, missing=0.0, seed=2).train.numpy()
    return Predictive(data, drawn[: 15 * len(data)])


def drawn(figure):
    """Return a figure's panels, after it was drawn as a whole."""
    figure.savefig(io.BytesIO(), dpi=40)
    return figure.axes


def texts(axes):
    return [text.get_text() for text in axes.get_xticklabels()]


def view(index, x, drawn=None):
    return view_of(COLUMNS[index], np.asarray(x, dtype=float), None if drawn is None else np.asarray(drawn))


def test_every_column_is_drawn_with_its_name_and_unit(check):
    fits = column_fits(check, COLUMNS)
    panels = {axes.get_xlabel(): axes for axes in drawn(plot_columns(check, COLUMNS, fits))}
    assert set(panels) >= {"price [USD]", "wind [degrees]", "temperature [K]", "length, mm", "colour", "rain"}
    assert len(panels) == len(COLUMNS)
    assert texts(panels["grade"]) == ["low", "middle", "high"]  # in their order
    frequent = np.bincount(check.observed[~np.isnan(check.observed[:, 6]), 6].astype(int)).argmax()
    assert texts(panels["colour"])[0] == COLUMNS[6].levels[frequent]
    assert panels["price [USD]"].get_xscale() == "log"
    assert panels["temperature [K]"].get_xscale() == "linear"
    assert panels["wind [degrees]"].get_xlim() == (0.0, 360.0)
    # Levels: bars of the observed shares, then of the drawn ones.
    heights = [bar.get_height() for bar in panels["is new"].patches]
    seen = check.observed[:, 5][~np.isnan(check.observed[:, 5])]
    expected = [(values == level).mean() for values in (seen, check.simulated[:, 5]) for level in (0, 1)]
    assert heights == pytest.approx(expected)
    assert len(drawn(plot_columns(check, COLUMNS, fits, most=3))) == 3


def test_shares_are_of_the_entries_that_are_seen_and_lattices_have_equal_cells():
    tenths = np.round(np.random.default_rng(0).normal(5, 0.5, 400), 1)
    found = view_of(Column("x", Kind.REAL, "normal"), tenths)
    widths = np.diff(found.edges) / 0.1
    assert widths == pytest.approx(np.full(len(widths), widths[0]))
    assert widths[0] == pytest.approx(round(widths[0]))
    assert found.shares(np.append(tenths, np.nan)).sum() == pytest.approx(1.0)
    years = np.random.default_rng(0).integers(70, 83, 300).astype(float)
    whole = view_of(Column("year", Kind.POSITIVE, "log-normal", grid=Grid(0.0, 1.0, None)), years)
    assert set(np.diff(whole.edges)) == {1.0}
    assert (whole.edges % 1 == 0.5).all()


def test_zeros_have_a_cell_of_their_own_on_a_logarithmic_axis():
    x = np.exp(np.random.default_rng(0).normal(0, 2, 300))
    x[:100] = 0.0
    found = view(9, x)
    assert found.has_zero
    assert found.edges[0] < 0 < found.edges[1] < x[100:].min()
    assert found.shares(x)[0] == pytest.approx(1 / 3)
    assert found.shares(x).sum() == pytest.approx(1.0)
    assert not view(1, x[100:]).has_zero


@pytest.mark.parametrize("index", range(len(COLUMNS)))
@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0, 1.0], [np.nan, 1.0]], ids=["one", "constant", "missing"])
def test_few_or_equal_values_can_be_drawn(index, values):
    x = np.array(values)[:, None]
    column = [COLUMNS[index]]
    checked = Predictive(x, np.ones((40, 1)))
    drawn(plot_columns(checked, column, column_fits(checked, column)))
    drawn(plot_column_reproductions(x, np.ones_like(x), column))


def test_of_many_levels_the_last_stand_together():
    levels = tuple(f"town {i}" for i in range(40))
    towns = Column("town", Kind.CATEGORY, "categorical", grid=Grid(0.0, 1.0, 40), levels=levels)
    codes = np.repeat(np.arange(40.0), np.arange(40) + 1)
    found = view_of(towns, codes)
    assert found.texts == [f"town {i}" for i in range(39, 28, -1)] + ["29 others"]
    assert found.shares(codes).sum() == pytest.approx(1.0)
    assert found.place(np.array([39.0, 0.0, np.nan]))[:2].tolist() == [0.0, 11.0]


def test_the_fits_are_drawn_worst_first(check):
    fits = column_fits(check, COLUMNS)
    distances, covered = drawn(plot_column_fits(fits))
    assert [text.get_text() for text in distances.get_yticklabels()] == [fit.name for fit in fits]
    assert distances.yaxis_inverted()
    for line, level in zip(covered.lines[1::2], (0, 1), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [fit.coverage[level] for fit in fits])


def test_pairs_are_drawn_observed_beside_drawn(check):
    pairs = pair_fits(check, COLUMNS)
    axes = drawn(plot_pairs(check, COLUMNS, pairs, most=4))
    assert len(axes) == 2 * 6
    for left, right in zip(axes[::2], axes[1::2], strict=True):
        assert left.get_xlabel() == right.get_xlabel()
        assert (left.get_xlim(), left.get_ylim()) == (right.get_xlim(), right.get_ylim())
        assert left.get_title().startswith("observed: V = ")
        assert right.get_title().startswith("drawn: V = ")
    levels = [5, 7]  # two of levels: shares of all data that have both
    sub = Predictive(check.observed[:, levels], check.simulated[:, levels])
    of = [COLUMNS[d] for d in levels]
    left, _ = drawn(plot_pairs(sub, of, pair_fits(sub, of)))
    shares = left.collections[0].get_array()
    assert shares.sum() == pytest.approx(1.0)
    both = sub.observed[~np.isnan(sub.observed).any(1)]
    assert shares.T[0, 0] == pytest.approx((both == 0).all(1).mean())


def test_dependence_names_what_is_beyond_the_range(check):
    turned = check.simulated.copy()
    turned[:, 0] = turned[::-1, 0]
    pairs = pair_fits(Predictive(check.observed, turned), COLUMNS)
    (axes,) = drawn(plot_dependence(pairs, COLUMNS))
    assert any("length, mm" in text.get_text() for text in axes.texts)
    number = sum(pair.is_within for pair in pairs)
    assert f"observed is within the range: {number} pairs" in axes.get_legend_handles_labels()[1]


def test_reproductions_tell_r_squared_and_the_share_of_levels_right():
    x = mixed(200, seed=3).train.numpy()
    made = np.where(np.isnan(x), 1.0, x)
    panels = {axes.get_xlabel(): axes for axes in drawn(plot_column_reproductions(x, made, COLUMNS))}
    titles = {name: axes.get_title() for name, axes in panels.items()}
    assert titles["price [USD]"] == "R² of logarithms 1.00"
    assert titles["length, mm"] == titles["rain"] == "R² 1.00"
    assert titles["wind [degrees]"] == "R² on the circle 1.00"
    assert titles["colour"].startswith("100% right (always one: ")
    assert len(panels["length, mm"].collections[0].get_offsets()) == (~np.isnan(x[:, 0])).sum()
    made[:, 0] = np.nanmean(x[:, 0])
    made[:, 3] = (x[:, 3] + 360.0) % 360.0 + 359.999999
    made[:, 5] = 1 - x[:, 5]
    panels = {axes.get_xlabel(): axes.get_title() for axes in drawn(plot_column_reproductions(x, made, COLUMNS))}
    assert panels["length, mm"] in ("R² 0.00", "R² -0.00")
    assert panels["wind [degrees]"] == "R² on the circle 1.00"
    assert panels["is new"].startswith("0% right")


def test_a_decoder_that_overflows_and_a_table_without_entries_can_be_drawn():
    x = mixed(50, missing=0.0).train.numpy()
    numbers = [0, 1, 2, 3, 4, 8, 9, 10]
    made = x.copy()
    made[3, numbers] = np.inf
    made[4, numbers] = np.nan
    panels = drawn(plot_column_reproductions(x, made, COLUMNS))
    assert len(panels) == len(COLUMNS)
    assert all(np.isfinite(axes.get_ylim()).all() for axes in panels)
    nothing = np.full_like(x, np.nan)
    figure = plot_column_reproductions(nothing, made, COLUMNS)
    assert drawn(figure) == []
    assert figure.texts[0].get_text() == "every entry is missing"


def test_gains_begin_at_nothing_and_name_those_that_gain_most():
    shares = np.linspace(0, 1, 5)[:, None] * np.arange(9) - 100.0
    (axes,) = drawn(plot_column_gains([f"c{i}" for i in range(9)], shares, 4))
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert all(gain[0] == 0 for gain in lines.values() if len(gain) == 5)
    assert "+6.00  c8" in lines
    np.testing.assert_allclose(lines["+6.00  c8"], 8 * np.linspace(0, 1, 5))
    assert "2 more" in lines
    assert len(drawn(plot_column_gains(["a"], shares[:1, :1]))) == 1


def test_walks_draw_means_and_probabilities():
    values, x = [-1.0, 0.0, 1.0], mixed(100).train.numpy()
    level = np.tile(np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]), (2, 1, 1))
    columns, walks = [COLUMNS[0], COLUMNS[5]], [np.array([[990.0, 1000.0, 1010.0]] * 2), level]
    axes = drawn(plot_column_walks(walks, x[:, [0, 5]], columns, [3, 1], values))
    assert len(axes) == 4
    assert axes[0].get_title() == "length, mm"
    np.testing.assert_array_equal(axes[0].lines[0].get_ydata(), [990.0, 1000.0, 1010.0])
    assert [text.get_text() for text in axes[1].texts] == ["no", "yes"]
    assert axes[2].get_ylabel() == "z[1]"


def test_long_texts_are_cut_and_broken_where_they_would_stand_on_one_another():
    x = np.array([0.0, 1.0, 1.0])
    long = replace(COLUMNS[5], name="a name " * 20, levels=("a town of many names 01", "a town of many names 02"))
    found = view_of(long, x)
    assert found.texts == ["a town …mes 01", "a town …mes 02"]
    assert [len(line) <= 26 for line in found.label.splitlines()] == [True, True]
    assert view_of(replace(COLUMNS[5], name="a short name"), x).label == "a short name"


def test_ticks_tell_neighbours_apart():
    found = view(0, [1000.2, 1000.9, 1001.4, 1002.8])
    figure = Figure()
    found.scale(figure.subplots(), "x")
    (axes,) = drawn(figure)
    ticks = [text for text in texts(axes) if text]
    assert len(set(ticks)) == len(ticks)
    np.testing.assert_allclose([float(tick) for tick in ticks], axes.get_xticks(), rtol=1e-6)


def test_a_dollar_is_a_dollar(check):
    dollars = [replace(COLUMNS[1], name="in $ or $\\x", unit="$"), replace(COLUMNS[5], levels=("$a$", "^$"))]
    sub = Predictive(check.observed[:, [1, 5]], check.simulated[:, [1, 5]])
    fits, pairs = column_fits(sub, dollars), pair_fits(sub, dollars)
    drawn(plot_column_fits(fits))
    drawn(plot_pairs(sub, dollars, pairs))
    drawn(plot_dependence(pairs, dollars))
    panels = drawn(plot_columns(sub, dollars, fits))
    assert {axes.get_xlabel() for axes in panels} == {r"in \$ or \$\x [\$]", "is new"}
