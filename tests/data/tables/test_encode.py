"""Tables as numbers, in training and in scoring."""

import numpy as np
import pytest

from obsvae.data.tables.encode import encode_rows
from obsvae.data.tables.schemas.schema import Schema, schema_from
from obsvae.data.tables.stored import stored_table, stored_tables
from obsvae.errors import UsageError
from tests.data.tables.tables import numbers, table, texts

rng = np.random.default_rng(1)
N = 40
HEIGHT = [f"{value:.1f}" for value in rng.normal(170, 10, N)]
SEX = [*"fm", *rng.choice(["f", "m"], N - 2)]
CHILDREN = [0, 1, 2, *rng.poisson(2, N - 3)]
PEOPLE = table(height=[None, *HEIGHT[1:]], sex=SEX, children=CHILDREN)


def refused(read, *arguments):
    with pytest.raises(UsageError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_table_becomes_numbers_with_nan_where_they_are_missing():
    stored, schema = stored_table(PEOPLE)
    assert stored.names == ("height", "sex", "children")
    assert stored.x.dtype == np.float32
    assert np.isnan(stored.x[0, 0])
    assert stored.x[1:, 0].tolist() == [np.float32(value) for value in HEIGHT[1:]]
    assert stored.x[:, 1].tolist() == [float(sex == "m") for sex in SEX]
    assert stored.x[:, 2].tolist() == CHILDREN
    assert stored.has_missing
    assert [column.name for column in stored.columns] == list(stored.names)
    assert {split: len(rows) for split, rows in stored.rows.items()} == {"train": 32, "validation": 4, "test": 4}
    again, full = stored_table(PEOPLE, schema_from(schema.to_mapping()))
    assert np.array_equal(again.x, stored.x, equal_nan=True)
    assert (again.columns, full) == (stored.columns, schema)


def test_holes_are_allowed_where_there_are_none():
    assert stored_table(table(height=HEIGHT, sex=SEX))[0].has_missing


def test_labels_and_splits_come_from_columns():
    splits = ["train"] * 30 + ["validation"] * 4 + ["test"] * 6
    schema = schema_from({"columns": {"sex": {"role": "label"}, "part": {"role": "split"}}})
    stored, full = stored_table(table(height=HEIGHT, sex=SEX, part=splits), schema)
    assert stored.names == ("height",)
    assert stored.label_names == ("f", "m")
    assert stored.labels.tolist() == [int(sex == "m") for sex in SEX]
    assert stored.rows["test"].tolist() == list(range(34, 40))
    assert full.columns["sex"].levels == ("f", "m")
    assert "needs train, validation, test" in refused(
        stored_table, table(height=HEIGHT, sex=SEX, part=["Train", *splits[1:]]), schema
    )
    assert "has none" in refused(stored_table, table(height=HEIGHT, sex=[None, *SEX[1:]], part=splits), schema)
    two = schema_from({"columns": {"sex": {"role": "label"}, "part": {"role": "label"}}})
    assert "'part' have this role" in refused(stored_table, table(height=HEIGHT, sex=SEX, part=splits), two)


def test_given_splits_win():
    rows = {"train": np.arange(10), "validation": [10], "test": [11]}
    assert stored_table(PEOPLE, None, rows)[0].rows["train"].tolist() == list(range(10))


def test_a_table_for_each_split():
    def part(rows, **others):
        return table(others.pop("source", "'a.csv'"), height=[HEIGHT[i] for i in rows], sex=[SEX[i] for i in rows])

    parts = {"train": part(range(30)), "validation": part(range(30, 33)), "test": part(range(33, 40))}
    stored, _ = stored_tables(parts)
    whole, _ = stored_table(table(height=HEIGHT, sex=SEX))
    assert np.array_equal(stored.x, whole.x)
    assert stored.rows["validation"].tolist() == [30, 31, 32]
    assert [stored.row_names[i] for i in stored.rows["validation"]] == ["validation 0", "validation 1", "validation 2"]
    gone = table("'b.csv'", height=HEIGHT[:3])
    message = refused(stored_tables, {**parts, "validation": gone})
    assert "'b.csv' needs the columns of 'a.csv'" in message
    assert "'sex'" in message
    assert "exactly train, validation, test" in refused(stored_tables, {"train": parts["train"]})
    mixed = {**parts, "test": table(height=numbers([float(value) for value in HEIGHT[33:]]), sex=SEX[33:])}
    assert np.array_equal(stored_tables(mixed)[0].x, whole.x)


def test_new_rows_have_the_levels_and_columns_of_the_old():
    _, schema = stored_table(PEOPLE)
    new = table(
        "'new.csv'", row_names=("r0", "r1"), extra=["?", "x"], children=[3, 4], sex=["m", None], height=[180, 190]
    )
    encoded = encode_rows(new, schema)
    assert np.array_equal(encoded.x, np.array([[180, 1, 3], [190, np.nan, 4]], np.float32), equal_nan=True)
    assert encoded.ignored == ("extra",)
    assert encoded.row_names == ("r0", "r1")
    assert [column.name for column in encoded.columns] == ["height", "sex", "children"]


def test_a_level_may_be_written_as_another_number():
    _, schema = stored_table(table(x=[1, 2] * 10, y=HEIGHT[:20]))
    assert encode_rows(table(x=["1.0", " 2"], y=[1.5, 2.5]), schema).x[:, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("column", "said", "words"),
    [
        ({"sex": ["f", "F"]}, {}, ["column 'sex'", "row 1", "'F'", "'f', 'm'"]),
        ({"height": ["170", "tall"]}, {}, ["column 'height'", "needs numbers", "row 1", "'tall'", "missing"]),
        ({"height": ["170", "inf"]}, {}, ["'height'", "row 1", "'inf'"]),
        ({"height": ["170", "1e39"]}, {}, ["'height'", "row 1", "1e+39", "float32"]),
        ({"height": ["170", "300"]}, {"height": {"bounds": [0, 250]}}, ["'height'", "row 1", "300", "0 to 250"]),
        ({"height": ["170", "170.05"]}, {"height": {"grid": 0.1}}, ["'height'", "row 1", "170.05", "multiples of 0.1"]),
        ({"children": [1, 2.5]}, {}, ["'children'", "row 1", "2.5", "multiples of 1"]),
    ],
)
def test_new_rows_that_do_not_fit(column, said, words):
    _, schema = stored_table(PEOPLE, schema_from({"columns": said}))
    rows = {"height": texts(170, 180), "sex": texts("f", "m"), "children": texts(1, 2)}
    new = table("'new.csv'", **{**rows, **{name: texts(*values) for name, values in column.items()}})
    message = refused(encode_rows, new, schema)
    assert all(word in message for word in ["'new.csv'", "counted from 0", *words]), message


def test_a_column_that_is_gone():
    _, schema = stored_table(PEOPLE)
    message = refused(encode_rows, table("'new.csv'", hieght=[1], sex=["f"], children=[1]), schema)
    assert all(word in message for word in ["'new.csv' lacks column 'height'", "did you mean 'hieght'?"])


def test_many_levels_are_told_in_part():
    _, schema = stored_table(table(x=[f"l{i:02}" for i in range(20)] * 3, y=rng.normal(size=60)))
    assert "'l09' and 10 more" in refused(encode_rows, table(x=["z"], y=[1]), schema)


def test_a_schema_that_is_not_complete_encodes_nothing():
    assert "complete schema" in refused(encode_rows, PEOPLE, schema_from({"columns": {"height": {}}}))


def test_tables_that_nobody_could_train_on():
    assert "at least 10 rows" in refused(stored_table, table(x=range(9)))
    assert "needs a column to observe" in refused(stored_table, table(x=["a"] * 20))
    seconds = [f"{1.4e9 + i:.1f}" for i in rng.random(N)]
    assert "float32 can tell apart" in refused(stored_table, table(t=seconds, y=HEIGHT))
    assert "'x', 'y'" in refused(
        stored_table, table(x=HEIGHT, y=SEX), Schema(schema_from({"columns": {"z": {}}}).columns)
    )


def test_a_step_that_the_data_do_not_have_counts_from_0():
    thirds = schema_from({"columns": {"x": {"grid": 0.3}}})
    message = refused(stored_table, table(x=[0.1, 0.3, 0.6, 0.9, 1.2] * 3), thirds)
    assert all(word in message for word in ["multiples of 0.3", "row 0", "has 0.1 (2 more like it)"]), message


def test_rounding_errors_are_no_reason_to_be_off_the_grid():
    tenths = rng.integers(1, 5000, N) / 10
    schema = schema_from({"columns": {"x": {"grid": 0.1}}})
    rough = stored_table(table(x=numbers(tenths.astype(np.float32).astype(float))), schema)[0]
    assert np.array_equal(rough.x, stored_table(table(x=tenths), schema)[0].x)
    assert rough.x[:, 0].tolist() == tenths.astype(np.float32).tolist()
