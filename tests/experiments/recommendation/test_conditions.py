"""Recommendations for data with conditions."""

import numpy as np
import pandas as pd
import pytest
import torch

from obsvae.data import load
from obsvae.experiments.recommendation.confirming.effort import fewer_rows
from obsvae.experiments.recommendation.recommend import recommend
from obsvae.experiments.recommendation.screening.sample import sample
from obsvae.experiments.recommendation.screening.score import scores

SMALL = {"latent": 1, "hidden": [8], "epochs": 3, "batch_size": 20, "particles": 30, "minutes": 60, "progress": False}


def counted(rows):
    """Return counts in hours that differ, by a factor of ten and more."""
    rng = np.random.default_rng(0)
    hours = np.exp(rng.normal(size=rows))
    return pd.DataFrame({"visits": rng.poisson(4 * hours), "hours": hours})


def with_offset(rows):
    return load(counted(rows), schema={"columns": {"hours": {"role": "offset"}}})


def test_candidates_are_screened_by_what_conditions_say():
    data = with_offset(600)
    of = sample(data, "visits", 0)
    assert of.fitted_inputs.shape == (len(of.fitted), 1, 1)
    # Inputs belong to their rows: more hours, more visits.
    assert np.corrcoef(of.fitted_inputs[:, 0, 0], torch.log(of.fitted[:, 0] + 1))[0, 1] > 0.8
    poisson, negative_binomial = (scores(name, of, 0) for name in ("poisson", "negative-binomial"))
    assert (negative_binomial.marginal - poisson.marginal).mean() > 0.5
    assert abs((negative_binomial.given_others - poisson.given_others).mean()) < 0.05


def test_conditions_stay_with_their_rows():
    data = load(np.arange(16000.0).reshape(8000, 2), labels=np.arange(8000) % 7, conditions=["label"])
    some = fewer_rows(data, 0)
    assert len(some.train) < len(data.train)
    assert torch.equal(some.given["train"].argmax(1), some.labels["train"])


@pytest.mark.slow
def test_a_family_that_takes_no_offset_is_no_candidate(tmp_path):
    data = with_offset(100)
    found = recommend(data, out=tmp_path / "rec", seeds=1, **SMALL)
    (answer,) = found.answers
    assert answer.winner.split(":")[0] in ("poisson", "negative-binomial", "zero-inflated", "mixture", "discretised")
    assert "offset" in (tmp_path / "rec/schema.toml").read_text()
    assert load(counted(100), schema=tmp_path / "rec/schema.toml").conditions == data.conditions
