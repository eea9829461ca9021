"""What each part of a pair is worth: the choices, and a small study as the command writes it."""

import csv

import numpy as np
import pytest

from obsvae.experiments.benchmarks.choices import STUDIES, choices, choices_of
from obsvae.guides import GUIDES
from obsvae.inference.training.objectives.registry import OBJECTIVES
from obsvae.model import PRIORS
from obsvae.options import chosen
from tests.scripts.commands import refused, succeeds


@pytest.mark.parametrize("name", STUDIES)
def test_each_choice_is_another_in_one_part_and_can_be_made(name):
    first, *others = choices_of(STUDIES[name])
    for choice in others:
        parts = ("observation", "guide", "prior", "objective")
        assert [part for part in parts if getattr(choice, part) != getattr(first, part)] == [choice.what]
        chosen("guide", choice.guide, GUIDES)
        chosen("prior", choice.prior, PRIORS)
        chosen("objective", choice.objective, OBJECTIVES)
    assert len({(choice.what, choice.value) for choice in [first, *others]}) == 1 + len(others)


@pytest.mark.parametrize("name", STUDIES)
def test_a_quick_study_tries_the_first_choice_first_and_one_of_each_part(name):
    tried, all_of_them = choices_of(STUDIES[name], quick=True), choices_of(STUDIES[name])
    assert [choice.what for choice in tried] == ["–", "guide", "prior", "objective", "observation"]
    assert tried[0] == all_of_them[0]
    assert set(tried) < set(all_of_them)


@pytest.mark.slow
def test_a_study_is_written_and_shown(tmp_path):
    line = ["choices", "--what", "digits", "--quick", "--epochs", "1", "--limit", "4", "--particles", "20"]
    text = succeeds("benchmark", *line, "--out", "new.csv", cwd=tmp_path)
    with (tmp_path / "new.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["part"] for row in rows] == ["–", "guide", "prior", "objective", "observation"]
    assert "low-rank" in text or "full-rank" in text
    for row in rows:
        assert float(row["gap"]) == pytest.approx(float(row["log p"]) - float(row["ELBO"]), abs=1e-6)
    first = float(rows[0]["log p"])
    for row in rows:
        assert float(row["to the first"]) == pytest.approx(float(row["log p"]) - first, abs=1e-6)
    assert float(rows[0]["to the first"]) == 0.0


@pytest.mark.slow
def test_every_choice_of_the_table_is_of_one_measure(monkeypatch):
    rows = list(choices("banknote", epochs=1, limit=3, particles=10, seed=0))
    assert all(np.isfinite(row["log p"]) for row in rows)


def test_what_is_not_for_it_is_refused(tmp_path):
    assert "did you mean 'digits'?" in refused("benchmark", "choices", "--what", "digit", cwd=tmp_path)
    assert "--masks goes with imputation" in refused("benchmark", "choices", "--masks", "3", cwd=tmp_path)
