"""How long to train, where nobody says."""

import pytest

from obsvae.inference import Epoch, History, fit
from obsvae.inference.training import budget
from obsvae.inference.training.budget import Budget
from tests.inference.training.conftest import OPTIONS


@pytest.mark.parametrize(
    ("epochs", "patience", "rows", "most", "patient"),
    [
        (7, None, 500, 7, None),
        (7, 3, 500, 7, 3),
        (None, None, 500, 4000, 200),  # five steps an epoch
        (None, None, 45, 20_000, 1000),
        (None, None, 50_000, 200, 10),
        (None, 3, 50_000, 200, 3),
    ],
)
def test_steps_count_as_well_as_epochs(epochs, patience, rows, most, patient):
    assert Budget.of(epochs, patience, rows=rows, batch_size=100) == Budget(most, patient)


def test_training_without_epochs_ends_when_validation_has_stopped_improving(small, monkeypatch):
    monkeypatch.setattr(budget, "PATIENT_STEPS", 60)
    problem, data = small()
    history = fit(problem.model, problem.guide, data, **OPTIONS | {"exported": True, "lr": 3e-2})
    assert history.stopped == "patience"
    assert len(history) - history.best.epoch == Budget.of(None, None, rows=130, batch_size=50).patience
    assert not history.is_improving


@pytest.mark.parametrize(
    ("stopped", "validation", "found"),
    [("finished", [-2, -1], True), ("finished", [-1, -2], False), ("patience", [-2, -1], False)],
)
def test_a_training_that_ended_at_its_best_was_improving(stopped, validation, found):
    history = History([Epoch(i, i, elbo, elbo, 1.0, i) for i, elbo in enumerate(validation, 1)], stopped)
    assert history.is_improving is found
