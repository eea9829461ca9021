"""Tables by `load`."""

import json

import numpy as np
import pytest
import torch

from obsvae.data import Kind, load
from obsvae.data.tables.schemas.toml import read_schema
from obsvae.errors import UsageError

rng = np.random.default_rng(4)
N = 60
TEXT = "\n".join(
    [
        '"weight, kg",sex,größe,age,class',
        *(
            f"{w:.2f},{s},{'' if i % 7 == 0 else g},{a},{c}"
            for i, (w, s, g, a, c) in enumerate(
                zip(
                    rng.normal(70, 10, N),
                    rng.choice(["f", "m"], N),
                    rng.choice(["S", "M", "L"], N),
                    rng.integers(18, 90, N),
                    rng.choice(["x", "y", "z"], N),
                    strict=True,
                )
            )
        ),
    ]
)
SCHEMA = {"columns": {"größe": {"observation": "ordinal", "levels": ["S", "M", "L"]}, "class": {"role": "label"}}}


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


def refused(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_table_has_columns(people):
    data = load(people, schema=SCHEMA)
    assert data.names == ("weight, kg", "sex", "größe", "age")
    assert [column.kind for column in data.columns] == [Kind.POSITIVE, Kind.BINARY, Kind.ORDINAL, Kind.POSITIVE]
    assert (data.bounds, data.grid, data.has_missing, data.unit_shape) == (None, None, True, (4,))
    assert data.label_names == ("x", "y", "z")
    assert set(data.labels["train"].tolist()) == {0, 1, 2}
    assert [len(data.split(split)) for split in ("train", "validation", "test")] == [48, 6, 6]
    row = int(data.rows["test"][0])
    values = TEXT.splitlines()[1 + row].split(",")
    assert float(data.test[0, 0]) == pytest.approx(float(values[0]))
    assert float(data.test[0, 3]) == float(values[3])


def test_the_recipe_gives_the_same_again(people):
    data = load(people, schema=SCHEMA)
    recipe = json.loads(json.dumps(data.recipe))
    assert list(recipe) == ["name", "schema"]
    again = load(**recipe)
    assert again.fingerprint == data.fingerprint
    assert (again.columns, again.recipe, again.name) == (data.columns, data.recipe, str(people))
    assert torch.equal(again.labels["test"], data.labels["test"])


def test_a_schema_may_be_a_file(people):
    file = people.with_name("schema.toml")
    file.write_text(
        'columns."größe" = {observation = "ordinal", levels = ["S", "M", "L"]}\ncolumns.class.role = "label"\n'
    )
    assert load(people, schema=file).recipe == load(str(people), schema=read_schema(file)).recipe
    assert load(people, schema=str(file)).columns == load(people, schema=SCHEMA).columns
    assert "needs the path of a TOML file" in refused(people, schema=3)


def test_a_data_frame_is_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"w": rng.normal(size=N), "g": rng.choice(["a", "b", "c"], N)}, index=[f"r{i}" for i in range(N)]
    )
    data = load(frame, splits={"train": np.arange(40), "validation": np.arange(40, 50), "test": np.arange(50, 60)})
    assert data.recipe is None
    assert data.row_names[50] == "r50"
    assert data.test[:, 0].tolist() == frame["w"].to_numpy()[50:].astype(np.float32).tolist()
    assert data.columns[1].levels == ("a", "b", "c")


def test_a_file_for_each_split(people):
    lines = TEXT.splitlines()
    paths = {}
    for split, rows in {"train": lines[1:41], "validation": lines[41:51], "test": lines[51:]}.items():
        paths[split] = people.with_name(f"{split}.csv")
        paths[split].write_text("\n".join([lines[0], *rows]), encoding="utf-8")
    data = load(paths, schema=SCHEMA)
    assert [len(data.split(split)) for split in paths] == [40, 10, 10]
    assert data.test[:, 3].tolist() == [float(line.split(",")[3]) for line in lines[51:]]
    again = load(**json.loads(json.dumps(data.recipe)))
    assert again.fingerprint == data.fingerprint
    assert "leave splits out" in refused(paths, splits={})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"binarise": "static"}, ["binarise does not go with a table"]),
        ({"scaling": "standardise"}, ["scaling does not go with a table", "a scale of its own"]),
        ({"bounds": (0, 1)}, ["bounds in the schema"]),
        ({"missing": True}, ["may always be missing"]),
        ({"labels": [1]}, ['role = "label"']),
        ({"names": ["a"]}, ["names of its own"]),
        ({"units": "all"}, ["unit of its own"]),
        ({"schema": {"columns": {"Sex": {}}}}, ["lacks", "'Sex'", "did you mean 'sex'?"]),
        ({"schema": {"columns": {"sex": {"levels": ["f", "d"]}}}}, ["column 'sex'", "row ", "'m'", "'f', 'd'"]),
    ],
)
def test_what_does_not_go_with_a_table(people, options, words):
    said = refused(people, **options)
    assert all(word in said for word in words), said
