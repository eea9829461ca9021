"""The report on a table: columns, checks and rows in the words of the user, and what is ranked with what."""

import re
from dataclasses import replace

import numpy as np
import pytest

from obsvae.data import load
from obsvae.experiments import make_report, train_run
from obsvae.experiments.reporting.parts import PARTS, PARTS_OF_TABLES
from obsvae.experiments.reporting.results import different, tables
from obsvae.experiments.reporting.subject import look_at
from tests.tables import COLUMNS, mixed

TRAINED = {"latent": 2, "hidden": (16,), "epochs": 2, "progress": False}
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = replace(mixed(400), row_names=tuple(f"shop {i}" for i in range(400)))
    return train_run("by-column", data, tmp_path_factory.mktemp("runs") / "mixed", **TRAINED)


@pytest.fixture(scope="module")
def subject(run):
    return look_at(run, "mixed", limit=30, particles=40)


def part(title, subject):
    found = PARTS_OF_TABLES[title].part(title, subject)
    assert not found.note
    return found


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_columns_are_told_with_what_is_missing(subject):
    (table,) = part("Columns", subject).tables
    rows = {row["column"]: row for row in rows_of(table)}
    assert list(rows) == NAMES
    assert rows["price"]["unit"] == "USD"
    assert rows["colour"]["values"] == "levels without order: blue, green, red, white"
    assert (rows["price"]["measure"], rows["weight"]["measure"]) == ("density", "mass")
    share = float(np.isnan(subject.run.data.train[:, 1].numpy()).mean())
    assert rows["price"]["missing in training"] == f"{share:.1%}"
    assert "integrated out" in table.title


def test_what_each_column_gained_is_the_difference_of_its_shares(subject):
    found = part("How it learned", subject)
    assert len(found.figures) == 2
    assert "compare" in found.figures[1].caption
    (table,) = found.tables
    gains = []
    for row in table.rows:
        assert float(row[3]) == pytest.approx(float(row[2]) - float(row[1]), abs=0.0015)
        gains.append(float(row[3]))
    assert gains == sorted(gains, reverse=True)
    assert {row[0] for row in table.rows} == set(NAMES)


def test_checks_name_the_columns_that_are_beyond_their_bound(subject):
    found = part("Predictive checks", subject)
    assert [figure.alt for figure in found.figures] == [
        "Ranks of held-out values",
        "Misfit by column",
        "Columns, observed against drawn",
    ]
    (table,) = found.tables
    ratios = {row["column"]: float(row["their ratio"]) for row in rows_of(table)}
    assert set(ratios) == set(NAMES)
    beyond = [name for name, ratio in ratios.items() if ratio > 1.004]
    told = re.search(r"Beyond here: (.*)\.$", found.figures[1].caption).group(1)
    assert [name for name in beyond if name not in told] == []
    pairs = part("Pairs of columns", subject)
    assert len(pairs.figures) == 2
    assert "in 20 sets of as many rows" in pairs.figures[0].caption


def test_rows_stand_in_the_words_of_the_user(subject):
    (table,) = part("Draws from the model", subject).tables
    assert list(table.columns[1:5]) == ["length, mm", "price [USD]", "share", "wind [degrees]"]
    rows = rows_of(table)
    assert rows[0][""] == f"row shop {subject.rows[0]}"
    assert [row[""] for row in rows[5:]] == ["drawn"] * 10
    for row in rows:
        assert row["colour"] in ("blue", "green", "red", "white", "–")
        assert re.fullmatch(r"\d+|–", row["visits"])  # whole
    title = "The rows with the lowest likelihood, and those where the guide is worst"
    lowest, gaps = part(title, subject).tables
    assert [float(row[1]) for row in lowest.rows] == pytest.approx(
        np.sort(subject.refined.weights.estimate)[:10], rel=1e-3
    )
    assert lowest.rows[0][0].startswith("shop ")
    assert re.fullmatch(r"(low|middle|high|–) \((low|middle|high)\)", rows_of(lowest)[0]["grade"])
    assert len(gaps.rows) == 10
    walks = part("Traversals and neighbours", subject)
    assert len(walks.figures) == 1
    names = [row[0] for row in walks.tables[0].rows]
    trained = {f"near: row shop {row}" for row in subject.run.data.rows["train"].tolist()}
    assert [name for name in names if name.startswith("near")] == [name for name in names if name in trained]
    assert len(names) == 20


@pytest.mark.slow
def test_missing_entries_are_a_note_and_no_warning(run):
    report = make_report(run, limit=30, particles=40)
    assert not any("missing" in line for line in report.warnings)
    (note,) = [line for line in report.notes if "entries are missing" in line]
    assert "log p(x) is that of the entries that are seen" in note
    page = report.html()
    assert note in page
    for title in PARTS_OF_TABLES:
        assert f"<h3>{title}</h3>" in page
    assert "Left out" not in page
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", page))
    assert "learned scale of normal of &#39;length, mm&#39;, &#39;temperature&#39;" in page


def test_a_table_with_one_column_has_no_pairs(tmp_path):
    data = mixed(200, missing=0.0, columns=COLUMNS[:1])
    run = train_run("by-column", data, tmp_path / "run", **TRAINED)
    subject = look_at(run, "one", limit=10, particles=40)
    assert "the table has one" in PARTS_OF_TABLES["Pairs of columns"].part("", subject).note
    assert "at least 20 data and draws" in PARTS_OF_TABLES["Predictive checks"].part("", subject).note
    (table,) = part("Columns", subject).tables
    assert table.title == "No entry is missing."


@pytest.mark.slow
def test_runs_on_one_table_are_ranked_together_where_each_column_has_one_measure(tmp_path):
    generator = np.random.default_rng(0)
    text = "\n".join(f"{a:.1f},{b:.3f}" for a, b in np.exp(generator.normal(2, 0.5, (120, 2))))
    (tmp_path / "table.csv").write_text(f"a,b\n{text}\n")

    def subject(name, **a):
        data = load(tmp_path / "table.csv", schema={"columns": {"a": {"observation": "log-normal", **a}}})
        return look_at(train_run("by-column", data, tmp_path / name, **TRAINED), name, limit=4, particles=40)

    of = {"log-normal": subject("log-normal", grid=False), "gamma": subject("gamma", grid=False, observation="gamma")}
    (table,) = tables(list(of.values()))
    assert {row[0] for row in table.rows} == {"log-normal: by-column", "gamma: by-column"}
    assert "SHA-256" in table.title
    assert len(table.title) < 300
    assert different(list(of.values())) == []
    masses = subject("masses", grid=0.1)
    assert len(tables([*of.values(), masses])) == 2
    first, example = different([*of.values(), masses])
    assert "different data or measures" in first
    assert example == "column 'a' is a density in log-normal, and a mass of cells of 0.1 from 0 in masses"


@pytest.mark.slow
def test_other_data_have_the_parts_of_pictures(tmp_path):
    run = train_run("normal", load(np.random.default_rng(0).normal(size=(60, 3))), tmp_path / "run", **TRAINED)
    report = make_report(run, limit=4, particles=40)
    assert [part.title for part in report.sections[0].parts] == list(PARTS)
    told = ("latent dimensions are active", "had not converged")
    assert all(any(words in note for words in told) for note in report.notes)
