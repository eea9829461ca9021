"""Run folders whose files are cut, flipped or replaced: they are read, or refused in one line."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsvae import UsageError, load_history, load_run
from obsvae.experiments.runs.shares import load_shares
from obsvae.experiments.runs.state_file import load_state
from tests.wrong_use.damaging import damaged
from tests.wrong_use.profiles import FEW, MANY, accepted

VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.lists(st.integers(), max_size=3)
)
HUGE = [n.to_bytes(8, "little") + b"{}" for n in (2**63, 2**40, 2**20, 100, 1)]


@pytest.fixture(scope="module")
def sound(place, tmp_path_factory):
    """Return a copy of a run on a table, to be damaged."""
    return shutil.copytree(place / "table-run", tmp_path_factory.mktemp("sound") / "run")


def history_of(folder):
    return load_run(folder).history


READERS = {
    "config.json": [load_run],
    "weights.safetensors": [load_run],
    "state.safetensors": [load_state],
    "history.csv": [load_history, history_of],
    "history_by_column.csv": [load_shares],
}


def tries(folder, name, content):
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    try:
        for read in READERS[name]:
            accepted(read, UsageError, folder)
    finally:
        (folder / name).write_bytes(before)


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@FEW
def test_a_damaged_file_is_read_or_refused(sound, name, data):
    tries(sound, name, data.draw(damaged((sound / name).read_bytes())))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@MANY
def test_many_damaged_files_are_read_or_refused(sound, name, data):
    tries(sound, name, data.draw(damaged((sound / name).read_bytes())))


@pytest.mark.parametrize("name", ["weights.safetensors", "state.safetensors"])
@pytest.mark.parametrize("start", HUGE, ids=lambda start: str(int.from_bytes(start[:8], "little")))
def test_a_header_of_any_length_is_refused(sound, name, start):
    tries(sound, name, start)
    tries(sound, name, start[:8] + (sound / name).read_bytes()[8:])


def spoilt(folder, path, value):
    """Return the configuration with another value at a path of keys."""
    config = json.loads((folder / "config.json").read_text())
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(config).encode()


def paths(content, before=()):
    """Return the paths of all keys."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*before, key)
        yield from paths(value, (*before, key))


@given(data=st.data())
@FEW
def test_a_configuration_with_another_value_is_read_or_refused(sound, data):
    known = list(paths(json.loads((sound / "config.json").read_text())))
    tries(sound, "config.json", spoilt(sound, data.draw(st.sampled_from(known)), data.draw(VALUES)))


@pytest.mark.slow
@given(data=st.data())
@MANY
def test_many_configurations_are_read_or_refused(sound, data):
    known = list(paths(json.loads((sound / "config.json").read_text())))
    tries(sound, "config.json", spoilt(sound, data.draw(st.sampled_from(known)), data.draw(VALUES)))
