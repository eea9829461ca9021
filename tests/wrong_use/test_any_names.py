"""Names and levels that are HTML, formulas or paths: pages and text files hold none of it, and all comes back."""

import csv
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import obsvae
from obsvae.data.tables.formulas import escaped, unescaped
from obsvae.data.tables.numerals import as_number
from obsvae.data.tables.read import read_table
from obsvae.data.tables.write import save_table
from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.reporting.page import Part, Picture, Table
from obsvae.experiments.reporting.report import Report, Section
from tests.scripts.commands import succeeds
from tests.wrong_use.profiles import FEW, MANY

NAMES = [
    "<script>alert(1)</script>",
    "../../x",
    "=cmd|' /C calc'!A0",
    "+1+2",
    "@x",
    "two\n<b>lines",
    "quo\"te's",
    "x" * 300,
    "😀",
    "\u202eright to left",
    "$\\frac{1}{2$ and $",
    "＝wide",
    "'=quoted",
]
LEVELS = ["=1+1", "<img src=x onerror=alert(1)>", "-2", "../../y", "-a"]
TEXTS = st.one_of(
    st.sampled_from([*NAMES, *LEVELS]), st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
)
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(cell):
    return len(cell) > 1 and cell.startswith(STARTS) and as_number(cell) is None


class Tags(HTMLParser):
    """The tags of a page, each with the names of its attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs)}


def page(text):
    """Return a page that has a text in every place that takes one."""
    picture = Picture("", 1, 1, text, text)
    table, words = Table(text, [text], [[text]]), Table(text, [text], [[text]], "words")
    parts = [Part(text, text, [table, words, picture]), Part(text, note=text)]
    section = Section("run-0", text, f"{text} ", table, parts)
    return Report(text, text, [text], [text], [table], [text], [section]).html()


def tries_text(text):
    assert unescaped(escaped(text)) == text
    assert not is_formula(escaped(text))
    number = as_number(text)
    assert number is None or escaped(text) == text


@given(text=TEXTS)
@FEW
def test_a_formula_is_escaped_and_comes_back(text):
    tries_text(text)


@pytest.mark.slow
@given(text=TEXTS)
@MANY
def test_many_formulas_are_escaped_and_come_back(text):
    tries_text(text)


@pytest.mark.parametrize("number", ["-1.5", "+1", "-1e-3", "-.5", "12"])
def test_numbers_stay_numbers(number):
    assert escaped(number) == number


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@given(name=TEXTS, levels=st.lists(TEXTS, min_size=1, max_size=5))
@FEW
def test_a_table_comes_back_whatever_its_names_and_levels(tmp_path, suffix, name, levels):
    file = save_table(
        tmp_path / f"t{suffix}", {"first": np.arange(len(levels)) - 1.5, f"{name}.": levels, name: levels}
    )
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text, delimiter="," if suffix == ".csv" else "\t"))
    assert not [cell for row in rows for cell in row if is_formula(cell)]
    if name.strip():  # a name of blanks is refused where it is read
        read = read_table(file)
        assert read.columns[name.strip()].values.tolist() == levels
        assert read.columns["first"].values.tolist()[0] == "-1.5"


@given(name=TEXTS)
@FEW
def test_titles_of_estimates_are_no_formulas(name):
    (header, *_), *_ = csv.reader(columns_text({name: [-1.5]}).splitlines(keepends=True))
    assert not is_formula(header)
    assert columns_text({"a": [-1.5]}) == "a\n-1.5\n"


@pytest.fixture(scope="module")
def tags():
    """Return the tags of a page of harmless words."""
    return Tags(page("harmless words, which take a line: no more")).found


@given(text=TEXTS)
@FEW
def test_a_page_holds_no_tag_of_a_text(tags, text):
    assert Tags(page(text)).found <= tags


@pytest.mark.slow
@given(text=TEXTS)
@MANY
def test_many_pages_hold_no_tag_of_a_text(tags, text):
    assert Tags(page(text)).found <= tags


@pytest.mark.slow
def test_commands_write_nothing_that_runs_and_nothing_outside(tmp_path):
    rng = np.random.default_rng(0)
    inside = tmp_path / "inside"
    columns = {name: rng.normal(size=60) for name in NAMES[:5]} | {"<i>levels": rng.choice(LEVELS, 60).tolist()}
    save_table(inside / "t.csv", columns)
    small = ["--latent", "2", "--hidden", "8", "--epochs", "1", "--compiled", "no"]
    succeeds("train", "--data", "t.csv", "--out", "run", *small, cwd=inside)
    succeeds("evaluate", "run", "--particles", "5", "--check", "0", cwd=inside)
    succeeds("report", "run", "--out", "r.html", "--limit", "5", "--particles", "5", cwd=inside)
    succeeds("score", "run", "t.csv", "--out", "s.csv", "--particles", "5", "--reference", "0", cwd=inside)
    succeeds("sample", "run", "--n", "20", "--out", "drawn.csv", cwd=inside)
    succeeds("impute", "run", "t.csv", "--out", "filled.csv", "--particles", "5", cwd=inside)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    for file in inside.rglob("*.csv"):
        with file.open(encoding="utf-8", newline="") as text:
            assert not [cell for row in csv.reader(text) for cell in row if is_formula(cell)], file
    found = Tags((inside / "r.html").read_text(encoding="utf-8")).found
    assert not {tag for tag in found if tag.split()[0] in {"script", "b", "i"} or " on" in tag}
    drawn = obsvae.load(inside / "drawn.csv")
    assert [column.name for column in drawn.columns] == [*columns]
    assert set(read_table(inside / "filled.csv").columns["<i>levels"].values.tolist()) == set(LEVELS)
