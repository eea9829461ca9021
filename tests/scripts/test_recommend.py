"""The command that recommends an observation."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import obsvae.cli.recommend as command
from obsvae.experiments.recommendation.results import Recommendation
from tests.experiments.recommendation.made import clear
from tests.scripts.commands import ROOT, refused, succeeds


@pytest.fixture
def asked(monkeypatch):
    """Return what the command asks for, and give it an answer that was made by hand."""
    found = {}

    def recommend(data, **more):
        found.update(more, data=data)
        return Recommendation("made up", [clear()], "by-column", warnings=["only 3 held-out rows"])

    monkeypatch.setattr(command, "recommend", recommend)
    return found


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    z = rng.normal(size=200)
    values = {"height": 170 + 5 * z + 3 * rng.normal(size=200), "visits": rng.poisson(np.exp(1 + 0.5 * z))}
    pd.DataFrame(values).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_what_is_asked_for_and_what_is_printed(table, asked):
    line = ["table.csv", "--columns", "height", "--minutes", "0.5", "--seeds", "3", "--jobs", "1", "--latent", "2"]
    text = succeeds("recommend", *line, "--hidden", "8", "--out", "rec", cwd=table.parent)
    assert asked["data"].names == ("height", "visits")
    assert (asked["columns"], asked["minutes"], asked["seeds"], asked["jobs"]) == (["height"], 0.5, 3, 1)
    assert (asked["latent"], asked["hidden"], str(asked["out"])) == (2, [8], "rec")
    assert text.startswith("warning: only 3 held-out rows")
    assert "log-normal" in text
    assert "written to rec" in text


def test_the_data_may_come_by_their_flag(table, asked):
    succeeds("recommend", "--data", "table.csv", "--out", "rec", cwd=table.parent)
    assert asked["data"].names == ("height", "visits")
    assert asked["jobs"] >= 1
    assert asked["latent"] is None


def test_all_may_stay_in_this_process(table, asked):
    succeeds("recommend", "table.csv", "--jobs", "0", "--out", "rec", cwd=table.parent)
    assert asked["jobs"] is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["none.csv"], "none.csv"),
        (["table.csv", "--minutes", "0"], "needs a positive number, but got '0'"),
        (["table.csv", "--seeds", "0"], "needs a whole number from 1"),
        (["table.csv", "--columns", "hight"], "did you mean 'height'"),
        (["table.csv", "--architecture", "mpl"], "did you mean 'mlp'"),
        (["table.csv", "table.csv"], "needs one name, or three tables"),
        (["table.csv", "--data", "table.csv"], "needs the data once"),
        ([], "needs the data once"),
    ],
)
def test_wrong_use_is_told_in_a_line(line, words, table):
    done = refused("recommend", *line, "--out", "rec", "--schema", schema(table), cwd=table.parent)
    assert words in done
    assert not (table.parent / "rec").exists()


def schema(table):
    """Return a schema, as what is guessed without one is told in a line of its own."""
    file = table.parent / "schema.toml"
    columns = {"height": "normal", "visits": "poisson"}
    text = "".join(f'[columns.{name}]\nobservation = "{family}"\n' for name, family in columns.items())
    file.write_text(text, encoding="utf-8")
    return file


def test_the_help_has_examples(tmp_path):
    text = succeeds("recommend", "--help", cwd=tmp_path)
    for words in ("obsvae recommend digits --minutes 10 --jobs 2", "(default: 5)", "goes on"):
        assert words in text


@pytest.mark.slow
def test_an_interrupted_recommendation_goes_on(table, group):
    line = [sys.executable, str(ROOT / "scripts/recommend.py"), str(table), "--jobs", "2", "--out", "rec"]
    line += ["--minutes", "30", "--hidden", "16", "--particles", "40", "--epochs", "30"]
    process = group(line, cwd=table.parent, stderr=subprocess.PIPE, text=True)
    trials = table.parent / "rec/trials"
    until = time.monotonic() + 300
    while not (first := list(trials.glob("*/result.json"))):
        assert time.monotonic() < until
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == "recommend.py: interrupted"
    assert "Traceback" not in error
    before = {file: file.stat().st_mtime_ns for file in first}
    done = subprocess.run(line, cwd=table.parent, capture_output=True, text=True, timeout=1200, check=True)
    assert {file: file.stat().st_mtime_ns for file in first} == before
    assert "height" in done.stdout
    again = subprocess.run(line, cwd=table.parent, capture_output=True, text=True, timeout=600, check=True)
    assert again.stdout == done.stdout
    line[line.index("rec")] = "whole"
    subprocess.run(line, cwd=table.parent, capture_output=True, text=True, timeout=1200, check=True)
    whole = {file.parent.name: file.read_bytes() for file in table.parent.glob("whole/trials/*/test.csv")}
    assert {file.parent.name: file.read_bytes() for file in trials.glob("*/test.csv")} == whole
