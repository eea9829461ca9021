"""The benchmark of training: programs that answer in turn, what is said of them, and that all maximise one ELBO."""

import csv
import sys
from functools import partial

import pytest

from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.training import machine, report
from obsvae.experiments.benchmarks.training.families import FAMILIES
from obsvae.experiments.benchmarks.training.programs import PEERS, Program, lacking, ours, peer
from obsvae.experiments.benchmarks.training.run import FIRST, Comparison, Timed, compare
from tests.scripts.commands import ROOT, refused, succeeds

# Answers with the seconds that its arguments name for each step, and writes to a file who was asked.
FAKE = """
import json, sys
from pathlib import Path
job, name, seconds, log = sys.argv[1:]
assert json.loads(Path(job).read_text())["batch_size"] == 100
for line in sys.stdin:
    asked = json.loads(line)
    with open(log, "a") as file:
        print(name, *asked, *asked.values(), file=file)
    told = {"seconds": asked["steps"] * float(seconds)} if "steps" in asked else {"elbo": -1.5}
    print(json.dumps(told), flush=True)
"""
ENDS = "raise ValueError('no such thing')"


@pytest.fixture
def fakes(tmp_path):
    """Return a function from a name and the seconds of a step to a program; None for one that ends at once."""

    def fake(name, seconds):
        line = (sys.executable, "-S", "-c", ENDS if seconds is None else FAKE)
        return Program(name, line, behind=(name, str(seconds), str(tmp_path / "log")))

    return fake


@pytest.fixture
def compared(monkeypatch):
    monkeypatch.setattr("obsvae.experiments.benchmarks.training.run._PAUSE", 0.0)
    data = FAMILIES["by-column"].data("")
    return partial(compare, "by-column", data, batch_size=100, threads=1)


def test_programs_take_turns(fakes, compared, tmp_path):
    told = []
    programs = [fakes("ours", 0.002), fakes("broken", None), fakes("other", 0.004)]
    found = compared(programs, steps=7, rounds=2, tell=told.append)
    assert [timed.program for timed in found.timed] == ["ours", "other"]
    assert found.ms(found.timed[1]) == pytest.approx([4, 4])
    assert found.ratios(found.timed[1]) == pytest.approx([0.5, 0.5])
    assert found.timed[0].first == pytest.approx(FIRST * 0.002)
    assert told == ["broken is left out of by-column: it ended (ValueError: no such thing)"]
    asked = (tmp_path / "log").read_text().splitlines()
    begun, turns, ended = asked[:2], asked[2:6], asked[6:]
    assert begun == [f"ours steps {FIRST}", f"other steps {FIRST}"]
    assert turns == ["ours steps 7", "other steps 7", "other steps 7", "ours steps 7"]
    assert ended == ["ours elbo True", "other elbo True"]
    assert found.all_steps == FIRST + 14


def test_nothing_is_timed_where_this_project_cannot_train(fakes, compared):
    with pytest.raises(UsageError, match=r"ours could not train by-column.*ValueError: no such thing"):
        compared([fakes("ours", None), fakes("other", 0.004)], steps=7, rounds=1, tell=print)


FOUND = Comparison(
    "bernoulli",
    100,
    500,
    [
        Timed("this project", [1.0, 2.0, 1.0], first=9.0, elbo=-90.0),
        Timed("torch", [2.0, 2.0, 4.0], first=8.0, elbo=-90.5),
        Timed("pythae", [4.0, 4.0, 4.0], first=1.0),
    ],
)


def test_the_table_tells_medians_and_pairs():
    text = report.text_of(FOUND)
    assert f"{FIRST + 1500} steps" in text
    torch, pythae = (line.split() for line in text.splitlines()[4:6])
    assert torch == ["torch", "4", "0.50", "0.25", "to", "1.00", "8.0", "-90.50"]
    assert pythae[-1] == "–"
    assert "pythae: its trainer's step" in text


def test_the_file_has_a_line_for_each_round():
    rows = list(csv.DictReader(report.lines_of([FOUND]).splitlines()))
    assert len(rows) == 9
    assert rows[4]["program"] == "torch"
    assert rows[4]["round"] == "2"
    assert float(rows[4]["ms_per_step"]) == 4.0
    assert float(rows[4]["ratio"]) == 1.0
    assert rows[8]["elbo_nats_per_datum"] == ""


def test_a_peer_that_is_not_there_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setenv("OBSVAE_PEERS", str(tmp_path))
    (line,) = lacking(["torch", "numpyro"])
    assert line.startswith("numpyro is left out")
    assert "make peers" in line


def test_other_programs_are_seen(monkeypatch):
    monkeypatch.setattr(machine, "_used", lambda: 1.5)
    assert "other programs use 1.5 cores now" in machine.busy_line()
    monkeypatch.setattr(machine, "_used", lambda: None)
    assert "other" not in machine.busy_line()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["training", "--against", "numpiro"], "did you mean 'numpyro'"),
        (["training", "--families", "poisson"], "unknown family 'poisson'"),
        (["training", "--batch-sizes", "0"], "needs a whole number from 1"),
        (["training", "--threads", "100000"], "--threads needs at most"),
        (["training", "--out", "."], "is a folder"),
        (["trust", "--batch-sizes", "100"], "--batch-sizes goes with training"),
        (["training", "--what", "both"], "--what goes with trust"),
        (["training", "--data", "mnits"], "mnits"),
    ],
)
def test_wrong_use_is_one_line(line, message, tmp_path):
    assert message in refused("benchmark", *line, cwd=tmp_path)


# How far the ELBO of another order of minibatches may lie, in nats, and the steps after which.
NEAR = {"bernoulli": (300, 1.2), "normal": (300, 1.5), "categorical": (150, 1.5), "by-column": (720, 0.7)}


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_maximise_the_same_elbo(family, name, monkeypatch):
    monkeypatch.setenv("OBSVAE_PEERS", str(ROOT / ".peers"))
    program = peer(name)
    if program is None:
        pytest.skip(f"there is no environment of {name}; make peers creates it")
    if family not in (program.families or FAMILIES):
        pytest.skip(f"{name} has no {family}")
    told, (steps, near) = [], NEAR[family]
    data = FAMILIES[family].data("digits")
    programs = [ours("digits")[-1], program]
    found = compare(family, data, programs, batch_size=100, steps=steps, rounds=1, threads=1, tell=told.append)
    assert not told
    mine, other = found.timed
    if other.elbo is None:
        assert (name, family) == ("pythae", "normal")
    else:
        assert other.elbo == pytest.approx(mine.elbo, abs=near)


@pytest.mark.slow
def test_the_command_times_a_loop_by_hand(tmp_path):
    line = ["--families", "bernoulli", "--data", "digits", "--rounds", "1", "--threads", "1"]
    text = succeeds("benchmark", "training", *line, "--steps", "20", "--out", "times.csv", cwd=tmp_path)
    for word in ("load average", "this project, bf16", "this project, uncompiled", "torch", "ratio", "ELBO"):
        assert word in text
    assert len((tmp_path / "times.csv").read_text().splitlines()) == 1 + 4
