"""Schemas: what they may say, as TOML and as plain values."""

import json
import tomllib

import pytest

from obsvae.data.tables.schemas.schema import MISSING, ColumnSchema, Schema, schema_from
from obsvae.data.tables.schemas.toml import read_schema, to_toml
from obsvae.errors import UsageError

NAMES = [
    "plain",
    "with a space",
    "with.dot",
    'with "quotes"',
    "größe",
    "two\nlines",
    "tab\t",
    "back\\slash",
    "",
    "\x7f",
]
FULL = {
    "missing": ["", "NA", "-999"],
    "columns": {
        "weight": {
            "role": "observe",
            "observation": "student-t:df=4",
            "bounds": [0.0, 1e3],
            "grid": 0.1,
            "unit": "kg",
        },
        "sex": {"role": "observe", "observation": "bernoulli", "levels": ["f", 'm "'], "grid": False},
        "phase": {"grid": [0.5, 1.0]},
    },
}


def refused(read, *arguments):
    with pytest.raises(UsageError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_plain_values_give_the_same_schema_again():
    schema = schema_from(FULL)
    assert schema.columns["weight"] == ColumnSchema(
        "student-t:df=4", (0.0, 1000.0), (None, 0.1), unit="kg", role="observe"
    )
    assert schema.columns["sex"].grid is False
    assert schema.columns["phase"].grid == (0.5, 1.0)
    assert schema_from(json.loads(json.dumps(schema.to_mapping()))) == schema
    assert schema_from({}).missing == MISSING


@pytest.mark.parametrize("name", NAMES)
def test_toml_is_read_back_whatever_the_names_and_texts(name, tmp_path):
    said = ColumnSchema("normal", (-1e300, 0.1), (0.25, 1e-7), None, unit=name, role="observe")
    levels = ColumnSchema("categorical", levels=(f"{name}.", "ü", "a\x01b", "'"), role="observe")
    schema = Schema({name: said, f"{name} 2": levels}, ("", "NA", '"', name.strip()))
    text = to_toml(schema, {name: f"why {name}\nand how"})
    assert tomllib.loads(text)["columns"][name].get("unit", "") == name
    file = tmp_path / "schema.toml"
    file.write_text(text, encoding="utf-8")
    read = read_schema(file)
    assert (read.columns, read.missing) == (schema.columns, schema.missing)


def test_comments_stand_above_their_column():
    text = to_toml(Schema({"a": ColumnSchema(unit="m")}), {"a": "guessed"})
    assert "# guessed\n[columns.a]\n" in text


def test_markers_may_be_numbers():
    assert schema_from({"missing": ["NA", -999, 99.5]}).missing == ("NA", "-999", "99.5")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"observatoin": "normal"}, ["column 'x'", "unknown key 'observatoin'", "did you mean 'observation'?", "unit"]),
        ({"observation": 3}, ["column 'x', observation", "needs a text", "3"]),
        ({"observation": " "}, ["is empty"]),
        ({"role": "ignroe"}, ["role", "did you mean 'ignore'?"]),
        ({"role": True}, ["role", "needs a text"]),
        ({"bounds": [1, 0]}, ["low < high", "[1, 0]"]),
        ({"bounds": [0, "1"]}, ["two numbers"]),
        ({"bounds": [0, float("inf")]}, ["two numbers"]),
        ({"bounds": 5}, ["two numbers", "5"]),
        ({"grid": 0}, ["positive step", "0"]),
        ({"grid": True}, ["positive step", "True"]),
        ({"grid": [0, -1]}, ["positive step"]),
        ({"levels": ["a", 1]}, ["at least two texts", 'in quotes, "1"']),
        ({"levels": ["a"]}, ["at least two texts"]),
        ({"levels": ["a", "a "]}, ["distinct", "'a' stands there twice"]),
        ("normal", ["needs a table of settings", "'normal'"]),
    ],
)
def test_what_a_column_cannot_say(said, words):
    message = refused(schema_from, {"columns": {"x": said}}, "the schema 's.toml'")
    assert all(word in message for word in ["the schema 's.toml'", "'x'", *words]), message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colums": {}}, ["did you mean 'columns'?"]),
        ({"columns": []}, ["[columns.NAME]"]),
        ({"missing": "NA"}, ["a list of texts and numbers", "'NA'"]),
        ({"missing": [True]}, ["texts and numbers", "True"]),
    ],
)
def test_what_a_schema_cannot_say(given, words):
    message = refused(schema_from, given)
    assert all(word in message for word in words), message


def test_files_that_are_no_schema(tmp_path):
    assert "check the path" in refused(read_schema, tmp_path / "absent.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("[columns.a b]\n")
    assert "line 1" in refused(read_schema, bad)
    bad.write_bytes(b'missing = ["\xe4"]')
    assert "UTF-8" in refused(read_schema, bad)


def test_a_column_that_the_table_lacks():
    schema = schema_from({"columns": {"wieght": {}}}, "the schema 's.toml'")
    message = refused(schema.require_columns, ["height", "weight"], "'people.csv'")
    for word in ("the schema 's.toml'", "'wieght'", "'people.csv' lacks", "did you mean 'weight'?", "'height'"):
        assert word in message
