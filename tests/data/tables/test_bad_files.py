"""Files that are malformed, which are refused in words that help, and odd ones, which are read as they stand."""

import codecs
import gzip
import io
import re
import zipfile
from pathlib import Path

import pytest

from obsvae.data.tables.read import read_table
from obsvae.errors import UsageError

GOOD = b"a,b\n1,x\n2,y\n"


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


# What the file is called, what it holds, and what the error says.
REFUSED = {
    "empty": ("t.csv", b"", r"needs a header and rows; it is empty"),
    "empty after its mark": ("t.csv", codecs.BOM_UTF8, r"it is empty"),
    "blank lines": ("t.csv", b"\n\n  \r\n\t\n", r"it is empty"),
    "empty tsv": ("t.tsv", b"\n", r"it is empty"),
    "header alone": ("t.csv", b"a,b\n", r"needs rows below its header; the header at line 1 is all"),
    "header after blank lines": ("t.csv", b"\n\na,b\n\n", r"the header at line 3 is all"),
    "no header": ("t.csv", b"1,2\n3,4\n", r"needs a header.*numbers alone, '1', '2': write a line of names above"),
    "no header, many": ("t.csv", b"1,2.5,-3,1e3\n" * 2, r"'1', '2.5', '-3', …: write a line"),
    "no header and a missing value": ("t.csv", b"7,NaN,?\n1,2,3\n", r"needs a header.*'7', 'NaN', '\?'"),
    "one column without header": ("t.csv", b"1.5\n2.5\n", r"needs a header.*'1.5'"),
    "repeated name": ("t.csv", b"a,b,a\n1,2,3\n", r"distinct names of columns; 'a' names columns 0 and 2 \(counted"),
    "repeated but for blanks": ("t.csv", b"a, a\n1,2\n", r"'a' names columns 0 and 1"),
    "two repeated names": ("t.csv", b"a,a,b,b\n1,2,3,4\n", r"'a' names columns 0 and 1.*and 1 more names repeat"),
    "index without name": ("t.csv", b",a\n0,1\n", r"column 0 \(counted from 0\) has none.*index=False.*row.names"),
    "name missing": ("t.csv", b"a,,c\n1,2,3\n", r"column 1 \(counted from 0\) has none: name it$"),
    "blank name": ("t.csv", b"a, ,c\n1,2,3\n", r"column 1 \(counted from 0\) has none"),
    "comma at each line's end": ("t.csv", b"a,b,\n1,2,\n", r"column 2 \(counted from 0\) has none"),
    "tab before the header": ("t.tsv", b"\ta\n0\t1\n", r"column 0 \(counted from 0\) has none"),
    "short row": ("t.csv", b"a,b\n1,2\n3\n", r"needs 2 fields in each row.*row at line 3 has 1"),
    "long row": ("t.csv", b"a,b\n1,2\n3,4,5\n", r"needs 2 fields.*line 3 has 3.*quotes around"),
    "long last row": ("t.csv", GOOD * 50 + b"1,2,3\n", r"line 151 has 3"),
    "short row after a line break in quotes": ("t.csv", b'a,b\n"1\n2",3\n4\n', r"the row at line 4 has 1"),
    "names of rows without a header": ("t.csv", b"a,b\nr1,1,2\n", r"line 2 has 3"),
    "thousands": ("t.csv", b"a,b\n1,234,5\n", r"line 2 has 3"),
    "remarks above": ("t.csv", b"# made by hand\na,b\n1,2\n", r"needs 1 fields in each row.*line 2 has 2"),
    "open quote": ("t.csv", b'a,b\n1,2\n"3,4\n5,6\n', r"begins at line 3 is damaged \(unexpected end of data\)"),
    "open quote in the header": ("t.csv", b'a,"b\n1,2\n', r"begins at line 1 is damaged"),
    "text after a quote": ("t.csv", b'a,b\n"x"y,2\n', r"begins at line 2 is damaged.*correct its quotes"),
    "vast field": ("t.csv", b'a,b\n1,"' + b"x" * 200_000 + b'"\n', r"line 2 is damaged \(field larger than"),
    "Latin-1": ("t.csv", "a,b\n1,2\nGöteborg,3\n".encode("latin-1"), r"line 3 has the byte 0xf6 \('ö' in Latin-1\)"),
    "Latin-1 in the header": ("t.csv", "Größe,b\n1,2\n".encode("latin-1"), r"line 1 has the byte 0xf6.*: save it"),
    "Windows quotes": ("t.csv", b"a,b\n\x93x\x94,2\n", r"line 2 has the byte 0x93, which is no UTF-8"),
    "cut in a character": ("t.csv", "a,b\n1,é".encode()[:-1], r"line 2 has the byte 0xc3"),
    "wrong UTF-8 after its mark": ("t.csv", codecs.BOM_UTF8 + b"a\n\xff\n", r"line 2 has the byte 0xff"),
    "UTF-16 without mark": ("t.csv", "a,b\n1,2\n".encode("utf-16-le"), r"byte 1 .* is NUL.*UTF-16 without its mark"),
    "UTF-16 cut": ("t.csv", "a,b\n1,2\n".encode("utf-16")[:-1], r"which is no UTF-16"),
    "NUL": ("t.csv", b"a,b\n1,\0\n", r"byte 6 \(counted from 0\) is NUL"),
    "NUL in UTF-16": ("t.csv", "a,b\n1,\0\n".encode("utf-16"), r"holds NUL characters"),
    "image": ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(20), r"is NUL, as in binary files"),
    "noise": ("t.csv", bytes(range(1, 256)), r"has the byte 0x80"),
    "workbook": ("t.csv", zipped(), r"a zip archive or a workbook: save the sheet as CSV"),
    "zip called gz": ("t.csv.gz", zipped(), r"needs a whole gzip file"),
    "gzip cut": ("t.csv.gz", gzip.compress(GOOD)[:-4], r"needs a whole gzip file.*fetch it again"),
    "gzip damaged": ("t.csv.gz", gzip.compress(GOOD)[:12] + b"\xff\xff" + gzip.compress(GOOD)[14:], r"whole gzip file"),
    "gzip with another checksum": ("t.csv.gz", gzip.compress(GOOD)[:-8] + bytes(8), r"whole gzip file.*CRC"),
    "text called gz": ("t.csv.gz", GOOD, r"no gzip.*name a plain file .csv"),
    "empty within gzip": ("t.csv.gz", gzip.compress(b""), r"it is empty"),
    "commas in a tsv": ("t.tsv", b"a,b\n1,2\n", r"needs tabs between columns.*name it .csv"),
    "semicolons in a tsv": ("t.tsv", b"a;b\n1;2\n", r"needs tabs between columns"),
    "decimal commas": ("t.csv", b"a;b\n1,5;x\n2;y\n", r"decimal points.*'a' has '1,5' in row 0 .*decimal=','"),
    "decimal comma later": ("t.csv", b"a;b\n1;2\n3; -4,5e3\n", r"column 'b' has ' -4,5e3' in row 1"),
    "digit groups in a tsv": ("t.tsv", b"a\tb\n1,234,567\t2\n", r"no digit groups; column 'a' has '1,234,567'"),
    "Excel names the separator": ("t.csv", b"sep=;\na;b\n1;2\n", r"column 1 \(counted from 0\) has none"),
    "other format": ("t.xlsx", zipped(), r"needs a file of .csv, .*.h5ad; got .xlsx: save it as CSV"),
    "no suffix": ("table", GOOD, r"got no suffix"),
    "txt": ("t.txt", GOOD, r"got .txt"),
    "bzip2": ("t.csv.bz2", GOOD, r"got .bz2"),
}  # fmt: skip

# What the file is called, what it holds, and its columns.
READ = {
    "plain": ("t.csv", GOOD, {"a": ["1", "2"], "b": ["x", "y"]}),
    "no last line end": ("t.csv", b"a,b\n1,x", {"a": ["1"], "b": ["x"]}),
    "Windows line ends": ("t.csv", b"a,b\r\n1,x\r\n", {"a": ["1"], "b": ["x"]}),
    "old Mac line ends": ("t.csv", b"a,b\r1,x\r2,y\r", {"a": ["1", "2"], "b": ["x", "y"]}),
    "suffix in capitals": ("T.CSV", GOOD, {"a": ["1", "2"], "b": ["x", "y"]}),
    "UTF-8 with mark": ("t.csv", codecs.BOM_UTF8 + GOOD, {"a": ["1", "2"], "b": ["x", "y"]}),
    "UTF-16": ("t.csv", "å,b\n1,ž\n".encode("utf-16"), {"å": ["1"], "b": ["ž"]}),
    "UTF-16, big end first": ("t.csv", codecs.BOM_UTF16_BE + "å\nž\n".encode("utf-16-be"), {"å": ["ž"]}),
    "UTF-32": ("t.csv", "å,b\n1,ž\n".encode("utf-32"), {"å": ["1"], "b": ["ž"]}),
    "names of all scripts": ("t.csv", "身長,вес,🙂\n1,2,3\n".encode(), {"身長": ["1"], "вес": ["2"], "🙂": ["3"]}),
    "quotes": ("t.csv", b'"a,1","b ""q"""\n"x,y","1"\n', {"a,1": ["x,y"], 'b "q"': ["1"]}),
    "line breaks in quotes": ("t.csv", b'"a\nb",c\n"1\r\n2",3\n', {"a\nb": ["1\r\n2"], "c": ["3"]}),
    "separators of other kinds in quotes": ("t.csv", b'"a,b";c\n"1;2";3\n', {"a,b": ["1;2"], "c": ["3"]}),
    "blanks around": ("t.csv", b" a , b\n 1 ,  x\n", {"a": [" 1 "], "b": ["  x"]}),
    "blank lines": ("t.csv", b"\na,b\n\n1,x\n  \n2,y\n\n", {"a": ["1", "2"], "b": ["x", "y"]}),
    "blank lines of one column": ("t.csv", b"a\n1\n\n3\n\n", {"a": ["1", "", "3"]}),
    "row of nothing": ("t.csv", b"a,b\n,\n1,2\n", {"a": ["", "1"], "b": ["", "2"]}),
    "all words for missing": ("t.csv", b"a,b\nNA,nan\nnull,\n", {"a": ["NA", "null"], "b": ["nan", ""]}),
    "numbers with zeros before": ("t.csv", b"zip,b\n00501,1.50\n", {"zip": ["00501"], "b": ["1.50"]}),
    "digits beyond float64": ("t.csv", b"id,b\n12345678901234567890,1\n", {"id": ["12345678901234567890"], "b": ["1"]}),
    "a name that is a number": ("t.csv", b"2020,year\n1,2\n", {"2020": ["1"], "year": ["2"]}),
    "names that look missing": ("t.csv", b"NA,nan\n1,2\n", {"NA": ["1"], "nan": ["2"]}),
    "semicolons": ("t.csv", b"a;b\n1.5;x, y\n", {"a": ["1.5"], "b": ["x, y"]}),
    "bars": ("t.csv", b"a|b\n1|2\n", {"a": ["1"], "b": ["2"]}),
    "tabs in a csv": ("t.csv", b"a\tb\n1\t2\n", {"a": ["1"], "b": ["2"]}),
    "tsv": ("t.tsv", b"a b\tc\n1,x\t2\n", {"a b": ["1,x"], "c": ["2"]}),
    "tsv with an empty last cell": ("t.tsv", b"a\tb\n1\t\n", {"a": ["1"], "b": [""]}),
    "gzip": ("t.csv.gz", gzip.compress(GOOD), {"a": ["1", "2"], "b": ["x", "y"]}),
    "gzip tsv": ("t.tsv.gz", gzip.compress(b"a\tb\n1\t2\n"), {"a": ["1"], "b": ["2"]}),
    "gzip without its suffix": ("t.csv", gzip.compress(GOOD), {"a": ["1", "2"], "b": ["x", "y"]}),
    "apostrophes are letters": ("t.csv", b"a,b\n'1,2'\n", {"a": ["'1"], "b": ["2'"]}),
    "a quote within": ("t.csv", b'a,b\n6" pipe,1\n', {"a": ['6" pipe'], "b": ["1"]}),
    "line separators of Unicode": ("t.csv", "a,b\nx\u2028y,\x0b\n".encode(), {"a": ["x\u2028y"], "b": ["\x0b"]}),
}  # fmt: skip


def refused(path, **kwargs):
    with pytest.raises(UsageError) as caught:
        read_table(path, **kwargs)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_there_are_many():
    assert len(REFUSED) + len(READ) >= 60


@pytest.mark.parametrize(("name", "content", "words"), REFUSED.values(), ids=REFUSED)
def test_malformed_files_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    said = refused(tmp_path / name)
    assert name in said
    assert re.search(words, said), said


@pytest.mark.parametrize(("name", "content", "columns"), READ.values(), ids=READ)
def test_odd_files_are_read_as_they_stand(tmp_path, name, content, columns):
    (tmp_path / name).write_bytes(content)
    table = read_table(str(tmp_path / name))
    assert {name: column.values.tolist() for name, column in table.columns.items()} == columns
    assert list(table.columns) == list(columns)
    assert table.row_names is None


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"a,b\n1,2\n", 2), (b"\n\na,b\n\n1,2\n", 5), (b'"a\nb"\n1\n', 3)],
    ids=["plain", "blank", "quoted"],
)
def test_the_first_line_is_that_of_row_0(tmp_path, content, line):
    (tmp_path / "t.csv").write_bytes(content)
    assert read_table(tmp_path / "t.csv").first_line == line


def test_a_folder(tmp_path):
    (tmp_path / "t.csv").mkdir()
    assert "t.csv' is a folder: name a file in it" in refused(tmp_path / "t.csv")


def test_no_file(tmp_path):
    said = refused(tmp_path / "t.csv")
    assert "no file at" in said
    assert repr(str(Path.cwd())) in said


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_bytes(GOOD)

    def deny(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)
    assert re.search(r"cannot read '.*t.csv' \(Permission denied\): check", refused(tmp_path / "t.csv"))


def test_layers_are_those_of_anndata(tmp_path):
    (tmp_path / "t.csv").write_bytes(GOOD)
    assert re.search(r"layer='counts' with '.*t.csv': leave it out", refused(tmp_path / "t.csv", layer="counts"))
