"""A training that goes on from a state ends as one that was never interrupted."""

import dataclasses
import re

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference import Callback, fit
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
    """Keeps a copy of the state after an epoch, and of what is told of the last one."""

    def __init__(self, epoch):
        self.epoch, self.last = epoch, []

    def on_state(self, state):
        if len(state.history) == self.epoch:
            tensors = {name: value.clone() for name, value in state.tensors.items()}
            self.state = dataclasses.replace(state, tensors=tensors)
        self.last.append(state.is_last)


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
    assert keep.last == [False] * (len(history) - 1) + [True]
    if "patience" in options:
        assert history.stopped == "patience"
    assert keep.state.is_compiled is options.get("compiled", False)


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
