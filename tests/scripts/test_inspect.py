"""`obsvae inspect`, as a user calls it, and what `train` says of a table."""

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

from obsvae.data import load
from obsvae.data.tables.schemas.toml import read_schema
from tests.scripts.commands import ROOT, SMALL, command, refused, succeeds

rng = np.random.default_rng(5)
N = 60
AGES = np.where(np.arange(N) % 20 == 0, -999, rng.integers(18, 90, N))
LINES = [
    '"weight, kg",größe,age,id',
    *(f"{w:.1f},{g},{a},p{i}" for i, (w, g, a) in enumerate(zip(rng.normal(70, 9, N), "SML" * 20, AGES, strict=True))),
]


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


def line_of(text, name):
    return next(line.split() for line in text.splitlines() if line.startswith(name))


def test_a_line_for_each_column_and_what_looks_wrong(people, tmp_path):
    text = succeeds("inspect_", people.name, cwd=tmp_path)
    assert text.startswith("'people.csv': 60 rows, 4 columns: ")
    assert line_of(text, "weight, kg")[2:4] == ["positive", "log-normal"]
    assert line_of(text, "größe")[1:6] == ["category", "categorical", "L,", "M,", "S"]
    assert line_of(text, "id")[1:3] == ["-", "ignore"]
    assert "- 'age': -999 (3 rows) lies far outside the rest" in text
    again = succeeds("inspect_", people.name, "--missing", "-999", "x", cwd=tmp_path)
    assert line_of(again, "age")[1:4] == ["positive", "log-normal", "3"]
    assert "lies far outside" not in again
    assert "- only 6 rows to test on" in again


def test_the_schema_that_is_written_is_the_one_that_is_guessed(people, tmp_path):
    text = succeeds("inspect_", "people.csv", "--missing", "-999", "--out", "s/people.toml", cwd=tmp_path)
    assert "obsvae train --data people.csv --schema s/people.toml" in text
    file = tmp_path / "s/people.toml"
    written = file.read_text(encoding="utf-8")
    assert '# real numbers above 0\n[columns."weight, kg"]\nrole = "observe"\nobservation = "log-normal"\n' in written
    assert "# an identifier: each row has a text of its own\n[columns.id]" in written
    guessed = load(people, schema={"missing": [*read_schema(file).missing]})
    assert load(people, schema=file).columns == guessed.columns
    assert line_of(succeeds("inspect_", people, "--schema", file, cwd=tmp_path), "age")[-1] == "declared"
    assert "exists already" in refused("inspect_", people, "--out", file, cwd=tmp_path)


def test_many_columns_are_told_in_part(tmp_path):
    x = rng.poisson(2, (20, 300))
    np.savetxt(tmp_path / "genes.csv", x, "%d", ",", header=",".join(f"g{i}" for i in range(300)), comments="")
    text = succeeds("inspect_", "genes.csv", "--out", "genes.toml", cwd=tmp_path)
    assert "20 rows, 300 columns: 300 negative-binomial" in text
    assert "and 260 more columns" in text
    assert len(text.splitlines()) < 60
    assert len(read_schema(tmp_path / "genes.toml").columns) == 300


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ('[columns.age]\nobservation = "norml"', ["'s.toml', column 'age'", "did you mean 'normal'"]),
        ('[columns.Age]\nobservation = "normal"', ["'s.toml'", "'Age'", "did you mean 'age'"]),
        ("[columns.age", ["not TOML"]),
    ],
)
def test_a_wrong_schema_is_told_in_one_line(people, schema, words, tmp_path):
    (tmp_path / "s.toml").write_text(schema)
    said = refused("inspect_", people, "--schema", "s.toml", cwd=tmp_path)
    assert all(word in said for word in words), said


def test_training_says_what_it_has_guessed(people, tmp_path):
    done = command("train", "--data", "people.csv", "--observation", "student-t", *SMALL, "--out", "run", cwd=tmp_path)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("guessed")]
    assert line.startswith("guessed: 1 log-normal, 1 categorical, 1 ")
    assert line.endswith(", 1 left out; obsvae inspect people.csv shows why")


def test_no_command_hides_a_module_of_python(tmp_path):
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")} - {"__init__"}
    assert not names & sys.stdlib_module_names
    line = [sys.executable, str(ROOT / "scripts/main.py"), "inspect", "--help"]
    assert "obsvae inspect people.csv" in subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_what_training_would_refuse_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i + 0.5},{'xyz'[i % 3]}\n" for i in range(30)))
    for said, message in {
        "bounds = [0, 10]": "needs values within its bounds, 0 to 10",
        'observation = "poisson"': "column 'a' as poisson needs x a whole number",
        'observation = "student-t:dff=3"': "student-t has no option 'dff=3'",
        'role = "split"': "needs train, validation, test",
    }.items():
        (tmp_path / "s.toml").write_text(f"[columns.a]\n{said}\n")
        told = succeeds("inspect_", "t.csv", "--schema", "s.toml", cwd=tmp_path)
        assert "training would be refused" in told
        assert message in told
    assert "refused" not in succeeds("inspect_", "t.csv", cwd=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}%", "percentages"), ('"1,{}"', "decimal commas"), ('"{},000"', "separators of thousands"), ("${}", "money")],
)
def test_numbers_that_are_written_otherwise_are_told(tmp_path, text, message):
    rows = "".join(f"{text.format(i % 9 + 1)},{i + 0.25}\n" for i in range(30))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}")
    assert message in succeeds("inspect_", "t.csv", cwd=tmp_path)


def test_the_command_tells_its_release(tmp_path):
    line = [sys.executable, str(ROOT / "scripts/main.py"), "--version"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == f"obsvae {importlib.metadata.version('obsvae')}\n"


def test_arrays_are_told_what_they_look_like(tmp_path):
    x = rng.normal(size=(60, 5, 2)).astype(np.float32)
    x[:, :, 1] = 1000 + 30 * x[:, :, 1]
    x[3, 2, 0], x[5] = np.nan, x[4]
    np.save(tmp_path / "windows.npy", x)
    told = succeeds("inspect_", "windows.npy", cwd=tmp_path)
    assert told.startswith("windows.npy: 60 data of 5 × 2 (48 train, 6 validation, 6 test)\nvalues: 599 values of 10 ")
    assert "1 missing" in told
    assert "Look at:" in told
    assert told.endswith("now: obsvae recommend windows.npy --missing --out rec\n")
    np.save(tmp_path / "full.npy", np.nan_to_num(x))
    told = succeeds("inspect_", "full.npy", cwd=tmp_path)
    assert told.endswith("now: obsvae recommend full.npy --out rec\n")
    told = succeeds("inspect_", "digits", cwd=tmp_path)
    assert "grid: from 0 in steps of 1, 17 values" in told
    assert "48.9% at 0" in told


def test_what_goes_with_tables_is_refused_of_arrays(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((20, 3)))
    said = refused("inspect_", "x.npy", "--missing", "-999", cwd=tmp_path)
    assert "--missing goes with a table, but x.npy is none: leave it out" in said
    said = refused("inspect_", "x.npy", "--missing", "-999", "--layer", "raw", cwd=tmp_path)
    assert "--missing and --layer go with a table, but x.npy is none: leave them out" in said


@pytest.mark.slow
def test_the_command_that_is_named_for_an_array_with_holes_works(tmp_path):
    x = rng.normal(size=(60, 4)).astype(np.float32)
    x[3, 2] = np.nan
    np.save(tmp_path / "holes.npy", x)
    _, _, named = succeeds("inspect_", "holes.npy", cwd=tmp_path).rpartition("now: obsvae ")
    succeeds(*named.split(), "--epochs", "1", "--particles", "20", cwd=tmp_path)
    assert (tmp_path / "rec/recommendation.html").is_file()
