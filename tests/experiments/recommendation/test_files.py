"""The files of a recommendation: whole, readable by others, and true to it."""

import html
import json
import re
import shlex
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from obsvae.cli.train import main as train
from obsvae.data import Grid, load
from obsvae.data.tables.schemas.toml import read_schema
from obsvae.errors import UsageError
from obsvae.experiments.recommendation.candidates import questions
from obsvae.experiments.recommendation.say.command import command
from obsvae.experiments.recommendation.say.files import save
from obsvae.experiments.recommendation.say.page import page
from obsvae.experiments.recommendation.say.pictures import marginals, ranking
from obsvae.experiments.recommendation.say.plain import plain
from obsvae.experiments.recommendation.say.schema import schema_text
from obsvae.experiments.recommendation.say.text import markdown, printed
from obsvae.model import make_observation
from tests.experiments.recommendation.made import (
    MISFITS,
    answer,
    clear,
    contender,
    dropped,
    look,
    tied,
    whole,
)
from tests.tables import COLUMNS, mixed

# What HTML, Markdown, TOML and matplotlib would take for more than itself.
HARD = 'a|b, <i>"x"</i> & $y_1$ *é∞* \\ `c`'


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return a table in a file, with a column that is ignored and a label."""
    rng = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("data") / "the people.csv"
    income, age = np.exp(rng.normal(3, 1, 120)), rng.normal(40, 10, 120).round(1)
    quoted = '"' + HARD.replace('"', '""') + '"'
    rows = [
        f"{i},{a:.4f},{b:.1f},{'yes' if a > 20 else 'no'}" for i, (a, b) in enumerate(zip(income, age, strict=True))
    ]
    file.write_text(f"id,income,{quoted},rich\n" + "\n".join(rows) + "\n", encoding="utf-8")
    schema = {"columns": {"id": {"role": "ignore"}, "rich": {"role": "label"}, "income": {"unit": "EUR"}}}
    return load(file, schema={**schema, "missing": ["none"]})


@pytest.fixture(scope="module")
def both():
    grid = Grid(0.0, 0.1, None)
    return whole(clear(), replace(tied(HARD), question=replace(tied(HARD).question, grid=grid)))


def pictures_of(page):
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(found) == page.count("<img")
    assert all(png.startswith("iVBOR") for png in found)
    return found


def test_all_files_say_the_same(people, both, tmp_path):
    draws = {"income": np.exp(np.random.default_rng(1).normal(3, 1, 200)), HARD: np.full(50, 40.0)}
    files = save(both, people, tmp_path / "rec", draws)
    names = ["recommendation.html", "recommendation.md", "recommendation.json", "schema.toml"]
    assert [file.name for file in files] == names
    assert {file.name for file in (tmp_path / "rec").iterdir()} == set(names)  # and no half of one
    shown, text = (file.read_text(encoding="utf-8") for file in files[:2])
    read = json.loads(files[2].read_text(encoding="utf-8"))
    assert (
        html.unescape(shown).count("Take log-normal for income: better than gamma by 0.31 ± 0.04 nats a row") == 3
    )  # the answer, its section, and the schema
    assert "- Take log-normal for income: better than gamma by 0.31 ± 0.04 nats a row (0.45 bits)" in text
    assert read["sentences"][0].startswith("Take log-normal for income")
    assert [one["take"] for one in read["answers"]] == ["log-normal", "normal"]
    assert read["command"] in html.unescape(shown)
    assert read["command"] in text
    # Warnings stand first, the page is whole, and needs nothing else.
    assert shown.index("3 values are -999") < shown.index("Take log-normal")
    assert text.index("3 values are") < text.index("Take log-normal")
    assert not re.search(r'(src|href)="(?!data:|#)', shown)
    assert HARD not in shown  # but escaped
    assert HARD in html.unescape(shown.replace("<wbr>", ""))
    assert len(pictures_of(shown)) == 1 + 2 * 2


def test_the_schema_holds_the_choice_with_its_reason(people, both, tmp_path):
    save(both, people, tmp_path / "rec")
    file = tmp_path / "rec/schema.toml"
    schema = read_schema(file)
    assert schema.columns["income"].observation == "log-normal"
    assert schema.columns["income"].unit == "EUR"
    assert schema.columns[HARD].observation == "normal"
    assert schema.columns[HARD].grid == (None, 0.1)
    assert schema.columns["id"].role == "ignore"
    assert schema.columns["rich"].role == "label"
    assert "none" in schema.missing
    text = file.read_text(encoding="utf-8")
    above = text[: text.index("[columns.income]")]
    assert "# Take log-normal for income: better than gamma by 0.31" in above
    assert "# positive and skewed" in above
    assert "# Ranked by density in data units" in above
    again = load(people.name, schema=file)
    columns = {column.name: column for column in again.columns or ()}
    assert columns[HARD].grid == Grid(0.0, 0.1, None)
    assert columns["income"].observation == "log-normal"


@pytest.mark.slow
def test_the_command_trains(people, both, tmp_path, monkeypatch):
    save(both, people, tmp_path / "rec")
    line = shlex.split(json.loads((tmp_path / "rec/recommendation.json").read_text(encoding="utf-8"))["command"])
    assert line[:2] == ["obsvae", "train"]
    monkeypatch.chdir(tmp_path)
    train([*line[2:], "--epochs", "1", "--out", "run"])
    config = json.loads((tmp_path / "run/config.json").read_text(encoding="utf-8"))
    assert (config["latent"], config["hidden"]) == (4, [32, 32])


def test_a_schema_goes_with_its_own_table(people, both):
    with pytest.raises(UsageError, match="column 'other', which"):
        schema_text(whole(clear("other")), people)
    with pytest.raises(UsageError, match="is none: train it with --observation"):
        schema_text(both, load(np.random.default_rng(0).normal(size=(30, 2))))


@pytest.mark.parametrize(
    ("column", "winner", "said"),
    [
        ("colour", "ordinal", {"levels": ["blue", "green", "red", "white"]}),
        ("visits", "poisson", {"grid": 1}),
        ("share", "beta", {"bounds": [0, 2], "grid": False}),
        ("grade", "normal", {}),  # no longer levels
        ("visits", "categorical:categories=7", {"observation": "categorical"}),
        ("length, mm", "beta", {"bounds": [0, 1]}),  # which nobody has declared
        ("length, mm", "von-mises", {"bounds": [-np.pi, np.pi]}),
    ],
)
def test_a_choice_of_another_kind_leaves_a_schema_that_fits_together(column, winner, said):
    data = replace(mixed(60), schema={"columns": {}})
    grid = Grid(0.0, 1.0, None) if column == "visits" else None
    text = schema_text(whole(answer(column, [contender(winner)], winner, grid=grid, look=look(high=1.0))), data)
    found = tomllib.loads(text)["columns"][column]
    expected = {"observation": winner, **said}
    assert {key: found[key] for key in expected} == expected
    assert ("levels" in found) == ("levels" in said)


def test_of_an_array_the_command_tells_how_it_is_seen():
    data = load("digits", binarise="threshold", bounds=(0, 16), seed=3)
    found = whole(answer("", [contender("bernoulli")], winner="bernoulli"), observation="bernoulli:x=a b", training={})
    assert command(found, data, None) == (
        "obsvae train --data digits --observation 'bernoulli:x=a b' --binarise threshold --bounds 0 16 --data-seed 3 "
        "--latent 4 --hidden 32 32"
    )
    assert "--data DATA" in command(found, load(np.zeros((30, 2)) + np.arange(30)[:, None]), None)
    assert "--standardise" in command(found, load("digits", scaling="standardise"), None)
    files = {split: f"{split} 1.csv" for split in ("train", "validation", "test")}
    assert "--data 'train 1.csv' 'validation 1.csv' 'test 1.csv' --observation" in command(
        found, replace(data, recipe={"name": files}), None
    )


def test_the_command_declares_a_grid_that_looking_has_found(tmp_path):
    levels = np.arange(40 * 20).reshape(40, 20) % 17
    np.save(tmp_path / "x.npy", levels / np.float32(16))
    data = load(tmp_path / "x.npy")
    (question,) = questions(data)
    assert data.grid is None
    assert question.grid is not None
    winner = "discretised:inner=normal"
    said = command(whole(answer("", [contender(winner)], winner, grid=question.grid), observation=winner), data, None)
    words = shlex.split(said)
    low, step, count = (float(word) for word in words[words.index("--grid") + 1 :][:3])
    again = load(tmp_path / "x.npy", grid=(low, step, count))
    assert again.grid == question.grid
    assert make_observation(winner, again)


def test_of_an_array_there_is_no_schema_and_images_are_shown(tmp_path):
    data = load("digits")
    found = answer("", [contender("categorical"), contender("normal", -20.0)], winner="categorical", grid=data.grid)
    draws = {"": data.train[:50].numpy()}
    files = save(whole(found, observation="categorical", warnings=()), data, tmp_path, draws)
    assert {file.suffix for file in files} == {".html", ".md", ".json"}
    shown = files[0].read_text(encoding="utf-8")
    assert len(pictures_of(shown)) == 4  # values, images, ranking, learning
    assert "Held-out data above draws" in shown
    assert "<h2>Candidates</h2>" in shown
    assert shown.count("Take categorical") == 1
    (figure,) = marginals([found], data, draws)
    assert figure.axes[0].get_xlabel() == "x"


def test_json_holds_no_nan_and_the_keys_that_are_documented(people, tmp_path):
    broken = contender("gamma", float("nan"), float("nan"), nats=np.float32(np.nan), seconds=np.float64(3.0))
    shown = look(tail=np.inf)
    found = whole(answer("income", [contender("log-normal"), broken, dropped("beta")], look=shown))
    *_, file, _ = save(found, people, tmp_path)
    read = json.loads(file.read_text(encoding="utf-8"))
    told = {word for words in re.findall(r"``(\w+)``", plain.__doc__ or "") for word in [words]}
    (one,) = read["answers"]
    assert set(read) | set(one) | set(one["contenders"][0]) <= told
    assert one["contenders"][1]["to_choice"] == {"mean": None, "standard_error": None}
    assert one["contenders"][1]["nats_per_datum"] is None
    assert one["contenders"][2]["to_choice"] is None
    assert one["contenders"][2]["dropped"].startswith("screened")
    assert one["look"]["tail"] is None
    assert [len(curve["score"]) for curve in one["contenders"][0]["curves"]] == [20, 20]


def test_what_is_printed_tells_one_column_by_its_contenders_and_many_by_a_line_each():
    one = printed(whole(clear(misfits=MISFITS)))
    assert one.startswith("warning: column 'income'")
    assert one.index("Take log-normal") < one.index("observation") < one.index("Even so, log-normal misses: 48.7 %")
    assert max(map(len, one.splitlines()[3:9])) < 120
    few = printed(whole(clear("a", misfits=MISFITS[:1]), tied("b")))
    assert few.endswith(f"a: Even so, log-normal misses: {MISFITS[0].text}")
    many = [clear(f"column {i}") for i in range(199)] + [tied("new\nline")]
    lines = printed(whole(*many, warnings=())).splitlines()
    assert lines[0].startswith("Of 200 columns, take log-normal for 199 and normal for 1.")
    rows = [line for line in lines if line.startswith("column ") and "take" not in line]
    assert [row.split("  ")[0] for row in rows] == [f"column {i}" for i in range(199)]
    assert lines[-1].startswith("new line ")
    assert len(lines) < 210


def test_a_recommendation_prints_and_draws_itself():
    found = whole(clear("a"), answer("b", [contender("categorical", curves=())], winner="categorical"))
    assert str(found) == printed(found)
    assert set(found.figures("a")) == {"ranking", "learning"}
    assert found.figures("b") == {}
    with pytest.raises(UsageError, match="column"):
        found.figures("c")


def test_markdown_shows_names_as_they_are():
    text = markdown(whole(clear(), tied(HARD)), "obsvae train")
    row = next(line for line in text.splitlines() if line.startswith("| a\\|b"))
    header = next(line for line in text.splitlines() if line.startswith("| column"))
    assert len(re.findall(r"(?<!\\)\|", row)) == header.count("|")
    assert "<i>" not in text.replace("\\<i>", "")


def test_a_page_of_many_columns_stays_small(monkeypatch):
    monkeypatch.setattr("obsvae.experiments.recommendation.say.page.DRAWN", 2)
    answers = [clear(f"x{i}") for i in range(5)]
    answers[3] = answer("x3", [contender("log-normal"), contender("normal", -900.0)])
    answers[0] = answer("x0", [contender("log-normal")])
    shown = page(whole(*answers), mixed(60), {}, "obsvae train", None)
    assert "of the 2 columns whose choice is worth most; the other 3 have their table alone" in shown
    sections = re.split(r'<section id="question-', shown)[1:]
    assert [section.count("<img") for section in sections] == [0, 2, 0, 2, 0]
    assert len(re.findall('href="#question-', shown)) == len(answers)


def test_figures_are_left_out_where_there_is_nothing_to_draw():
    data = mixed(200)
    assert ranking(answer("x", [contender("gamma")], winner="gamma")) is None
    without = answer("x", [replace(contender("gamma"), final=None), contender("beta", -1.0)], winner="gamma")
    figure = ranking(without)
    assert figure is not None
    assert "to the choice" in figure.axes[0].get_xlabel()
    assert len(figure.axes[0].get_yticks()) == 2
    neither = [replace(one, final=None) for one in without.contenders]
    figure = ranking(replace(without, contenders=neither))
    assert figure is not None
    assert "to the choice" in figure.axes[0].get_xlabel()
    assert marginals([clear("price")], data, {}) == []
    assert marginals([clear("price")], data, {"price": np.full(3, np.nan)}) == []
    answers = [clear(column.name) for column in COLUMNS]
    draws = {column.name: data.train[:, d].numpy() for d, column in enumerate(COLUMNS)}
    (figure,) = marginals(answers, data, draws)
    assert [axes.get_xlabel() for axes in figure.axes[:3]] == ["length, mm", "price [USD]", "share"]
    assert len(marginals(answers * 2, data, draws)) == 2
