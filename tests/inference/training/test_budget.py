"""How long to train, where nobody says."""

import numpy as np
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


@pytest.mark.slow
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


def ended(validation):
    return History([Epoch(i, i, elbo, elbo, 1.0, i) for i, elbo in enumerate(validation, 1)])


def test_a_rise_beside_noise_is_seen_though_the_last_epoch_is_not_the_best():
    rng = np.random.default_rng(0)
    epochs, noise = np.arange(400), 0.3 * rng.normal(size=400)
    noise[-1] = -1.0  # no best epoch
    assert ended(-20 + 0.02 * epochs + noise).is_improving
    assert not ended(-20 + noise).is_improving
    assert not ended(-20 - 0.02 * epochs + noise).is_improving
    # A rise that no one would wait for
    assert not ended(-20 + 0.0005 * epochs + 1e-3 * noise).is_improving


def test_noise_alone_is_hardly_ever_a_rise():
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(400):
        noise = rng.normal(size=80)
        noise[-1] = -9.0
        found += ended(noise).is_improving
    assert found <= 4


@pytest.mark.parametrize(
    "validation",
    [
        [*np.linspace(-200, -130, 12), -128, -129, -130],
        [*range(-200, -129, 10), -125, -126, -127],
        [*np.linspace(-100, -50, 94), -51, -52, -53, -54, -55, -56],
    ],
)
def test_a_peak_that_is_passed_is_no_rise(validation):
    assert not ended(validation).is_improving
