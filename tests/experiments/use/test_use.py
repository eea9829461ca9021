"""Rows scored, filled, encoded, reproduced and drawn, as Python does it."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.data.tables.write import save_table
from obsvae.errors import UsageError
from obsvae.experiments import load_run, train_run
from obsvae.experiments.use.column_scores import column_scores
from obsvae.experiments.use.rows import rows_for
from obsvae.experiments.use.scores import score_rows
from obsvae.experiments.use.values import encode_rows, impute_rows, reproduce_rows, sample_rows
from tests.experiments.use.conftest import HEADER, people, write

QUICK = {"particles": 100, "progress": False}


def rows(run, tmp_path, texts, header=HEADER):
    return rows_for(run, write(tmp_path / "new.csv", texts, header))


def test_columns_may_stand_in_another_order_and_others_be_there(run, tmp_path):
    texts = people(20, seed=1)
    one = rows(run, tmp_path, texts)
    order = [3, 0, 2, 1, 4]
    other = rows(
        run, tmp_path, [[*(row[i] for i in order), "x"] for row in texts], [*(HEADER[i] for i in order), "new"]
    )
    assert torch.equal(one.x.nan_to_num(), other.x.nan_to_num())
    assert other.ignored == ("new",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.__setitem__(1, "highest"), r"column 'the \"grade\"'.*row 2 .*'highest'"),
        (lambda row: row.__setitem__(0, "tall"), r"column 'height, cm'.*row 2 .*'tall'"),
        (lambda row: row.__setitem__(3, "2.5"), r"column 'visits'.*row 2 .*2\.5"),
        (lambda row: row.__setitem__(3, "-1"), r"column 'visits'.*found -1 in row 2"),
    ],
)
def test_rows_that_the_schema_does_not_know_are_refused(run, tmp_path, change, message):
    texts = people(5, seed=2, missing=0.0)
    change(texts[2])
    with pytest.raises(UsageError, match=message):
        rows(run, tmp_path, texts)


def test_a_column_that_is_gone_is_named(run, tmp_path):
    with pytest.raises(UsageError, match="lacks column 'größe'"):
        rows(run, tmp_path, [[r[0], r[1], r[3], r[4]] for r in people(5)], [HEADER[i] for i in (0, 1, 3, 4)])


def test_what_is_no_table_is_refused(run):
    with pytest.raises(UsageError, match=r"was trained on a table.*but got ndarray"):
        rows_for(run, np.zeros((3, 4)))
    with pytest.raises(UsageError, match=r"was trained on a table.*'x\.npy'"):
        rows_for(run, "x.npy")


def test_an_odd_row_has_a_low_percentile_and_its_odd_entry_is_named(run, tmp_path):
    texts = people(30, seed=3, missing=0.0)
    texts[7][0] = "250"
    texts[8] = ["190.0", "low", "groß", "8", ""]
    found = score_rows(run, rows(run, tmp_path, texts), **QUICK)
    assert found.percentile[7] == 0.0
    assert found.columns["odd"][7] == "height, cm"
    assert found.columns["odd"][8] == 'the "grade"'
    assert np.median(found.percentile) > 10
    assert found.columns["odd percentile"][7] == 0.0
    assert np.median(found.columns["odd percentile"]) > 0
    assert found.columns["row"].tolist() == list(range(30))
    assert found.columns["missing"].sum() == 0


def test_scores_do_not_depend_on_the_rows_beside_them(run, tmp_path):
    texts = people(12, seed=4)
    every = score_rows(run, rows(run, tmp_path, texts), reference=0, **QUICK)
    some = score_rows(run, rows(run, tmp_path, texts[:5]), reference=0, **QUICK)
    np.testing.assert_allclose(every.weights.estimate[:5], some.weights.estimate, atol=1e-5)
    assert every.percentile is None


def test_every_column_has_learned_of_the_others(run):
    table = {row["column"]: row for row in column_scores(run, run.data.test, **QUICK).table()}
    assert set(table) == set(HEADER[:4])
    for name, row in table.items():
        assert row["gain"] > 2 * row["standard error"], name
        assert row["gain"] == pytest.approx(row["given the others"] - row["by itself"])
    assert table["visits"]["measure"] == "mass"
    assert table["height, cm"]["measure"] == "density"


@pytest.mark.slow
def test_a_column_of_noise_has_no_gain(tmp_path):
    rng = np.random.default_rng(0)
    z = rng.normal(size=300)
    texts = [
        [f"{a:.3f}", f"{b:.3f}", f"{c:.3f}"]
        for a, b, c in zip(z, z + 0.2 * rng.normal(size=300), rng.normal(size=300), strict=True)
    ]
    data = load(write(tmp_path / "t.csv", texts, ["a", "b", "noise"]))
    run = train_run(
        "by-column", data, tmp_path / "run", latent=1, hidden=[16], epochs=100, batch_size=50, lr=5e-3, progress=False
    )
    known = torch.cat([data.validation, data.test])
    table = {row["column"]: row for row in column_scores(run, known, **QUICK).table()}
    assert table["a"]["gain"] > 0.5
    assert abs(table["noise"]["gain"]) < 0.1


def test_holes_are_filled_and_all_else_stands_as_it_stood(run, tmp_path):
    texts = people(40, seed=5)
    found = impute_rows(run, rows(run, tmp_path, texts), 3, **QUICK)
    assert list(found.point) == HEADER
    assert found.filled == sum(value == "" for row in texts for value in row)
    for d, name in enumerate(HEADER):
        for row, value in enumerate(found.point[name]):
            assert texts[row][d] == value if texts[row][d] else value not in ("", None)
    assert all(isinstance(v, str | int) and str(v).isdigit() for v in found.point["visits"])
    assert set(found.point['the "grade"']) == {"low", "middle", "high"}
    assert found.draws["imputation"].tolist() == [1] * 40 + [2] * 40 + [3] * 40
    assert found.draws["row"].tolist() == [*range(40)] * 3


def test_filled_rows_follow_what_is_seen(run, tmp_path):
    texts = [["", "", "groß", "9", ""], ["", "", "klein", "0", ""]]
    found = impute_rows(run, rows(run, tmp_path, texts), 200, particles=500, progress=False)
    tall, small = found.point["height, cm"]
    assert tall > 175 > 165 > small
    assert found.point['the "grade"'] == ["high", "low"]
    heights = np.array(found.draws["height, cm"], dtype=float).reshape(200, 2)
    assert 1.0 < heights[:, 0].std() < 12.0  # imputations differ


def test_what_is_filled_and_drawn_can_be_read_again(run, tmp_path):
    new = rows(run, tmp_path, people(25, seed=6))
    filled = save_table(tmp_path / "filled.csv", impute_rows(run, new, 0, **QUICK).point)
    again = rows_for(run, filled)
    assert not torch.isnan(again.x).any()
    seen = ~torch.isnan(new.x)
    assert torch.equal(again.x[seen], new.x[seen])
    assert impute_rows(run, again, 0, **QUICK).filled == 0
    drawn = rows_for(run, save_table(tmp_path / "drawn.tsv", sample_rows(run, 50)))
    assert len(drawn.x) == 50


def test_drawn_rows_are_like_the_data(run):
    drawn = sample_rows(run, 4000, seed=1)
    assert list(drawn) == HEADER[:4]
    heights = np.array(drawn["height, cm"], dtype=float)
    train = run.data.train[:, 0]
    seen = train[~train.isnan()].numpy()
    assert abs(heights.mean() - seen.mean()) < 2.0
    assert abs(heights.std() / seen.std() - 1) < 0.2
    tall = heights > 175
    assert np.mean(np.array(drawn["größe"])[tall] == "groß") > 0.8
    assert sample_rows(run, 3, seed=1)["visits"].tolist() == sample_rows(run, 3, seed=1)["visits"].tolist()


def test_rows_are_encoded_by_mean_and_spread(run, tmp_path):
    texts = [*people(10, seed=7, missing=0.0), ["", "", "", "", ""]]
    found = encode_rows(run, rows(run, tmp_path, texts), **QUICK)
    assert {"row", "z1", "sd1", "ess", "khat", "flagged"} == set(found)
    # Of a row of which nothing is known the posterior is the prior.
    assert found["sd1"][-1] == pytest.approx(1.0, abs=0.25)
    assert (found["sd1"][:-1] < 0.5).all()


def test_rows_are_reproduced_in_the_words_of_the_table(run, tmp_path):
    texts = people(30, seed=8, missing=0.0)
    found = reproduce_rows(run, rows(run, tmp_path, texts), **QUICK)
    assert list(found) == ["row", *HEADER[:4]]
    same = np.mean([a == row[2] for a, row in zip(found["größe"], texts, strict=True)])
    assert same > 0.8
    heights = np.array([float(row[0]) for row in texts])
    assert np.corrcoef(heights, np.array(found["height, cm"], dtype=float))[0, 1] > 0.9


def test_a_loaded_run_does_the_same(run, tmp_path):
    texts = people(6, seed=9)
    one = impute_rows(run, rows(run, tmp_path, texts), 0, **QUICK).point
    loaded = load_run(run.folder)
    assert impute_rows(loaded, rows(loaded, tmp_path, texts), 0, **QUICK).point == one


def test_a_data_frame_keeps_its_index(run):
    pandas = pytest.importorskip("pandas")
    texts = people(5, seed=10, missing=0.0)
    frame = pandas.DataFrame(texts, columns=HEADER, index=list("abcde"))
    frame = frame.astype({"height, cm": float, "visits": int})
    frame.loc["b", "visits"] = None
    new = rows_for(run, frame)
    assert new.names == ("a", "b", "c", "d", "e")
    assert score_rows(run, new, reference=0, **QUICK).columns["name"] == list("abcde")
    filled = impute_rows(run, new, 0, **QUICK).point
    assert filled["height, cm"] == frame["height, cm"].tolist()


def test_runs_on_arrays_are_put_to_use_too(tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 3)) @ np.array([[1.0, 1.0, 0], [0, 0.1, 0], [0, 0, 1]])
    x[::7, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    run = train_run(
        "normal",
        load(tmp_path / "x.npy", missing=True),
        tmp_path / "run",
        latent=1,
        hidden=[8],
        epochs=3,
        progress=False,
    )
    new = rows_for(run, tmp_path / "x.npy")
    filled = impute_rows(run, new, 2, **QUICK)
    assert filled.point.shape == (200, 3)
    assert filled.draws.shape == (2, 200, 3)
    assert not np.isnan(filled.point).any()
    assert sample_rows(run, 7).shape == (7, 3)
    assert reproduce_rows(run, new, **QUICK).shape == (200, 3)
    scores = score_rows(run, new, **QUICK)
    assert scores.conditional is None
    assert len(scores.percentile) == 200
    with pytest.raises(UsageError, match="scores by column need a run on a table"):
        score_rows(run, new, by_column=True, **QUICK)
    with pytest.raises(UsageError, match="was trained on an array"):
        rows_for(run, tmp_path / "x.csv")
    with pytest.raises(UsageError, match=r"needs data of shape \(N, 3\)"):
        rows_for(run, np.zeros((4, 2)))


def test_runs_on_prepared_arrays_say_that_new_rows_would_have_to_be(tmp_path):
    run = train_run(
        "bernoulli",
        load("digits", binarise="threshold"),
        tmp_path / "run",
        latent=2,
        hidden=[8],
        epochs=1,
        progress=False,
    )
    with pytest.raises(UsageError, match="trained on data prepared by binarise"):
        rows_for(run, np.zeros((3, 8, 8)))
    assert set(np.unique(sample_rows(run, 5))) <= {0.0, 1.0}


def test_of_a_row_without_entries_nothing_is_said(run, tmp_path):
    found = score_rows(run, rows(run, tmp_path, [["", "", "", "", ""], *people(3)]), **QUICK)
    assert found.weights.estimate[0] == 0.0
    assert np.isnan(found.percentile[0])
    assert found.columns["odd"][0] == ""


def test_what_lies_outside_names_the_file(run, tmp_path):
    with pytest.raises(UsageError, match=r"new\.csv.*column 'visits'.*found -1"):
        rows(run, tmp_path, [["170", "low", "groß", "-1", ""]])


def test_a_folder_of_images_is_put_to_use(tmp_path):
    from torchvision.io import write_png

    (tmp_path / "im").mkdir()
    generator = torch.Generator().manual_seed(0)
    for i in range(12):
        picture = torch.randint(0, 256, (1, 4, 5), generator=generator, dtype=torch.uint8)
        write_png(picture, str(tmp_path / "im" / f"{i}.png"))
    data = load(tmp_path / "im")
    run = train_run(
        "discretised:inner=logistic", data, tmp_path / "run", latent=1, hidden=[4], epochs=1, progress=False
    )
    assert rows_for(run, tmp_path / "im").x.shape == (12, 4, 5)
