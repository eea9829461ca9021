"""The average of weights: that it is the one which the weights of each step make, and is what is kept."""

import dataclasses

import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import load_run, resume_run, train_run
from obsvae.inference import Callback, StopTraining, fit
from obsvae.inference.training import svi
from tests.inference.training.conftest import OPTIONS, interrupt, same, untimed, validation_elbo, weights

DECAY = 0.8


def expected(steps, decay=DECAY):
    """Return the average by its closed form: a share of each step's weights, and what is left of the first."""
    decays = [min(decay, t / (t + 9)) for t in range(len(steps))]  # the first, of the initial weights, is 0
    shares = [(1 - d) * torch.tensor(decays[t + 1 :], dtype=torch.float64).prod() for t, d in enumerate(decays)]
    torch.testing.assert_close(sum(shares), torch.tensor(1.0, dtype=torch.float64))
    return {
        name: sum(share * one[name].double() for share, one in zip(shares, steps, strict=True)).to(steps[0][name])
        for name in steps[0]
    }


def parameters(problem):
    return {name: value for name, value in weights(problem).items() if "initialised" not in name}


class Weights(Callback):
    """Keeps the weights at the start and after each step, and what a callback sees after each epoch."""

    def __init__(self, problem, monkeypatch):
        self.problem, self.steps, self.seen = problem, [], []
        original = svi.step_for

        def recording(*arguments, **options):
            step = original(*arguments, **options)
            take = type(step).__call__

            class Recording(type(step)):
                def __call__(recorder, x, beta, c):
                    loss = take(recorder, x, beta, c)
                    self.steps.append(parameters(problem))
                    return loss

            step.__class__ = Recording
            return step

        monkeypatch.setattr(svi, "step_for", recording)

    def on_start(self, model, guide):
        self.steps.append(parameters(self.problem))

    def on_epoch(self, history):
        self.seen.append((parameters(self.problem), validation_elbo(self.problem, self.data)))


@pytest.mark.parametrize("exported", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_is_validated_shown_and_kept_is_the_average_of_the_weights_of_each_step(exported, small, monkeypatch):
    problem, data = small()
    watch = Weights(problem, monkeypatch)
    watch.data = data
    options = OPTIONS | {"exported": exported, "compiled": False, "epochs": 4, "averaging": DECAY}
    history = fit(problem.model, problem.guide, data, **options, callbacks=[watch])
    assert len(watch.steps) == 1 + 12
    for epoch, (seen, validation) in zip(history, watch.seen, strict=True):
        average = expected(watch.steps[: 1 + epoch.step])
        for name, value in seen.items():
            torch.testing.assert_close(value, average[name])
        assert epoch.validation_elbo == pytest.approx(validation, abs=1e-5)
        assert not same(seen, watch.steps[epoch.step])
    assert same(parameters(problem), watch.seen[history.best.epoch - 1][0])
    assert history.averaging == DECAY


def test_training_itself_is_the_one_without_an_average(small):
    elbos = []
    for averaging in (None, 0.9):
        problem, data = small()
        history = fit(problem.model, problem.guide, data, **OPTIONS, epochs=3, averaging=averaging)
        elbos.append([one.elbo for one in history])
    assert elbos[0] == elbos[1]


@pytest.mark.parametrize("how", [{}, pytest.param({"exported": True, "compiled": True}, marks=pytest.mark.slow)])
def test_it_goes_on_as_if_it_had_never_ended(how, small):
    states = {}

    class Keep(Callback):
        def on_state(self, state):
            states.setdefault(len(state.history), state)

    options = OPTIONS | {"compiled": False} | how | {"averaging": DECAY}
    whole, data = small()
    history = fit(whole.model, whole.guide, data, **options, epochs=5, callbacks=[Keep()])
    part, data = small()
    again = fit(part.model, part.guide, data, **options, epochs=5, resume=states[2])
    assert untimed(again) == untimed(history)
    assert same(weights(part), weights(whole))
    with pytest.raises(UsageError, match="resume holds an average of the weights, but got averaging=None"):
        fit(part.model, part.guide, data, **options | {"averaging": None}, epochs=5, resume=states[2])
    plain, data = small()
    fit(plain.model, plain.guide, data, **options | {"averaging": None}, epochs=2, callbacks=[Keep()])
    states.clear()
    fit(plain.model, plain.guide, data, **options | {"averaging": None}, epochs=2, callbacks=[Keep()])
    with pytest.raises(UsageError, match="resume holds no average of the weights, but got averaging"):
        fit(plain.model, plain.guide, data, **options, epochs=5, resume=states[2])


@pytest.mark.slow
def test_compiled_steps_have_the_same_average(small):
    found = []
    for compiled in (True, False):
        problem, data = small()
        options = OPTIONS | {"exported": True, "compiled": compiled, "averaging": 0.99, "epochs": 4}
        history = fit(problem.model, problem.guide, data, **options)
        found.append(([one.validation_elbo for one in history], parameters(problem)))
    torch.testing.assert_close(*[torch.tensor(elbos) for elbos, _ in found])
    for name, value in found[0][1].items():
        torch.testing.assert_close(value, found[1][1][name], rtol=1e-4, atol=1e-5)


def test_interrupted_in_the_first_epoch_it_keeps_the_average(small, monkeypatch):
    problem, data = small()
    watch = Weights(problem, monkeypatch)
    data.at_epoch = {1: lambda x: x}

    class Stop(Callback):
        def on_start(self, model, guide):
            guide.encoder.register_forward_pre_hook(lambda *_: interrupt(0) if len(watch.steps) == 3 else None)

    history = fit(problem.model, problem.guide, data, **OPTIONS, epochs=2, averaging=DECAY, callbacks=[watch, Stop()])
    assert (history.stopped, len(history)) == ("interrupted", 0)
    average = expected(watch.steps)
    for name, value in parameters(problem).items():
        torch.testing.assert_close(value, average[name])


@pytest.mark.slow
def test_a_run_says_so_and_goes_on(tmp_path):
    data = load("digits")
    options = {"latent": 2, "hidden": (8,), "batch_size": 500, "averaging": 0.9, "progress": False, "compiled": False}
    options["prior"] = "vamp:components=3"  # of which the guide is a part
    whole = train_run("binomial", data, tmp_path / "whole", epochs=4, **options)
    train_run("binomial", data, tmp_path / "part", epochs=2, **options)
    part = resume_run(tmp_path / "part", epochs=4, progress=False)
    assert untimed(part.history) == untimed(whole.history)
    pairs = zip([*whole.model.parameters()], [*part.model.parameters()], strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    again = load_run(tmp_path / "part")
    assert again.config["training"]["averaging"] == again.history.averaging == 0.9
    assert torch.equal(again.model.decode(torch.ones(1, 2)), whole.model.decode(torch.ones(1, 2)))


@pytest.mark.parametrize("decay", [0, 1, -0.5, 2, float("nan"), "a", True])
def test_what_is_no_decay_is_refused(decay, small):
    problem, data = small()
    with pytest.raises(UsageError, match="averaging needs"):
        fit(problem.model, problem.guide, data, **OPTIONS, epochs=1, averaging=decay)


def test_stopped_by_a_callback_it_keeps_the_best_average(small):
    class Stop(Callback):
        def on_epoch(self, history):
            if len(history) == 2:
                raise StopTraining

    problem, data = small()
    history = fit(problem.model, problem.guide, data, **OPTIONS, epochs=5, averaging=DECAY, callbacks=[Stop()])
    whole, data = small()
    full = fit(whole.model, whole.guide, data, **OPTIONS, epochs=2, averaging=DECAY)
    assert [dataclasses.replace(one, seconds=0) for one in history] == untimed(full)
    assert same(weights(problem), weights(whole))
