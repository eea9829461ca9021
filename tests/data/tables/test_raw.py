"""What counts as a number, and as missing."""

import math
import time

import numpy as np
import pytest

from obsvae.data.tables.numerals import as_number, as_numbers
from obsvae.data.tables.parsed import parse
from obsvae.data.tables.raw import RawColumn, RawTable

NUMBERS = {
    "0": 0.0,
    "-0": 0.0,
    "12": 12.0,
    "+3": 3.0,
    "007": 7.0,
    "-3.5": -3.5,
    ".5": 0.5,
    "5.": 5.0,
    "-.5e-2": -0.005,
    "1e3": 1000.0,
    "1E+03": 1000.0,
    " 1\t": 1.0,
    "\u00a01": 1.0,  # a blank that does not break
    "1e-400": 0.0,
    "0.1": 0.1,
    "9007199254740993": 9007199254740992.0,
}
NONE = [
    *("", " ", "-", ".", "+.", "e5", "1e", "1e+", "1.2.3", "1-2", "--1", "+-1", "1 2", "- 1", "1e5.0", "1e400"),
    *("nan", "NaN", "inf", "-inf", "Infinity", "1_000", "1,000", "1,5", "1'000", "0x1F", "0b1", "1j", "1d5", "1e5f"),
    *("50%", "$5", "5 kg", "−5", "１２", "٣", "½", "²", "True", "one", "2020-01-31", "12:30", "(5)", "5-", "1\n2"),
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS, ids=repr)
def test_plain_decimal_notation_is_a_number(text):
    assert as_number(text) == NUMBERS[text]
    assert as_numbers([text]).tolist() == [NUMBERS[text]]


@pytest.mark.parametrize("text", NONE, ids=repr)
def test_nothing_else_is(text):
    assert as_number(text) is None
    assert np.isnan(as_numbers([text, "1"])).tolist() == [True, False]


def test_many_are_read_as_each():
    texts = [*NUMBERS, *NONE]
    each = [as_number(text) for text in texts]
    assert np.array_equal(as_numbers(texts), np.array(each, dtype=float), equal_nan=True)
    assert as_numbers([]).tolist() == []


def test_texts_are_numbers_missing_or_wrong():
    column = RawColumn(np.array(["1", " NA ", None, "x", "-999", "inf", "2.5"], dtype=object))
    assert parse(column, {"NA", "-999"}).missing.tolist() == [False, True, True, False, True, False, False]
    found = parse(column, {"NA", "-999"})
    numbers, wrong = found.numbers, found.wrong
    assert np.array_equal(numbers, [1.0, math.nan, math.nan, math.nan, math.nan, math.nan, 2.5], equal_nan=True)
    assert wrong.tolist() == [False, False, False, True, False, True, False]
    assert parse(column, {"NA", "x", "inf"}).numbers[4] == -999.0


def test_numbers_are_missing_where_nan_or_marked_and_wrong_where_infinite():
    column = RawColumn(np.array([1.0, math.nan, -999.0, math.inf]))
    assert parse(column, {"NA", "-999.0"}).missing.tolist() == [False, True, True, False]
    found = parse(column, {"NA", "-999.0"})
    numbers, wrong = found.numbers, found.wrong
    assert np.array_equal(numbers, [1.0, math.nan, math.nan, math.nan], equal_nan=True)
    assert wrong.tolist() == [False, False, False, True]
    assert column.values[3] == math.inf  # the column itself is not changed


def test_a_large_table_is_parsed_in_about_a_second():
    texts = np.array([f"{x:.5f}" for x in np.random.default_rng(0).normal(size=30_000)], dtype=object)
    texts[::100] = "NA"
    began = time.perf_counter()
    for _ in range(24):
        assert not parse(RawColumn(texts), {"NA", ""}).wrong.any()
    assert time.perf_counter() - began < 5  # 0.4 s on a laptop


def test_a_row_is_named_in_messages():
    columns = {"a": RawColumn(np.array([1.0, 2.0]))}
    assert RawTable("'t.csv'", columns).place(1) == "row 1 (counted from 0)"
    assert RawTable("'t.csv'", columns, row_names=("x", "y")).place(1) == "row 1 ('y') (counted from 0)"
