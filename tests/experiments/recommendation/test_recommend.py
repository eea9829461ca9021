"""Recommendations from data to files."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import obsvae
from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.jobs import job
from obsvae.experiments.recommendation import recommend as recommending
from obsvae.experiments.recommendation.recommend import recommend

SMALL = {"latent": 2, "hidden": [8], "epochs": 3, "batch_size": 20, "particles": 30, "minutes": 60, "progress": False}


def measured(rows, seed=0, missing=0.0):
    """Return a table of counts beyond Poisson, a Normal, and a skewed column, all told by two latent numbers."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 2))
    table = pd.DataFrame(
        {
            "visits": rng.poisson(np.exp(1.2 + 0.6 * z[:, 0]) * rng.gamma(1.5, 1 / 1.5, size=rows)),
            "height": 170 + 6 * z[:, 0] + 4 * rng.normal(size=rows),
            "income": np.exp(3 + 0.8 * z[:, 1] + 0.4 * rng.normal(size=rows)),
            "weight": 70 + 5 * z[:, 0] + 5 * z[:, 1] + 4 * rng.normal(size=rows),
        }
    )
    return table.mask(rng.random(table.shape) < missing)


def numbers(found):
    """Return what a recommendation holds but times and curves, as text, in which NaN equals NaN."""
    answers = [
        [one.winner, one.tied, one.gain, one.misfits]
        + [replace(contender, curves=(), seconds=None) for contender in one.contenders]
        for one in found.answers
    ]
    return repr([found.observation, found.warnings, answers])


@pytest.mark.slow
def test_a_table_with_missing_entries_and_its_files(tmp_path, monkeypatch):
    data, ran = load(measured(60, missing=0.1)[["height", "income"]]), []
    work = job.run_job
    monkeypatch.setattr("obsvae.experiments.jobs.run.run_job", lambda one, *more: ran.append(one) or work(one, *more))
    found = recommend(data, out=tmp_path / "rec", seeds=1, columns=["height"], **SMALL)
    assert len(ran) > 2
    (answer,) = found.answers
    assert answer.question.name == "height"
    assert answer.winner in answer.tied
    (winner,) = (one for one in answer.contenders if one.candidate.observation == answer.winner)
    assert (winner.seeds, winner.final.mean) == (1, 0.0)
    assert np.isfinite(winner.nats)
    assert np.isfinite(answer.gain.mean)
    assert len(winner.curves[0].score) == 3
    assert found.folder == tmp_path / "rec"
    assert any("only 6 held-out rows" in text for text in found.warnings)
    plain = json.loads((tmp_path / "rec/recommendation.json").read_text())
    assert answer.winner in json.dumps(plain)
    assert (tmp_path / "rec/recommendation.html").exists()
    ran.clear()
    again = recommend(data, out=tmp_path / "rec", seeds=1, columns=["height"], **SMALL)
    assert not ran
    assert numbers(again) == numbers(found)
    # The schema that is left makes the observation that is recommended.
    schema = tmp_path / "rec/schema.toml"
    loaded = load(measured(60, missing=0.1)[["height", "income"]], schema=schema)
    assert loaded.columns[0].observation == answer.winner
    with pytest.raises(UsageError, match="other settings: networks"):
        recommend(data, out=tmp_path / "rec", seeds=1, **{**SMALL, "latent": 3})


def test_a_screen_is_that_of_its_question_and_seed(tmp_path, monkeypatch):
    data, screened = load(measured(60)[["height", "income"]]), []
    monkeypatch.setattr(recommending, "decide", lambda ranked, asked, found, *_: screened.append(found) or Stopped())
    for column, seed in [("height", 0), ("income", 0), ("height", 1), ("height", 0)]:
        with pytest.raises(AttributeError):
            recommend(data, out=tmp_path / "rec", columns=[column], seed=seed, **SMALL)
    assert [list(found) for found in screened] == [["height"], ["income"], ["height"], ["height"]]
    assert repr(screened[0]) == repr(screened[3])
    assert repr(screened[0]["height"]) != repr(screened[1]["income"])
    assert len(list((tmp_path / "rec/screen").iterdir())) == 3


class Stopped:
    """What is decided of a recommendation that goes no further."""


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (np.zeros((4, 2)), {}, "recommend needs a dataset, but got ndarray"),
        (None, {"minutes": 0}, "minutes need to be more than 0, but got 0"),
        (None, {"minutes": "5"}, "minutes need to be more than 0, but got '5'"),
        (None, {"seeds": 0}, "seeds needs to be a whole number of at least 1"),
        (None, {"jobs": 0}, "jobs needs to be a whole number of at least 1"),
        (None, {"columns": ["hight"]}, "did you mean 'height'"),
        (None, {"columns": []}, "columns need to be a list of at least one name"),
        (None, {"columns": "height"}, "columns need to be a list of at least one name"),
        (None, {"architecture": "conv"}, "conv needs images"),
    ],
)
def test_wrong_use_costs_no_training(given, more, words, tmp_path):
    data = load(measured(60)) if given is None else given
    with pytest.raises(UsageError, match=words):
        recommend(data, out=tmp_path / "rec", **{**SMALL, **more})
    assert not (tmp_path / "rec").exists()


def test_it_has_a_public_name():
    assert obsvae.recommend is recommend


@pytest.mark.slow
def test_the_truth_is_found_or_tied_with_what_is_taken():
    found = recommend(load(measured(2000)), minutes=30, jobs=2, progress=False)
    tied = {answer.question.name: answer.tied for answer in found.answers}
    assert any(one.startswith("negative-binomial") for one in tied["visits"])
    assert "normal" in tied["height"]
    assert "log-normal" in tied["income"]
    # Beside one that is, a scale by the decoder makes up for what a small VAE has not learned of the mean.
    assert any(one.startswith("normal") for one in tied["weight"])
    assert all(answer.gain.mean > 2 * answer.gain.standard_error for answer in found.answers)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [30, 200])
def test_few_rows_and_one_column(rows):
    found = recommend(load(measured(rows)[["income"]]), progress=False)
    (answer,) = found.answers
    assert answer.winner in answer.tied
    assert "log-normal" in answer.tied
    assert any("held-out rows" in text for text in found.warnings)


@pytest.mark.slow
def test_images_are_an_array_as_a_whole(tmp_path):
    data = load("digits")
    found = recommend(data, out=tmp_path / "rec", minutes=30, jobs=2, progress=False)
    (answer,) = found.answers
    assert found.observation == answer.winner
    assert answer.gain is None
    (habit,) = (one for one in answer.contenders if one.candidate.observation == "normal")
    assert habit.dropped or habit.difference.mean < -2 * habit.difference.standard_error
    assert (tmp_path / "rec/recommendation.html").exists()
