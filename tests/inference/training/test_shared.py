"""A training that processes share ends as that of one process, but for rounding."""

import os
import re
import signal

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair
from obsvae.inference import Callback, StopTraining, TrainingDiverged, fit
from obsvae.inference.processes.alone import ALONE, Processes, ProcessesParted
from tests.inference.processes.together import together
from tests.tables import COLUMNS, mixed

OPTIONS = {"epochs": 3, "batch_size": 32, "lr": 1e-2, "seed": 3, "progress": False, "compiled": False}


def normal():
    return load(np.random.default_rng(0).normal([0.0, 5.0, -3.0], [1.0, 2.0, 0.1], size=(107, 3)))


def binary():
    return load((np.random.default_rng(0).random((107, 6)) < 0.3).astype(np.uint8))


def table():
    return mixed(107, columns=[COLUMNS[i] for i in (0, 1, 5, 6)])


# Of 107 data some 85 are for training: minibatches of 32, 32, and some 20.
CASES = {
    "normal": ("normal:scale=shared", normal, {}),
    "clipped": ("normal:scale=decoder", normal, {"clip": 0.1, "kl_warmup": 2}),
    "bernoulli": ("bernoulli", binary, {}),
    "point mass": ("bernoulli", binary, {"guide": "delta"}),
    "table with holes": ("by-column", table, {}),
    "rows for one alone": ("normal:scale=shared", normal, {"batch_size": 3, "epochs": 1}),
}


class Keep(Callback):
    """Keeps the latest state, and who was called."""

    def __init__(self):
        self.state = None

    def on_state(self, state):
        self.state = state


def trained(processes, case, callback=None, **more):
    """Return history, weights, and the latest state that the callback was told."""
    observation, data, options = CASES[case]
    options = OPTIONS | options | more
    data, keep = data(), callback or Keep()
    pair = make_pair(observation, data, latent=2, hidden=(8,), guide=options.pop("guide", "normal"), seed=0)
    history = fit(*pair, data, **options, callbacks=[keep], processes=processes)
    weights = {f"{i}.{name}": value.clone() for i, part in enumerate(pair) for name, value in part.state_dict().items()}
    return history, weights, getattr(keep, "state", None)


def require_same(one, other, rtol=1e-4, atol=1e-5):
    """Adam divides by the root of squared gradients: rounding shows most where these are small."""
    for name, value in one[1].items():
        torch.testing.assert_close(other[1][name], value, rtol=rtol, atol=atol, msg=lambda m, name=name: f"{name}: {m}")
    of = [[(e.epoch, e.step, e.elbo, e.validation_elbo) for e in history] for history, *_ in (one, other)]
    np.testing.assert_allclose(of[1], of[0], rtol=1e-5)
    assert one[0].stopped == other[0].stopped


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "size"),
    [("normal", 2), *((case, 3) for case in CASES)],
)
def test_it_ends_as_in_one_process(case, size, tmp_path):
    alone = trained(ALONE, case)
    first, *others = together(size, trained, tmp_path, case)
    require_same(alone, first)
    for other in others:
        assert all(torch.equal(other[1][name], value) for name, value in first[1].items())
        assert other[2] is None  # callbacks are the first one's
    assert torch.equal(first[2].tensors["random/torch"], alone[2].tensors["random/torch"])
    assert first[2].tensors.keys() == alone[2].tensors.keys()


def going_on(processes, case, state, **more):
    return trained(processes, case, resume=state, **more)


@pytest.mark.slow
def test_it_goes_on_with_another_number_of_processes(tmp_path):
    whole = trained(ALONE, "normal", epochs=6)
    for before, after in [(1, 3), (3, 1), (2, 3)]:
        folder = tmp_path / f"{before}{after}"
        folder.mkdir()
        part = trained(ALONE, "normal") if before == 1 else together(before, trained, folder / "a", "normal")[0]
        if after == 1:
            again = going_on(ALONE, "normal", part[2], epochs=6)
        else:
            again = together(after, _go_on, folder / "b", part[2])[0]
        require_same(whole, again)


def _go_on(processes, state):
    return going_on(processes, "normal", state, epochs=6)


class At(Callback):
    """Does something after the first epoch."""

    def __init__(self, act):
        self.act = act

    def on_epoch(self, history):
        if len(history) == 1:
            self.act()


def stop():
    raise StopTraining


def press():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize(("act", "stopped"), [(stop, "callback"), (press, "interrupted")])
def test_an_end_asked_of_the_first_is_the_end_of_all(act, stopped, tmp_path):
    for history, *_ in together(2, trained, tmp_path, "normal", At(act)):
        assert (len(history), history.stopped) == (1, stopped)


class Pressing:
    """Data in whose third epoch an interrupt comes to the second process."""

    def __init__(self, processes):
        data = normal()
        self.train, self.validation, self.processes, self.epochs = data.train, data.validation, processes, 0
        self.given = data.given

    def epoch(self, generator):
        self.epochs += 1
        if self.epochs == 3 and self.processes.rank == 1:
            press()
        return self.train


def interrupted(processes):
    pair = make_pair("normal:scale=shared", normal(), latent=2, hidden=(8,), seed=0)
    history = fit(*pair, Pressing(processes), **OPTIONS | {"epochs": 50}, processes=processes)
    return history, pair[1].state_dict()


@pytest.mark.slow
def test_an_interrupt_of_any_is_one_of_all(tmp_path):
    first, second = together(2, interrupted, tmp_path)
    assert first[0].stopped == second[0].stopped == "interrupted"
    assert len(first[0]) == len(second[0]) == 2
    assert all(torch.equal(second[1][name], value) for name, value in first[1].items())


def failing(processes):
    def fail():
        raise OSError(28, "No space left on device")

    return trained(processes, "normal", At(fail))


@pytest.mark.slow
def test_an_error_of_the_first_ends_all(tmp_path):
    first, second = together(2, failing, tmp_path)
    assert isinstance(first, OSError)
    assert isinstance(second, ProcessesParted)


@pytest.mark.slow
def test_a_loss_that_diverges_does_so_in_all(tmp_path):
    first, second = together(2, diverging, tmp_path)
    assert first == second
    assert re.match(r"training stopped at step \d+", first)


def diverging(processes):
    with pytest.raises(TrainingDiverged) as error:
        trained(processes, "clipped", lr=1e18, clip=None)
    return str(error.value)


def test_what_cannot_be_shared_is_refused():
    for options in ({"exported": False}, {"compiled": True}):
        with pytest.raises(UsageError, match="several processes"):
            trained(Processes(0, 2), "normal", **options)
