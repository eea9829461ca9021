"""A training that goes on from a state ends as one that was never interrupted."""

import dataclasses
import re

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference import Callback, StopTraining, fit
from tests.inference.training.conftest import same, untimed, weights

OPTIONS = {
    "epochs": 7,
    "batch_size": 50,
    "lr": 1e-2,
    "seed": 3,
    "progress": False,
    "exported": False,
    "compiled": False,
}


class Keep(Callback):
    """Keeps the state after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_state(self, state):
        if len(state.history) == self.epoch:
            self.state = state


def resumed(small, options, epoch, noise=False):
    """Train as a whole, and in two parts; return for each part its pair, and the histories."""
    found = []
    keep = Keep(epoch)
    for state in (None, "kept"):
        problem, data = small()
        if noise:
            # As dynamic binarisation does: new numbers from the generator at each epoch.
            clean = data.train
            data.epoch = lambda g, clean=clean: clean + 0.1 * torch.randn(clean.shape, generator=g)
        more = {"callbacks": [keep]} if state is None else {"resume": keep.state}
        found.append((problem, fit(problem.model, problem.guide, data, **OPTIONS | options, **more)))
    return found, keep


@pytest.mark.parametrize("noise", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kl_warmup": 5, "clip": 1.0},
        {"exported": True},
        pytest.param({"exported": True, "compiled": True}, marks=pytest.mark.slow),
        # The best epoch is before the state, and has weights of its own.
        {"lr": 0.5, "epochs": 20, "patience": 3, "exported": True},
    ],
    ids=["plain", "warm-up and clipping", "exported", "compiled", "patience"],
)
def test_it_ends_as_one_that_was_never_interrupted(small, options, noise):
    ((whole, history), (part, again)), keep = resumed(small, options, 3, noise)
    assert untimed(again) == untimed(history)
    assert again.stopped == history.stopped
    assert same(weights(part), weights(whole))
    if "patience" in options:
        assert history.stopped == "patience"
    assert keep.state.is_compiled is options.get("compiled", False)


@pytest.mark.slow
def test_the_best_weights_of_before_are_kept(small):
    options = {"lr": 0.5, "epochs": 20, "patience": 3, "exported": True}
    ((_, history), _), _ = resumed(small, options, 3)
    epoch = len(history) - 1
    assert history.best.epoch < epoch
    ((whole, _), (part, again)), keep = resumed(small, options, epoch)
    assert [name for name in keep.state.tensors if name.startswith("best/")]
    assert again.best == dataclasses.replace(history.best, seconds=again.best.seconds)
    assert same(weights(part), weights(whole))


def test_seconds_add_up(small):
    ((_, _), (_, again)), keep = resumed(small, {}, 3)
    seconds = [epoch.seconds for epoch in again]
    assert seconds[:3] == [epoch.seconds for epoch in keep.state.history]
    assert seconds == sorted(seconds)
    assert seconds[3] > seconds[2]


def test_more_epochs_may_follow(small):
    keep = Keep(7)
    problem, data = small()
    fit(problem.model, problem.guide, data, **OPTIONS, callbacks=[keep])
    again = fit(problem.model, problem.guide, data, **OPTIONS | {"epochs": 10}, resume=keep.state)
    whole, data = small()
    history = fit(whole.model, whole.guide, data, **OPTIONS | {"epochs": 10})
    assert untimed(again) == untimed(history)
    assert same(weights(problem), weights(whole))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 3}, "resume holds 3 epochs, which are all that were asked for; ask for more, such as epochs=6"),
        (
            {"batch_size": 10},
            "resume needs the state of a training of 13 steps an epoch, but holds 9 steps in 3 epochs",
        ),
        ({"hidden": (9,)}, "resume holds the weights of another training: guide.encoder"),
    ],
)
def test_what_does_not_go_on_is_refused_before_anything_is_trained(small, options, words):
    _, keep = resumed(small, {}, 3)
    hidden = options.pop("hidden", (8,))
    problem, data = small(hidden=hidden)
    with pytest.raises(UsageError, match=re.escape(words)):
        fit(problem.model, problem.guide, data, **OPTIONS | options, resume=keep.state)


def test_what_is_refused_changes_nothing_and_starts_nothing(small):
    _, keep = resumed(small, {}, 3)
    problem, data = small(hidden=(9,))
    fit(problem.model, problem.guide, data, **OPTIONS | {"epochs": 1})
    before, started = weights(problem), []

    class Started(Callback):
        def on_start(self, model, guide):
            started.append(model)

    with pytest.raises(UsageError, match="resume holds the weights of another training"):
        fit(problem.model, problem.guide, data, **OPTIONS, resume=keep.state, callbacks=[Started()])
    assert same(weights(problem), before)
    assert not started


def test_a_state_is_told_of_an_epoch_after_which_training_is_stopped(small):
    class Stop(Keep):
        def on_epoch(self, history):
            if len(history) == self.epoch:
                raise StopTraining

    keep = Stop(3)
    problem, data = small()
    history = fit(problem.model, problem.guide, data, **OPTIONS, callbacks=[keep])
    assert (len(history), history.stopped) == (3, "callback")
    again = fit(problem.model, problem.guide, data, **OPTIONS, resume=keep.state)
    whole, data = small()
    assert untimed(again) == untimed(fit(whole.model, whole.guide, data, **OPTIONS))
    assert same(weights(problem), weights(whole))


@pytest.mark.slow
def test_patience_that_has_ended_is_told(small):
    options = {"lr": 0.5, "epochs": 20, "patience": 3, "exported": True}
    ((_, history), _), _ = resumed(small, options, 3)
    assert history.stopped == "patience"
    keep = Keep(len(history))
    problem, data = small()
    fit(problem.model, problem.guide, data, **OPTIONS | options, callbacks=[keep])
    with pytest.raises(UsageError, match=r"training had ended by patience=3: .* ask for more, such as patience=6"):
        fit(problem.model, problem.guide, data, **OPTIONS | options, resume=keep.state)
    again = fit(problem.model, problem.guide, data, **OPTIONS | options | {"patience": 5}, resume=keep.state)
    assert len(again) > len(history)
