"""The commands that put a run to use, as a user calls them."""

import csv
import json

import numpy as np
import pytest

from tests.experiments.use.conftest import HEADER, people, write
from tests.scripts.commands import command, copy, refused, succeeds

TRAINED = ["--latent", "1", "--hidden", "16", "--epochs", "20", "--batch-size", "50"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a table, new rows of it, and a run, which the tests below must not change."""
    folder = tmp_path_factory.mktemp("use")
    write(folder / "people.csv", people(200))
    write(folder / "new.csv", people(12, seed=1))
    succeeds("train", "--data", "people.csv", *TRAINED, "--out", "run", cwd=folder)
    return folder


def lines(file, delimiter=","):
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text, delimiter=delimiter))


def test_score_writes_a_line_for_each_row_and_prints_a_table_of_columns(folder, tmp_path):
    told = succeeds("score", "run", "new.csv", "--out", tmp_path / "scores.csv", "--particles", 100, cwd=folder)
    assert "given the others" in told
    assert "height, cm" in told
    found = lines(tmp_path / "scores.csv")
    assert [row["row"] for row in found] == [str(i) for i in range(12)]
    assert {"log_likelihood", "standard_error", "ess", "khat", "flagged", "percentile", "odd"} <= set(found[0])
    assert "log p(height, cm | others)" in found[0]
    assert all(0 <= float(row["percentile"]) <= 100 for row in found)


def test_score_without_columns_and_reference_is_short(folder, tmp_path):
    arguments = ["--no-by-column", "--reference", 0, "--particles", 50]
    told = succeeds("score", "run", "new.csv", "--out", tmp_path / "scores.tsv", *arguments, cwd=folder)
    assert "percentile" not in told
    assert "percentile" not in lines(tmp_path / "scores.tsv", "\t")[0]


def test_impute_fills_and_its_output_is_complete(folder, tmp_path):
    out = tmp_path / "filled.csv"
    told = succeeds("impute", "run", "new.csv", "--draws", 2, "--out", out, "--particles", 50, cwd=folder)
    assert "entries filled" in told
    assert list(lines(out)[0]) == HEADER
    assert all(all(row[name] for name in HEADER) for row in lines(out))
    assert [row["imputation"] for row in lines(tmp_path / "filled-draws.csv")] == ["1"] * 12 + ["2"] * 12
    again = succeeds("impute", "run", out, "--out", tmp_path / "again.csv", "--particles", 50, cwd=folder)
    assert again.startswith("0 entries filled")
    assert (tmp_path / "again.csv").read_text() == out.read_text()


def test_encode_reproduce_and_sample_write_tables(folder, tmp_path):
    succeeds("encode", "run", "new.csv", "--out", tmp_path / "codes.csv", "--particles", 50, cwd=folder)
    assert set(lines(tmp_path / "codes.csv")[0]) == {"row", "z1", "sd1", "ess", "khat", "flagged"}
    succeeds("reproduce", "run", "new.csv", "--out", tmp_path / "again.csv", "--particles", 50, cwd=folder)
    assert len(lines(tmp_path / "again.csv")) == 12
    succeeds("sample", "run", "--n", 30, "--out", tmp_path / "drawn.csv", cwd=folder)
    assert len(lines(tmp_path / "drawn.csv")) == 30
    succeeds("score", "run", tmp_path / "drawn.csv", "--out", tmp_path / "s.csv", "--no-by-column", cwd=folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "run", "new.csv", "--out", "scores.txt"], "--out needs a table, .csv, .tsv, .parquet"),
        (["score", "run", "gone.csv", "--out", "scores.csv"], "gone.csv"),
        (["score", "gone", "new.csv", "--out", "scores.csv"], "there is no run folder gone"),
        (["impute", "run", "new.csv", "--out", "new.csv"], "--out new.csv would replace the rows that are read"),
        (["impute", "run", "new.csv", "--out", "filled.npy"], "--out needs a table"),
        (["impute", "run", "x.npy", "--out", "filled.csv"], "was trained on a table"),
        (["impute", "run", "new.csv"], "the following arguments are required: --out"),
        (["sample", "run", "--n", "0", "--out", "drawn.csv"], "--n: needs a whole number from 1"),
        (["encode", "run", "new.csv", "--out", "codes.npy"], "--out needs a table"),
    ],
)
def test_what_cannot_be_meant_takes_one_line(folder, arguments, message):
    before = {file.name for file in folder.iterdir()}
    assert message in refused(*arguments, cwd=folder)
    assert {file.name for file in folder.iterdir()} == before


def test_a_run_on_an_array_writes_arrays(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(60, 3)))
    succeeds("train", "--data", "x.npy", "--missing", *TRAINED, "--out", "run", cwd=tmp_path)
    assert "--out needs .npy" in refused("sample", "run", "--out", "drawn.csv", cwd=tmp_path)
    succeeds("sample", "run", "--n", 4, "--out", "drawn.npy", cwd=tmp_path)
    assert np.load(tmp_path / "drawn.npy").shape == (4, 3)
    succeeds("encode", "run", "x.npy", "--out", "codes.csv", "--particles", 50, cwd=tmp_path)
    assert len(lines(tmp_path / "codes.csv")) == 60


@pytest.mark.slow
def test_evaluate_tells_what_each_column_says_given_the_others(folder, tmp_path):
    copied = copy(folder / "run", tmp_path / "run")
    told = succeeds("evaluate", copied, "--particles", 50, "--check", 0, cwd=folder)
    assert "Each entry given the others of its row" in told
    metrics = json.loads((copied / "metrics.json").read_text())
    assert [row["column"] for row in metrics["columns"]] == HEADER[:4]
    found = lines(copied / "likelihood/test-refined-columns.csv")
    assert len(found) == metrics["n"]
    assert "log p(visits | others)" in found[0]
    told = succeeds("evaluate", copied, "--particles", 50, "--check", 0, "--no-by-column", cwd=folder)
    assert "given the others" not in told
    assert json.loads((copied / "metrics.json").read_text())["columns"] is None
    assert "leave them out beside --curve" in refused("evaluate", copied, "--curve", "--by-column", cwd=folder)


@pytest.mark.slow
def test_a_file_for_each_split_trains_and_evaluates(tmp_path):
    for seed, name in enumerate(("train", "validation", "test")):
        write(tmp_path / f"{name}.csv", people(80 if name == "train" else 20, seed=seed))
    files = ["train.csv", "validation.csv", "test.csv"]
    told = succeeds("train", "--data", *files, *TRAINED, cwd=tmp_path)
    assert "written to runs/train-by-column" in told
    told = succeeds("evaluate", "runs/train-by-column", "--particles", 50, "--check", 0, "--no-by-column", cwd=tmp_path)
    assert json.loads((tmp_path / "runs/train-by-column/metrics.json").read_text())["n"] == 20
    rows = people(20, seed=5)
    rows[3][2] = "winzig"
    write(tmp_path / "test.csv", rows)
    warned = command("train", "--data", *files, *TRAINED, "--out", "other", cwd=tmp_path).stderr
    assert "level 'winzig' of column 'größe' occurs in held-out rows alone" in warned
    assert "three tables" in refused("train", "--data", *files[:2], cwd=tmp_path)
    assert "of tables alone" in refused("train", "--data", "digits", *files[:2], cwd=tmp_path)
