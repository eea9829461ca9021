"""Data frames of pandas, Polars and Arrow."""

import datetime
import decimal
import math
import re

import numpy as np
import pandas as pd
import pytest

from obsvae.data.tables.raw import RawColumn
from obsvae.data.tables.read import read_table
from obsvae.errors import UsageError


def refused(frame):
    with pytest.raises(UsageError) as caught:
        read_table(frame)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(column: RawColumn, values, is_whole=False, levels=None, is_ordered=False):
    assert column.values.dtype == (object if any(isinstance(value, str) for value in values) else np.float64)
    given = [None if isinstance(value, float) and math.isnan(value) else value for value in column.values.tolist()]
    assert given == values
    assert (column.is_whole, column.levels, column.is_ordered) == (is_whole, levels, is_ordered)


TRUTH = ("False", "True")
COLUMNS = {
    "int": ([1, 2, 3], [1.0, 2.0, 3.0], {"is_whole": True}),
    "int8": (np.array([1, -2, 3], np.int8), [1.0, -2.0, 3.0], {"is_whole": True}),
    "nullable int": (pd.array([1, None, 3], dtype="Int64"), [1.0, None, 3.0], {"is_whole": True}),
    "float": ([0.1, math.nan, 3], [0.1, None, 3.0], {}),
    "float32": (np.array([0.5, 1, 2], np.float32), [0.5, 1.0, 2.0], {}),
    "nullable float": (pd.array([0.1, None, 3], dtype="Float64"), [0.1, None, 3.0], {}),
    "infinite": ([1.0, math.inf, 2.0], [1.0, math.inf, 2.0], {}),
    "large int": ([2**53 + 1, 1, 2], ["9007199254740993", "1", "2"], {}),
    "largest exact int": ([2**53, -(2**53), 0], [2.0**53, -(2.0**53), 0.0], {"is_whole": True}),
    "uint64": (np.array([2**64 - 1, 1, 2], np.uint64), ["18446744073709551615", "1", "2"], {}),
    "large nullable int": (pd.array([-(2**60), None, 1], dtype="Int64"), [str(-(2**60)), None, "1"], {}),
    "bool": ([True, False, True], ["True", "False", "True"], {"levels": TRUTH}),
    "nullable bool": (pd.array([True, None, False], dtype="boolean"), ["True", None, "False"], {"levels": TRUTH}),
    "bool objects": (np.array([True, None, False], object), ["True", None, "False"], {"levels": TRUTH}),
    "text": (["a", None, "é"], ["a", None, "é"], {}),
    "text objects": (np.array(["a", None, math.nan], object), ["a", None, None], {}),
    "ints beside NaN": ([1.0, None, 3.0], [1.0, None, 3.0], {"is_whole": True}),
    "int objects": (np.array([1, None, 3], object), [1.0, None, 3.0], {"is_whole": True}),
    "large int objects": (np.array([2**70, None, 3], object), [str(2**70), None, "3"], {}),
    "number objects": (np.array([1, 2.5, None], object), [1.0, 2.5, None], {}),
    "mixed objects": (np.array([1, "x", 2.5], object), ["1", "x", "2.5"], {}),
    "decimals": (np.array([decimal.Decimal("1.50"), None, decimal.Decimal(2)], object), ["1.50", None, "2"], {}),
    "levels": (pd.Categorical(["x", None, "y"], ["y", "x", "z"]), ["x", None, "y"], {"levels": ("y", "x", "z")}),
    "ordered numbers": (
        pd.Categorical([3, 1, None], ordered=True), ["3", "1", None], {"levels": ("1", "3"), "is_ordered": True}
    ),
    "sparse": (pd.arrays.SparseArray([0.0, 0.0, 1.0]), [0.0, 0.0, 1.0], {}),
    "times": (pd.to_datetime(["2020-01-31", None, "2020-02-01 12:30"], format="mixed"),
              ["2020-01-31T00:00:00", None, "2020-02-01T12:30:00"], {}),
    "dates": ([datetime.date(2020, 1, 31)] * 3, ["2020-01-31"] * 3, {}),
}  # fmt: skip


@pytest.mark.parametrize(("values", "wanted", "more"), COLUMNS.values(), ids=COLUMNS)
def test_columns_of_pandas(values, wanted, more):
    table = read_table(pd.DataFrame({"other": [0.5, 1.5, 2.5], "x": values}))
    same(table.columns["x"], wanted, **more)
    same(table.columns["other"], [0.5, 1.5, 2.5])
    assert table.row_names is None
    assert table.source == "the data frame"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, [1, 2]], "list in row 1 (counted from 0)"),
        ([{"a": 1}, None], "dict in row 0"),
        ([np.arange(2), np.arange(2)], "ndarray in row 0"),
        ([b"a", b"b"], "bytes in row 0"),
        ([1j, 2.0], "complex in row 0"),
        (pd.period_range("2020-01", periods=2, freq="M"), "Period in row 0"),
    ],
)
def test_what_is_no_value_is_refused_with_its_column(values, words):
    said = refused(pd.DataFrame({"good": [1, 2], "bad": values}))
    assert f"column 'bad' has {words}" in said
    assert "drop it" in said


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]), r"'a' names columns 0 and 2"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), r"'1' names columns 0 and 1"),
        (pd.DataFrame([[1, 2]], columns=["a", ""]), r"column 1 .* has none"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), r"texts as names.*got \('a', 'b'\)"),
        (pd.DataFrame([[1]], columns=[None]), r"texts as names of columns; got "),
        (pd.DataFrame(), r"at least one column"),
        (pd.DataFrame({"a": []}), r"at least one row"),
        (pd.DataFrame({"a": pd.Categorical(["1", 1])}), r"levels that differ as texts.*column 'a'"),
        (pd.Series([1, 2]), r"got Series: pass series.to_frame\(\)"),
        (np.ones((3, 2)), r"got ndarray: pass one of these"),
        (None, r"got NoneType"),
    ],
)
def test_frames_that_are_no_tables(frame, words):
    said = refused(frame)
    assert re.search(words, said), said


def test_the_index_names_rows_where_it_does_more_than_number_them():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert read_table(frame).row_names is None
    assert read_table(frame[1:]).row_names == ("1", "2")
    assert read_table(frame.set_index(pd.Index(["x", "y", "y"]))).row_names == ("x", "y", "y")
    several = pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)])
    assert read_table(frame.set_index(several)).row_names == ("x / 1", "x / 2", "y / 1")


def test_names_that_are_numbers_become_texts():
    assert list(read_table(pd.DataFrame(np.ones((2, 2)))).columns) == ["0", "1"]


def test_the_table_is_a_copy():
    frame = pd.DataFrame(np.zeros((3, 1)), columns=["a"])
    table = read_table(frame)
    table.columns["a"].values[:] = 1.0
    assert (frame["a"] == 0).all()


def test_layers_are_refused():
    with pytest.raises(UsageError, match="layer='x' with a data frame"):
        read_table(pd.DataFrame({"a": [1]}), layer="x")


@pytest.mark.parametrize("to", ["polars", "arrow", "pandas with Arrow's types"])
def test_polars_and_arrow(to):
    pl = pytest.importorskip("polars", reason="Polars is not installed")
    frame = pl.DataFrame(
        {
            "i": [1, None, 3],
            "large": [2**60, None, 3],
            "f": [1.5, None, math.nan],
            "b": [True, None, False],
            "c": pl.Series(["x", "y", None], dtype=pl.Categorical),
            "e": pl.Series(["lo", "hi", None], dtype=pl.Enum(["lo", "mid", "hi"])),
            "d": [datetime.date(2020, 1, 31)] * 3,
            "t": [datetime.datetime(2020, 1, 31, 12, 30)] * 3,
            "s": ["a", None, "é"],
            "m": [decimal.Decimal("1.50")] * 3,
        }
    )
    if to != "polars":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        frame = frame.to_arrow() if to == "arrow" else frame.to_pandas(use_pyarrow_extension_array=True)
    columns = read_table(frame).columns
    same(columns["i"], [1.0, None, 3.0], is_whole=True)
    same(columns["large"], [str(2**60), None, "3"])
    same(columns["f"], [1.5, None, None])
    same(columns["b"], ["True", None, "False"], levels=TRUTH)
    same(columns["c"], ["x", "y", None], levels=("x", "y"))
    same(columns["e"], ["lo", "hi", None], levels=("lo", "mid", "hi"), is_ordered=True)
    same(columns["d"], ["2020-01-31"] * 3)
    same(columns["t"], ["2020-01-31T12:30:00"] * 3)
    same(columns["s"], ["a", None, "é"])
    same(columns["m"], ["1.50"] * 3)


def test_polars_refused():
    pl = pytest.importorskip("polars", reason="Polars is not installed")
    assert "pass frame.collect()" in refused(pl.DataFrame({"a": [1]}).lazy())
    assert "column 'l' has List" in refused(pl.DataFrame({"l": [[1]]}))
    assert "column 's' has Struct" in refused(pl.DataFrame({"s": [{"a": 1}]}))
    assert "column 'y' has Binary" in refused(pl.DataFrame({"y": [b"a"]}))
    long = read_table(pl.DataFrame({"i": pl.Series([2**100, None], dtype=pl.Int128)})).columns["i"]
    same(long, [str(2**100), None])
