"""Conditions: their roles, their encoding from training rows, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch

from obsvae.data import load
from obsvae.data.conditions import Condition, ConditionValues, constant
from obsvae.errors import UsageError

N = 120


@pytest.fixture
def frame():
    g = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "length": g.normal(10, 2, N),
            "count": g.poisson(3, N),
            "dose": g.lognormal(0, 1, N),
            "age": g.normal(50, 9, N),
            "sex": g.choice(["f", "m"], N),
            "hours": g.gamma(2, 1, N),
        }
    )


def test_numbers_are_standardised_and_levels_are_told_apart_by_training_rows(frame):
    data = load(frame, conditions=["age", "sex"])
    assert data.names == ("length", "count", "dose", "hours")
    assert data.given["train"].shape == (len(data.train), 3)
    rows = data.rows["train"].numpy()
    age = frame["age"].to_numpy()
    expected = (age[data.rows["test"]] - age[rows].mean()) / age[rows].std()
    assert np.allclose(data.given["test"][:, 0].numpy(), expected, atol=1e-6)
    assert [one.levels for one in data.conditions] == [None, ("f", "m")]
    is_male = frame["sex"].to_numpy()[rows] == "m"
    assert torch.equal(data.given["train"][:, 1:], torch.tensor(np.stack([~is_male, is_male], 1), dtype=torch.float32))


def test_skewed_positive_numbers_are_seen_by_their_logarithm(frame):
    dose, age = load(frame, conditions=["dose", "age"]).conditions
    assert dose.is_log
    assert not age.is_log
    both = load(frame.assign(dose=-frame["dose"]), conditions=["dose"]).conditions
    assert not both[0].is_log


def test_a_constant_number_is_seen_as_0(frame):
    for value in (7.0, 0.1, 1e9 / 3):
        data = load(frame.assign(age=value), conditions=["age"])
        assert not data.given["train"].any()
        (age,) = data.conditions
        assert (age.mean, age.spread) == (value, 1.0)


def test_a_schema_declares_conditions_and_an_offset_which_stands_last(frame):
    schema = {"columns": {"hours": {"role": "offset"}, "sex": {"role": "condition"}, "age": {"role": "condition"}}}
    frame = frame[["hours", "length", "count", "sex", "age"]]
    data = load(frame, schema=schema)
    assert [one.name for one in data.conditions] == ["sex", "age", "hours"]
    hours = np.log(frame["hours"].to_numpy())
    offset = data.given["test"][:, -1].numpy()
    assert np.allclose(offset, hours[data.rows["test"]] - hours[data.rows["train"]].mean(), atol=1e-6)
    assert load(frame, schema=load(frame, schema=schema).schema).conditions == data.conditions


def test_labels_of_images_are_a_condition():
    data = load("digits", conditions=["label"])
    assert torch.equal(data.given["test"].argmax(1), data.labels["test"])
    assert load(**data.recipe).fingerprint == data.fingerprint != load("digits").fingerprint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="age"), "lacks column 'age', which is to be a condition"),
        (
            lambda f: f.assign(age=f["age"].where(f.index != 7)),
            "column 'age': a condition may not be missing, but row 7",
        ),
        (
            lambda f: f.assign(age=f["sex"].where(f.index != 7)),
            "column 'age': a condition may not be missing, but row 7",
        ),
    ],
)
def test_a_condition_may_not_be_missing(frame, change, words):
    with pytest.raises(UsageError, match=words):
        load(change(frame), conditions=["age"])


def test_a_level_that_no_training_row_has_is_refused_by_name_and_row(frame):
    row = int(load(frame).rows["test"][3])
    changed = frame.assign(sex=frame["sex"].where(frame.index != row, "x"))
    with pytest.raises(UsageError, match=rf"'sex': needs a level that training rows have, 'f', 'm'; row {row} .* 'x'"):
        load(changed, conditions=["sex"])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"hours": {"role": "offset"}, "dose": {"role": "offset"}}, "one column can be the offset"),
        ({"hours": {"role": "condition", "observation": "gamma"}}, "observation goes with a column that is predicted"),
        ({"hours": {"role": "offset", "levels": ["1", "2"]}}, "levels goes with a column that is predicted"),
        ({"sex": {"role": "offset"}}, "column 'sex': needs numbers"),
        ({"length": {"role": "offset"}}, "needs positive numbers, an exposure is positive; row 7"),
    ],
)
def test_schemas_that_do_not_fit_are_refused(frame, said, words):
    with pytest.raises(UsageError, match=words):
        load(frame.assign(length=frame["length"].where(frame.index != 7, 0.0)), schema={"columns": said})


@pytest.mark.parametrize(
    ("data", "conditions", "words"),
    [
        ("digits", ["lable"], "the labels alone can be one"),
        ("digits", "label", "a list of names"),
        (np.arange(30.0).reshape(15, 2), ["label"], "has no labels"),
    ],
)
def test_names_that_are_no_conditions_are_refused(data, conditions, words):
    with pytest.raises(UsageError, match=words):
        load(data, conditions=conditions)


def test_a_condition_is_the_same_after_json(frame):
    for one in load(frame, conditions=["dose", "sex"]).conditions:
        assert Condition.from_json(one.to_json()) == one


def test_new_numbers_without_the_logarithm_are_refused():
    train = ConditionValues("dose", np.geomspace(0.01, 100, 50))
    known = Condition.of(train, np.arange(50))
    assert known.is_log
    with pytest.raises(UsageError, match=r"'dose': needs positive numbers, .*; row 1 .* has -2"):
        known.encode(ConditionValues("dose", np.array([1.0, -2.0])), "rows")


def test_to_moves_conditions(frame):
    moved = load(frame, conditions=["age"]).to("meta")
    assert {c.device.type for c in moved.given.values()} == {"meta"}


def test_a_zero_in_any_row_leaves_the_logarithm_out(frame):
    data = load(frame, conditions=["dose"])
    assert data.conditions[0].is_log
    frame.loc[int(data.rows["test"][0]), "dose"] = 0.0
    again = load(frame, conditions=["dose"])
    assert not again.conditions[0].is_log
    assert torch.isfinite(again.given["test"]).all()


def test_huge_numbers_are_refused(frame):
    with pytest.raises(UsageError, match=r"condition 'age' needs numbers of at most 1e\+15 in size, but has 1e\+300"):
        load(frame.assign(age=1e300), conditions=["age"])


@pytest.mark.parametrize("role", ["split", "label", "offset"])
def test_a_column_with_another_role_is_no_condition(frame, role):
    frame = frame.assign(part=np.where(np.arange(N) < 80, "train", np.where(np.arange(N) < 100, "validation", "test")))
    name = "part" if role == "split" else "hours"
    with pytest.raises(UsageError, match=f"column '{name}' is to be a condition, but the schema says that its role"):
        load(frame, schema={"columns": {name: {"role": role}}}, conditions=[name])


def test_a_whole_number_stands_for_the_level_that_is_written_so(frame):
    site = Condition("site", ("1", "2"))
    for value in (2, 2.0, np.float32(2), "2"):
        assert constant([site], {"site": value}, 3)["site"].values.tolist() == [1, 1, 1]
    with pytest.raises(UsageError, match=r"got '2\.5'"):
        constant([site], {"site": 2.5}, 3)
