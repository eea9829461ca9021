"""Any text as an observation, any content as a schema or a table: it is read, or refused in one line."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsvae import OBSERVATIONS, WRAPPERS, UsageError, families_of, load, make_observation, resolved
from obsvae.data.tables.read import read_table
from obsvae.data.tables.schemas.schema import schema_from
from obsvae.data.tables.schemas.toml import read_schema
from tests.wrong_use.damaging import damaged
from tests.wrong_use.profiles import FEW, MANY, accepted

WORDS = [*OBSERVATIONS, *WRAPPERS, "by-column", "scale", "link", "df", "inner", "components", "n", "transform", "log"]
PIECES = [*WORDS, ":", ",", "=", "inner=", "{", "}", '"', "\n", "\0", " ", "-1", "1e999", "nan", "shared", "per-unit"]
SPECS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=40))
SCHEMA = b"""missing = ["NA", -999]
[columns.a]
observation = "normal"
bounds = [0, 1e3]
[columns."b c"]
levels = ["x", "y"]
"""
SAID = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["columns", "missing", "a", "observation", "bounds", "grid", "levels", "role", "unit"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TABLE = b'a,"b, c",d\n1,x,2.5\n-3,"y ""q""",\nNA,x,1e3\n' + b"4,y,7\n" * 12
NAMES = {"t.csv": TABLE, "t.tsv": TABLE.replace(b",", b"\t"), "t.csv.gz": gzip.compress(TABLE, mtime=0)}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return data that observations are made for: none, an array, and a table."""
    folder = tmp_path_factory.mktemp("seen")
    (folder / "t.csv").write_bytes(TABLE)
    return [None, load("digits"), load(folder / "t.csv")]


def tries_spec(seen, spec):
    for data in seen:
        accepted(make_observation, UsageError, spec, data)
    accepted(resolved, UsageError, spec)
    accepted(families_of, UsageError, spec, seen[-1].columns)


@given(spec=SPECS)
@FEW
def test_any_text_is_an_observation_or_refused(seen, spec):
    tries_spec(seen, spec)


@pytest.mark.slow
@given(spec=SPECS)
@MANY
def test_many_texts_are_observations_or_refused(seen, spec):
    tries_spec(seen, spec)


def tries_schema(folder, content):
    file = folder / "schema.toml"
    file.write_bytes(content)
    accepted(read_schema, UsageError, file)


@given(content=st.one_of(damaged(SCHEMA), st.binary(max_size=60)))
@FEW
def test_any_content_is_a_schema_or_refused(tmp_path, content):
    tries_schema(tmp_path, content)


@pytest.mark.slow
@given(content=st.one_of(damaged(SCHEMA), st.binary(max_size=60)))
@MANY
def test_many_contents_are_schemas_or_refused(tmp_path, content):
    tries_schema(tmp_path, content)


@given(said=SAID)
@FEW
def test_any_values_are_a_schema_or_refused(said):
    accepted(schema_from, UsageError, said)


@pytest.mark.slow
@given(said=SAID)
@MANY
def test_many_values_are_schemas_or_refused(said):
    accepted(schema_from, UsageError, said)


def tries_table(folder, name, content):
    file = folder / name
    file.write_bytes(content)
    if accepted(read_table, UsageError, file):
        accepted(load, UsageError, file)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@FEW
def test_any_content_is_a_table_or_refused(tmp_path, name, data):
    tries_table(tmp_path, name, data.draw(st.one_of(damaged(NAMES[name]), st.binary(max_size=80))))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@MANY
def test_many_contents_are_tables_or_refused(tmp_path, name, data):
    tries_table(tmp_path, name, data.draw(st.one_of(damaged(NAMES[name]), st.binary(max_size=80))))
