"""How training ends: patience, divergence and interrupts, and the weights that are kept."""

import numpy as np
import pytest
import torch

from obsvae.inference import Callback, StopTraining, TrainingDiverged, fit
from tests.inference.training.conftest import OPTIONS, interrupt, same, started, validation_elbo, weights


def test_patience_stops_and_the_best_weights_come_back(linear_gaussian, tensors):
    problem = started(linear_gaussian())
    with torch.no_grad():
        problem.model.decoder.head.bias.zero_()
    # Training pulls the mean from 0 to 3; validation data at 1 like that for a while.
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    data = tensors(0.1 * x + 3, 0.1 * x + 1)
    states = []

    def snapshot(x):
        states.append(weights(problem))
        return x

    data.at_epoch = dict.fromkeys(range(1, 101), snapshot)
    history = fit(problem.model, problem.guide, data, epochs=100, patience=4, **OPTIONS)
    values = [epoch.validation_elbo for epoch in history]
    best = int(np.argmax(values))
    assert history.stopped == "patience"
    assert 1 < best < 90
    assert len(history) == best + 1 + 4
    assert history.best is history.epochs[best]
    assert same(weights(problem), states[best + 1])
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)


def test_a_callback_stops_training_in_order(linear_gaussian, tensors):
    problem = started(linear_gaussian())
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    data = tensors(x + 3, x - 3)  # the first epoch is the best
    ended = []

    class Three(Callback):
        def on_epoch(self, history):
            if len(history) == 3:
                raise StopTraining

        def on_end(self, history):
            ended.append((history.stopped, weights(problem)))

    history = fit(problem.model, problem.guide, data, epochs=12, callbacks=[Three()], **OPTIONS)
    assert history.stopped == "callback"
    assert len(history) == 3
    assert history.best.epoch == 1
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)
    assert ended[0][0] == "callback"
    assert same(weights(problem), ended[0][1])


def test_best_weights_come_back_without_patience_too(linear_gaussian, tensors):
    problem = started(linear_gaussian())
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    data = tensors(x + 3, x - 3)
    history = fit(problem.model, problem.guide, data, epochs=12, seed=5, **OPTIONS)
    assert history.stopped == "finished"
    assert len(history) == 12
    assert history.best is not history.epochs[-1]
    assert validation_elbo(problem, data, seed=5) == pytest.approx(history.best.validation_elbo, rel=1e-6)


@pytest.mark.parametrize("exported", [False, True])
def test_nan_stops_with_the_best_epochs_weights(small, exported):
    def spoil(x):
        x = x.clone()
        x[17] = torch.nan
        return x

    problem, data = small()
    data.at_epoch = {3: spoil}
    with pytest.raises(TrainingDiverged, match=r"stopped at step [789] \(epoch 3\).*those of the best epoch") as caught:
        fit(problem.model, problem.guide, data, epochs=5, **OPTIONS | {"exported": exported})
    history = caught.value.history
    assert len(history) == 2
    step = int(str(caught.value).split("stopped at step ")[1].split()[0])
    assert history.stopped == f"diverged at step {step}"
    assert "\n" not in str(caught.value)
    assert all(torch.isfinite(value).all() for value in weights(problem).values())
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)


def test_nan_in_the_first_step_leaves_the_weights_as_they_were(small):
    problem, data = small()
    data.at_epoch = {1: lambda x: torch.full_like(x, torch.nan)}
    before = weights(started(problem))
    with pytest.raises(TrainingDiverged, match=r"stopped at step 1 \(epoch 1\).*the initial ones") as caught:
        fit(problem.model, problem.guide, data, epochs=5, **OPTIONS)
    assert same(weights(problem), before)
    assert caught.value.history.stopped == "diverged at step 1"
    assert len(caught.value.history) == 0


@pytest.mark.parametrize("bad", [1, 2, 3, 5])
def test_the_step_with_a_gradient_that_is_not_finite_is_named(small, bad):
    # Three batches an epoch: steps 3 and 5 are the last of an epoch and one in the middle of the second.
    problem, data = small()
    count = 0

    def spoil(gradient):
        nonlocal count
        count += 1
        return gradient * torch.nan if count == bad else gradient

    problem.model.decoder.head.weight.register_hook(spoil)
    epoch = -(-bad // 3)
    with pytest.raises(TrainingDiverged, match=rf"stopped at step {bad} \(epoch {epoch}\): its gradient") as caught:
        fit(problem.model, problem.guide, data, epochs=3, **OPTIONS)
    assert len(caught.value.history) == epoch - 1
    assert all(torch.isfinite(value).all() for value in weights(problem).values())


def test_a_huge_learning_rate_is_stopped(small):
    problem, data = small()
    with pytest.raises(TrainingDiverged, match=r"training stopped at step [23] \(epoch 1\)") as caught:
        fit(problem.model, problem.guide, data, epochs=5, **OPTIONS | {"lr": 1e30})
    assert caught.value.history.stopped.startswith("diverged at step ")
    assert all(torch.isfinite(value).all() for value in weights(problem).values())


def test_the_weights_after_divergence_are_good_ones(small):
    # The docstring promises the last good weights: a finite objective, though no epoch was completed.
    problem, data = small()
    with pytest.raises(TrainingDiverged):
        fit(problem.model, problem.guide, data, epochs=5, **OPTIONS | {"lr": 1e30})
    assert np.isfinite(validation_elbo(problem, data))


def test_divergence_in_the_last_step_is_not_called_finished(small):
    problem, data = small()
    with pytest.raises(TrainingDiverged):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS | {"lr": 1e30, "batch_size": 130})


def test_an_interrupt_ends_training_in_order(small):
    problem, data = small()
    data.at_epoch = {3: interrupt}
    history = fit(problem.model, problem.guide, data, epochs=9, **OPTIONS)
    assert history.stopped == "interrupted"
    assert len(history) == 2
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)


def test_an_interrupt_before_the_first_epoch_ends_training_in_order(small):
    problem, data = small()
    data.at_epoch = {1: interrupt}
    history = fit(problem.model, problem.guide, data, epochs=9, **OPTIONS)
    assert (history.stopped, len(history), history.best) == ("interrupted", 0, None)
