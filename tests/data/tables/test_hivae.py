"""The tables of HI-VAE: no header, and types in a file beside."""

import re

import pytest

from obsvae.data.folder import data_folder
from obsvae.data.tables.parsed import parse
from obsvae.data.tables.raw import HiVaeType
from obsvae.data.tables.read import read_table
from obsvae.errors import UsageError

DATA = "7,0.27,NaN,1,3\n6.3,0.3,4,2,1\n"
TYPES = "type,dim,nclass\npos,1,\nreal,1,\ncount,1,\ncat,2,2\nordinal,3,3\n"


@pytest.fixture
def save(tmp_path):
    def save(types=TYPES, data=DATA):
        (tmp_path / "data_types.csv").write_bytes(types.encode())
        (tmp_path / "data.csv").write_bytes(data.encode())
        return tmp_path / "data.csv"

    return save


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
def test_columns_have_numbers_for_names_and_their_declared_types(save, end):
    table = read_table(save(TYPES.replace("\n", end)))
    assert list(table.columns) == [f"column {i}" for i in range(1, 6)]
    assert table.columns["column 3"].values.tolist() == ["NaN", "4"]
    assert table.first_line == 1
    assert table.declared == {
        "column 1": HiVaeType("pos"),
        "column 2": HiVaeType("real"),
        "column 3": HiVaeType("count"),
        "column 4": HiVaeType("cat", 2),
        "column 5": HiVaeType("ordinal", 3),
    }


def test_other_tables_declare_nothing(save):
    path = save().rename(save().with_name("other.csv"))
    with pytest.raises(UsageError, match="needs a header"):
        read_table(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert read_table(path).declared is None


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ("", r"data_types.csv': needs a header and rows; it is empty|got 'nothing'"),
        ("kind,dim\npos,1\n", r"needs the header type,dim,nclass; got 'kind,dim'"),
        (TYPES + "pos,1,\n", r"a type for each of the 5 columns of '.*data.csv'; it has 6"),
        (TYPES.replace("real", "reel"), r"the line of column 2 needs .*real, pos, count, cat, ordinal; got 'reel,1,'"),
        (TYPES.replace("count,1,", "count,1"), r"the line of column 3 needs type,dim,nclass.*got 'count,1'"),
        (TYPES.replace("real,1,", "real,2,"), r"the line of column 2 needs dim 1 for numbers; got '2'"),
        (TYPES.replace("cat,2,2", "cat,2,"), r"the line of column 4 needs nclass.*got ''"),
        (TYPES.replace("cat,2,2", "cat,1,1"), r"the line of column 4 needs nclass.*at least 2; got '1'"),
    ],
)
def test_malformed_types_are_refused(save, types, words):
    with pytest.raises(UsageError) as caught:
        read_table(save(types))
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "shape"), [("Breast", (699, 10)), ("Wine", (6497, 13)), ("spam", (4601, 58))])
def test_published_tables(name, shape):
    path = data_folder() / "hivae" / name / "data.csv"
    if not path.is_file():
        pytest.skip("needs hivae in the folder that OBSVAE_DATA names")
    table = read_table(path)
    assert (len(table), len(table.columns)) == shape
    for column in table.columns.values():
        assert not parse(column, {"NaN"}).wrong.any()
