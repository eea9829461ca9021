"""The benchmark of filled entries: its errors by hand, its lists of entries, its peers, and what it may look at."""

import csv
import math

import numpy as np
import pytest

from obsvae.data import Column, Grid, Kind
from obsvae.data.folder import data_folder
from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.imputation.errors import column_errors
from obsvae.experiments.benchmarks.imputation.peers import PEERS, ridge
from obsvae.experiments.benchmarks.imputation.report import lines_of, rows_of
from obsvae.experiments.benchmarks.imputation.run import Result
from obsvae.experiments.benchmarks.imputation.tables import hivae_table, listed
from obsvae.experiments.use.points import points_of
from obsvae.inference import Direction, Mean, Median, Mode
from tests.scripts.commands import refused, succeeds


def levels(kind, number, name="level"):
    texts = tuple(map(str, range(number)))
    return Column(name, kind, "categorical", grid=Grid(0.0, 1.0, number), levels=texts)


def real(name="number", kind=Kind.REAL):
    return Column(name, kind, "normal")


def test_errors_are_those_worked_out_by_hand():
    columns = [
        levels(Kind.CATEGORY, 3),
        levels(Kind.BINARY, 2),
        levels(Kind.ORDINAL, 10),
        real(),
        real(kind=Kind.COUNT),
    ]
    x = np.array([[0, 0, 1, -1, 0], [1, 1, 2, 0, 2], [2, 1, 9, 1, 4], [1, 0, 4, 3, 8]], np.float32)
    filled = np.array([[0, 1, 1, 9, 9], [2, 1, 5, 1, 9], [2, 0, 4, 3, 1], [0, 0, 4, 9, 9]])
    scored = np.array([[0, 1, 0, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
    # Two of three, two of three, (3 + 5) / 2 of 10 levels though 4 are seen, root of (1 + 4) / 2 of 4, 3 of 8.
    expected = [2 / 3, 2 / 3, 0.4, math.sqrt(2.5) / 4, 3 / 8]
    np.testing.assert_allclose(column_errors(columns, x, filled, scored), expected, rtol=1e-12)


def test_a_column_without_entries_to_score_has_no_error():
    x = np.zeros((2, 2), np.float32)
    scored = np.array([[True, False], [True, False]])
    errors = column_errors([levels(Kind.BINARY, 2), real()], x, x, scored)
    assert errors[0] == 0.0
    assert math.isnan(errors[1])


def test_lists_of_entries_count_from_1(tmp_path):
    (tmp_path / "list.csv").write_text("1,1\n3,2\n")
    assert np.argwhere(listed(tmp_path / "list.csv", (3, 2))).tolist() == [[0, 0], [2, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n", "lists 0,1"),
        ("1,3\n", "columns from 1 to 2, but lists 1,3"),
        ("4,1\n", "rows from 1 to 3"),
        ("1\n", "a line row,column"),
        ("1,1,1\n", "a line row,column"),
        ("a,b\n", "a line row,column"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(text, message, tmp_path):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        listed(tmp_path / "list.csv", (3, 2))


def test_entries_that_are_missing_in_truth_are_neither_shown_nor_scored(hivae_folder):
    (hivae_folder / "Missing20_1.csv").write_text("2,2\n1,1\n")  # the first is missing in truth, too
    table = hivae_table("Breast")
    hidden = table.hidden(20, 1)
    assert np.argwhere(hidden).tolist() == [[0, 0]]
    assert np.argwhere(np.isnan(table.seen(hidden))).tolist() == [[0, 0], [1, 1], [2, 3]]


def test_peers_keep_what_is_seen_and_fill_the_rest_with_values_of_the_column(hivae_folder):
    table = hivae_table("Breast")
    hidden = table.hidden(20, 1)
    seen = table.seen(hidden)
    for name, peer in PEERS.items():
        filled = peer(table.columns, seen, 0)
        assert np.isfinite(filled).all(), name
        np.testing.assert_allclose(filled[~np.isnan(seen)], seen[~np.isnan(seen)], rtol=1e-5, atol=1e-6, err_msg=name)
        assert set(np.unique(filled[:, 2])) <= {0.0, 1.0}, name
        assert set(np.unique(filled[:, 3])) <= {0.0, 1.0, 2.0}, name


def test_means_and_modes_are_those_of_the_entries_that_are_seen():
    x = np.array([[1, 0, 2], [2, 1, 2], [6, 1, 0], [np.nan, np.nan, np.nan]], np.float32)
    columns = [real(), levels(Kind.BINARY, 2), levels(Kind.ORDINAL, 3)]
    assert PEERS["mean or mode"](columns, x, 0)[3].tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["KNN", "ridge", "trees"])
def test_peers_find_what_columns_have_to_do_with_one_another(name, hivae_folder):
    table = hivae_table("Breast")
    hidden = table.hidden(20, 1)
    errors, plain = (
        column_errors(table.columns, table.x, PEERS[method](table.columns, table.seen(hidden), 0), hidden)
        for method in (name, "mean or mode")
    )
    assert (errors[:2] < 0.5 * plain[:2]).all()  # each is a function of the other


def test_the_nearest_rows_tell_the_level_of_a_category():
    x = np.repeat([[0.0, 0], [5.0, 1], [9.0, 2]], 6, axis=0).astype(np.float32)
    x[[0, 7, 13], 1] = np.nan
    assert PEERS["KNN"]([real(), levels(Kind.CATEGORY, 3)], x, 0)[[0, 7, 13], 1].tolist() == [0.0, 1.0, 2.0]


def test_regressions_stay_between_the_values_that_are_seen():
    x = np.stack([np.arange(30.0), np.arange(30.0)], axis=1).astype(np.float32)
    x[25:, 1] = np.nan
    assert ridge([real("a"), real("b")], x)[25:, 1] == pytest.approx(np.full(5, 24.0), abs=1e-3)


def test_regressions_refuse_categories_that_would_explain_one_another():
    with pytest.raises(UsageError, match="'level' has more"):
        ridge([real(), levels(Kind.CATEGORY, 3)], np.zeros((4, 2), np.float32))


def test_points_go_by_kind():
    angle = Column("angle", Kind.ANGLE, "von-mises", bounds=(0.0, 360.0))
    numbers = [real(kind=kind) for kind in (Kind.REAL, Kind.POSITIVE, Kind.COUNT, Kind.PROPORTION)]
    of_levels = [levels(Kind.BINARY, 2), levels(Kind.CATEGORY, 3), levels(Kind.ORDINAL, 4)]
    points = points_of([*numbers, *of_levels, angle])
    assert [type(point) for point in points] == [Mean, Median, Median, Mean, Mode, Mode, Median, Direction]
    assert {column.kind for column in [*numbers, *of_levels, angle]} == set(Kind)


def test_tables_of_results_take_means_over_columns_then_over_lists():
    def result(method, mask, errors, seconds):
        return Result("Wine", 20, mask, method, ("a", "b"), np.array(errors), seconds)

    results = [result("A", 1, [0.1, 0.3], 1.0), result("B", 1, [0.5, 0.5], 2.0), result("A", 2, [0.4, math.nan], 3.0)]
    (row,) = rows_of([*results, result("B", 2, [0.1, 0.1], 4.0)])
    assert row == pytest.approx(
        {"hidden %": 20, "lists": 2, "A": 0.3, "B": 0.3, "s, A": 2.0, "s, B": 3.0} | {"table": row["table"]}
    )
    lines = lines_of(results).splitlines()
    assert lines[0] == "table,hidden_percent,list,method,column,error,seconds,note"
    assert lines[1] == "Wine,20,1,A,a,0.1,1.0,"
    assert len(lines) == 1 + 2 * len(results)


def test_the_command_says_where_its_tables_should_be(tmp_path, monkeypatch):
    monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
    for what in ("errors", "densities"):
        assert "OBSVAE_DATA" in refused("benchmark", "imputation", "--what", what, "--quick", cwd=tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["imputation", "--rounds", "2"], "--rounds goes with training and likelihood"),
        (["imputation", "--particles", "10"], "--particles goes with trust"),
        (["imputation", "--what", "adversarial"], "unknown part 'adversarial'"),
        (["imputation", "--what", "densities", "--rates", "10"], "--rates goes with --what errors or both"),
        (["imputation", "--tables", "wine"], "did you mean 'Wine'"),
        (["imputation", "runs/a"], "no other benchmark takes any"),
        (["training", "--quick"], "--quick goes with trust and imputation"),
        (["training", "--masks", "1"], "--masks goes with imputation"),
        (["trust", "--tables", "Wine"], "--tables goes with imputation"),
        (["trust", "--what", "errors"], "unknown part 'errors'"),
    ],
)
def test_options_of_another_benchmark_are_refused(line, message, tmp_path):
    assert message in refused("benchmark", *line, cwd=tmp_path)


def test_a_rate_without_a_list_is_refused_before_any_work(hivae_folder, tmp_path):
    error = refused(
        "benchmark", "imputation", "--tables", "Breast", "--rates", "20", "30", "--masks", "1", cwd=tmp_path
    )
    assert "Missing30_1.csv" in error


@pytest.mark.slow
def test_the_command_fills_a_small_table(hivae_folder, tmp_path):
    line = ["--tables", "Breast", "--rates", "20", "--masks", "1", "--quick", "--out", "errors.csv"]
    text = succeeds("benchmark", "imputation", *line, cwd=tmp_path)
    assert "mean or mode" in text
    assert "families" in text
    with (tmp_path / "errors.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * (1 + len(PEERS))
    assert all(float(row["error"]) >= 0 for row in rows)


@pytest.mark.slow
@pytest.mark.skipif(not (data_folder() / "hivae").is_dir(), reason="HI-VAE's tables are not in the data folder")
def test_the_command_fills_hivae_tables_and_scores_whole_rows(tmp_path):
    line = ["--tables", "Breast", "Wine", "--rates", "50", "--masks", "1", "--quick", "--what", "both"]
    text = succeeds("benchmark", "imputation", *line, cwd=tmp_path)
    assert text.count("by column, others") == 2
