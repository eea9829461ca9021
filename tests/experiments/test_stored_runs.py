"""Runs that earlier releases have left are read, and say what they said then."""

import json

import numpy as np
import pytest

from obsvae import load_history, load_run
from obsvae.experiments.runs.run import FORMAT
from obsvae.experiments.runs.state_file import load_state
from tests.experiments.store_run import STORED, numbers_of

FORMATS = sorted(folder.name for folder in STORED.iterdir())
HOW = (
    "store runs of the new format by python -m tests.experiments.store_run, keep those of the old ones, let load_run "
    "read them, and tell of it in CHANGELOG.md"
)


def test_runs_of_the_present_format_are_stored():
    assert f"format-{FORMAT}" in FORMATS, f"the format of runs is {FORMAT} now: {HOW}"


@pytest.mark.parametrize("name", ["table", "array"])
@pytest.mark.parametrize("of", FORMATS)
def test_a_stored_run_says_what_it_said(of, name):
    expected = json.loads((STORED / of / f"{name}.json").read_text())
    found = numbers_of(STORED / of / name)
    assert found.keys() == expected.keys()
    for key, numbers in expected.items():
        message = f"{key} of {of}/{name}: where weights or files are meant to be read otherwise now, {HOW}"
        np.testing.assert_allclose(found[key], numbers, rtol=2e-5, atol=1e-5, err_msg=message)


@pytest.mark.parametrize("name", ["table", "array"])
@pytest.mark.parametrize("of", FORMATS)
def test_all_files_of_a_stored_run_are_read(of, name):
    folder = STORED / of / name
    assert load_run(folder).config["outcome"]["stopped"] == "finished"
    assert len(load_history(folder)) == len(load_state(folder).history) == 2


def test_stored_runs_stay_small():
    assert sum(path.stat().st_size for path in STORED.rglob("*") if path.is_file()) < 100_000 * len(FORMATS)
