"""Several threads, and interrupts at any moment: each call gives what it gives alone."""

import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.fx import graph_module

from obsvae import compare, fit, load, log_likelihood, make_pair

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def data():
    return load(np.random.default_rng(0).normal(size=(80, 3)))


@pytest.fixture(autouse=True)
def handled():
    """Let interrupts come as in the foreground: shells have programs in the background ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def trained(data, seed, family="normal"):
    """Return what a training and an estimate give."""
    model, guide = make_pair(f"{family}:scale=decoder", data, latent=1, hidden=[4], seed=seed)
    history = fit(model, guide, data, epochs=3, batch_size=16, seed=seed, compiled=False, **QUIET)
    estimate = log_likelihood(model, guide, data.test, 30, seed=seed, **QUIET).weights.estimate
    elbos = [(epoch.elbo, epoch.validation_elbo) for epoch in history]
    return elbos, [value.tolist() for value in model.state_dict().values()], estimate.tolist()


def test_threads_that_train_at_once_each_get_what_they_get_alone(data):
    cases = [(1, "normal"), (2, "laplace")]
    alone = [trained(data, *case) for case in cases]
    assert alone[0] != alone[1]
    before = torch.get_rng_state()
    barrier = threading.Barrier(len(cases))

    def together(case):
        barrier.wait()
        return trained(data, *case)

    with ThreadPoolExecutor(len(cases)) as threads:
        assert list(threads.map(together, cases)) == alone
    assert torch.equal(torch.get_rng_state(), before)


def test_models_side_by_side_do_not_notice_each_other(data):
    alone = trained(data, 1)
    first, second = (make_pair("normal:scale=decoder", data, latent=1, hidden=[4], seed=seed) for seed in (1, 2))
    fit(*second, data, epochs=1, batch_size=16, seed=5, compiled=False, **QUIET)
    history = fit(*first, data, epochs=3, batch_size=16, seed=1, compiled=False, **QUIET)
    assert [(epoch.elbo, epoch.validation_elbo) for epoch in history] == alone[0]
    fit(*second, data, epochs=1, batch_size=16, seed=6, compiled=False, **QUIET)
    assert [value.tolist() for value in first[0].state_dict().values()] == alone[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timers that send signals")
@pytest.mark.parametrize("what", ["fit", "log_likelihood", "compare"])
def test_after_an_interrupt_at_any_moment_the_next_call_gives_the_same(what, data, tmp_path):
    model, guide = make_pair("normal:scale=decoder", data, latent=1, hidden=[4], seed=0)
    small = {"epochs": 2, "batch_size": 20, "latent": 1, "hidden": [4], "particles": 20, "seeds": 1, **QUIET}
    calls = {
        "fit": lambda place: _fitted(data),
        "log_likelihood": lambda place: log_likelihood(model, guide, data.test, 100, **QUIET).weights.estimate.tolist(),
        "compare": lambda place: compare(["normal"], data, out=place, **small).best.nats_per_datum,
    }
    call, chance = calls[what], random.Random(0)
    expected = call(tmp_path / "whole")
    seconds = _seconds(call, tmp_path / "timed")
    interrupted = 0
    for number in range(8):
        place = tmp_path / f"{number}"
        came = _interrupted(lambda place=place: call(place), chance.uniform(1e-3, seconds))
        interrupted += came
        assert call(place) == expected
    assert interrupted


def _fitted(data):
    """Return what a training gives; one that is interrupted ends in order, with a history that says so."""
    model, guide = make_pair("normal:scale=decoder", data, latent=1, hidden=[4], seed=1)
    history = fit(model, guide, data, epochs=6, batch_size=8, seed=1, compiled=False, **QUIET)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return [epoch.validation_elbo for epoch in history], [value.tolist() for value in model.state_dict().values()]


def _interrupted(call, after):
    """Return whether an interrupt that came after some seconds ended a call, by an exception or in order."""
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        call()
        timer.cancel()
        timer.join()
        time.sleep(0.01)  # where the interrupt may still come
    except KeyboardInterrupt:
        return True
    return False


def _seconds(call, place):
    start = time.perf_counter()
    call(place)
    return time.perf_counter() - start


def test_a_training_leaves_no_sources_of_graphs_behind(data):
    trained(data, 1)
    before = set(graph_module._loader.eval_cache)
    trained(data, 2)
    assert set(graph_module._loader.eval_cache) == before
