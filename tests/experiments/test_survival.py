"""Works that are killed and go on, and processes that last: how both are looked at."""

import json

import numpy as np
import pytest

from obsvae.experiments.benchmarks.soak import report as soaked
from obsvae.experiments.benchmarks.soak.run import Moment, soak
from obsvae.experiments.benchmarks.survival.report import lines_of, table
from obsvae.experiments.benchmarks.survival.run import Life, survival
from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.files import save_json, save_text
from tests.scripts.commands import succeeds


def folder(place, seconds=1.0, loss=0.5, more=()):
    save_json(place / "run/result.json", {"seconds": seconds, "scores": [{"loss": loss, "wall_seconds": seconds}]})
    save_text(place / "curve.csv", columns_text({"seconds": [seconds, 2 * seconds], "loss": [loss, loss]}))
    save_text(place / "page.md", f"# It took {seconds} s\n| a |\n|{'-' * int(3 + seconds)}|\n")
    save_text(place / "learning.png", str(seconds))
    for name in more:
        save_text(place / name, "x")
    return place


def test_folders_differ_in_all_but_seconds(tmp_path):
    one = folder(tmp_path / "one")
    assert differences(one, folder(tmp_path / "later", seconds=7.5)) == []
    assert differences(one, folder(tmp_path / "other", loss=0.6)) == ["curve.csv", "run/result.json"]
    assert differences(one, folder(tmp_path / "left", more=[".x-1.json"])) == [".x-1.json (lacking)"]
    save_text(one / "page.md", "# It takes 1 s\n| a |\n|----|\n")
    assert differences(one, folder(tmp_path / "worded")) == ["page.md"]


def test_kills_are_told_in_a_table():
    lives = [Life("train", 1, 2, 0, (), ""), Life("train", 1, 0, 1, ("a.csv",), ""), Life("score", 0, 1, 0, (), "boom")]
    text = table(lives)
    assert text.splitlines()[2].split() == ["train", "4", "2", "1", "2", "0", "1", "a.csv", "(1)"]
    assert text.splitlines()[-1] == "score failed: boom"
    assert lines_of(lives).splitlines()[2] == "train,1,0,1,0,a.csv,"


@pytest.mark.slow
def test_works_survive_kills():
    lives = list(survival(["train", "score", "impute"], 5, seed=4))
    assert sum(life.moments + life.writes for life in lives) == 5
    assert any(life.writes for life in lives)
    assert [life for life in lives if not life.is_same] == []


@pytest.mark.slow
def test_the_command_kills_and_tells(tmp_path):
    text = succeeds("benchmark", "survival", "--kills", "1", "--commands", "impute", "--out", "x.csv", cwd=tmp_path)
    assert "what differed" in text
    assert (tmp_path / "x.csv").read_text().splitlines()[1].startswith("impute,")


def moments(hours, slope, noise, seed=0):
    random = np.random.default_rng(seed)
    times = np.linspace(0, 3600 * hours, 240)
    memory = 900 + slope * times / 3600 + noise * random.normal(size=240) - 300 * np.exp(-times / (200 * hours))
    return [Moment(i + 1, t, "x", m, 0) for i, (t, m) in enumerate(zip(times, memory, strict=True))]


@pytest.mark.parametrize("slope", [0.0, 40.0, -15.0])
def test_growth_is_found_with_its_error(slope):
    found = [soaked.growth(moments(2.0, slope, 5.0, seed)) for seed in range(60)]
    scores = np.array([(value - slope) / error for value, error in found])
    assert abs(scores.mean()) < 0.6
    assert 0.7 < scores.std() < 1.7  # Student's t with 8 degrees has 1.15
    assert "MB per hour" in soaked.summary(moments(2.0, slope, 5.0))


def test_a_short_time_tells_of_no_growth():
    assert np.isnan(soaked.growth(moments(1.0, 0.0, 1.0)[:20])).all()
    assert soaked.summary(moments(1.0, 0.0, 1.0)[:20]).endswith("too short to tell how fast it grows")


@pytest.mark.slow
def test_a_turn_of_a_long_process(tmp_path):
    first, *_ = found = list(soak(0.0))
    assert (first.turn, len(found)) == (1, 1)
    assert first.megabytes > 100
    assert soaked.lines_of(found).startswith("turn,seconds,what,megabytes,objects\n1,")
    soaked.figure(found).savefig(tmp_path / "x.png")
    assert json.dumps(first.what)
