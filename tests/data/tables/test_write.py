"""Tables as numbers, and back: what we write is what we read."""

import json

import numpy as np
import pytest

from obsvae.data import Column, Grid, Kind
from obsvae.data.tables.decode import decoded, shortest
from obsvae.data.tables.encode import encode_rows
from obsvae.data.tables.read import read_table
from obsvae.data.tables.schemas.schema import schema_from
from obsvae.data.tables.stored import stored_table
from obsvae.data.tables.write import save_table
from obsvae.errors import UsageError
from tests.data.tables.tables import table

pandas = pytest.importorskip("pandas")
rng = np.random.default_rng(3)
N = 50
LEVELS = ['a "b"', "c, d", "ü", "two\nlines"]
TABLE = table(
    **{
        "größe, cm": rng.normal(170, 10, N),
        'level "x"': [*LEVELS, None, *rng.choice(LEVELS, N - 5)],
        "count": [None, *rng.poisson(3, N - 1)],
        "whole": rng.integers(100, 400, N),
        "grid.1": [f"{value:.1f}" for value in rng.normal(0, 3, N)],
        "tiny": rng.normal(0, 1e-9, N) + 1e-8,
        "code": rng.choice([1, 2], N),
    }
)
SCHEMA = schema_from({"columns": {"grid.1": {"grid": 0.1}}})


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_what_is_written_is_read_and_encoded_again_exactly(suffix, tmp_path):
    stored, full = stored_table(TABLE, SCHEMA)
    path = save_table(tmp_path / "new" / f"table{suffix}", decoded(stored.x, stored.columns))
    again = encode_rows(read_table(path), schema_from(json.loads(json.dumps(full.to_mapping()))))
    assert np.array_equal(again.x, stored.x, equal_nan=True)
    assert [c.name for c in again.columns] == list(TABLE.columns)
    assert list(path.parent.iterdir()) == [path]


def test_imputed_values_between_whole_numbers_stay_between_them():
    column = Column("x", Kind.REAL, "normal", is_whole=True)
    assert decoded(np.array([[1.0], [2.5]], np.float32), [column])["x"].tolist() == [1.0, 2.5]


def test_the_shortest_decimals_of_float32():
    values = np.array([0.1, 1 / 3, 1e-20, 16777216.0, np.nan], np.float32)
    assert shortest(values)[:4].tolist() == [0.1, 0.33333334, 1e-20, 16777216.0]
    many = rng.normal(size=1000).astype(np.float32)
    assert np.array_equal(shortest(many).astype(np.float32), many)


def test_names_of_rows_stand_in_a_column_of_their_own(tmp_path):
    frame = pandas.DataFrame({"row": [1.5, 2.5]}, index=["a", "b"])
    assert save_table(tmp_path / "x.csv", frame).read_text() == "row name,row\na,1.5\nb,2.5\n"


def test_what_cannot_be_decoded():
    levels = Column("x", Kind.BINARY, "bernoulli", grid=Grid(0.0, 1.0, 2), levels=("a", "b"))
    for wrong in (2.0, 0.5, -1.0):
        with pytest.raises(UsageError, match=r"column 'x' needs codes 0 to 1 .* row 1"):
            decoded(np.array([[0.0], [wrong]]), [levels])
    with pytest.raises(UsageError, match=r"shape \(rows, 1\)"):
        decoded(np.zeros((3, 2)), [levels])


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"unknown format of tables '.xls'.*\.csv, \.tsv, \.parquet"):
        save_table(tmp_path / "x.xls", {"a": [1]})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = save_table(tmp_path / "x.csv", {"a": [1, None, "b"]})
    assert path.read_text() == 'a\n1\n""\nb\n'

    class Unwritable:
        def __str__(self):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save_table(path, {"a": [Unwritable()]})
    assert path.read_text() == 'a\n1\n""\nb\n'
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_without_pyarrow_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match="needs pyarrow: pip install pandas pyarrow"):
        save_table(tmp_path / "x.parquet", {"a": [1]})


def test_parquet_is_read_again(tmp_path):
    pytest.importorskip("pyarrow")
    stored, full = stored_table(TABLE, SCHEMA)
    path = save_table(tmp_path / "table.parquet", decoded(stored.x, stored.columns))
    assert np.array_equal(encode_rows(read_table(path), full).x, stored.x, equal_nan=True)
