"""Runs: trained from Python, read back where the data are or are not."""

import json

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import load_run, make_pair, train_run
from obsvae.inference import Callback, TrainingDiverged, log_likelihood
from obsvae.model import OBSERVATIONS, Normal

SMALL = {"latent": 2, "hidden": (8,), "epochs": 2, "batch_size": 20, "progress": False}


@pytest.fixture(scope="module")
def standardised(array):
    return load(array, scaling="standardise")


@pytest.fixture(scope="module")
def trained(standardised, tmp_path_factory):
    return train_run("normal:scale=per-feature", standardised, tmp_path_factory.mktemp("trained") / "run", **SMALL)


def test_a_run_comes_back_without_its_data(trained, standardised):
    found = load_run(trained.folder)
    x = standardised.test
    scores = [log_likelihood(r.model, r.guide, x, 20, progress=False).weights.estimate for r in (trained, found)]
    assert (scores[0] == scores[1]).all()
    assert not found.model.training
    assert found.history == trained.history
    assert found.config == json.loads(json.dumps(trained.config))
    assert found.config["prior"] == "standard-normal"
    assert found.config["data"] is None
    with pytest.raises(UsageError, match=r"data in memory, or with labels or splits of.*: load_run"):
        _ = found.data


def test_data_in_memory_are_given_back(trained, standardised, array):
    assert load_run(trained.folder, data=standardised).data is standardised
    with pytest.raises(UsageError, match="other data than array now holds"):
        load_run(trained.folder, data=load(array + 1, scaling="standardise"))
    with pytest.raises(UsageError, match="prepared otherwise: scaling was"):
        load_run(trained.folder, data=load(array))


def test_a_file_that_is_gone_or_changed_costs_the_data_alone(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    train_run("normal", load(tmp_path / "x.npy"), tmp_path / "run", **SMALL)
    assert load_run(tmp_path / "run").data.test.shape == (6, 4)
    np.save(tmp_path / "x.npy", array + 1)
    found = load_run(tmp_path / "run")
    assert found.model.event_shape == (4,)
    with pytest.raises(UsageError, match="other data than"):
        _ = found.data
    (tmp_path / "x.npy").unlink()
    with pytest.raises(UsageError, match=r"x\.npy"):
        _ = load_run(tmp_path / "run").data


def test_data_that_were_split_or_prepared_otherwise_are_refused(tmp_path, counts):
    x = np.random.default_rng(0).integers(0, 256, size=(40, 3)).astype(np.uint8)
    splits = {"train": range(20), "validation": range(20, 30), "test": range(30, 40)}
    other = {"train": range(20, 40), "validation": range(10, 20), "test": range(10)}
    warped = {"dequantise": True, "warp": 0.1, "splits": splits}
    data = load(x, **warped)
    run = train_run("normal", data, tmp_path / "run", **SMALL)
    assert load_run(run.folder, data=load(x, **warped)).data.fingerprint == data.fingerprint
    for changed in ({"splits": other}, {"seed": 1}, {"splits": None}):
        with pytest.raises(UsageError, match="split or prepared otherwise; load them as they were"):
            load_run(run.folder, data=load(x, **{**warped, **changed}))


def test_data_that_were_moved_are_passed(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    train_run("normal", load(tmp_path / "x.npy"), tmp_path / "run", **SMALL)
    (tmp_path / "x.npy").rename(tmp_path / "y.npy")
    with pytest.raises(UsageError, match=r"the data of .*run cannot be loaded: .*where they were moved, pass them"):
        _ = load_run(tmp_path / "run").data
    assert load_run(tmp_path / "run", data=load(tmp_path / "y.npy")).data.name.endswith("y.npy")


def test_what_is_no_dataset_is_refused_before_anything_is_written(tmp_path, array, in_memory):
    for observation, data in (("normal", array), (Normal(scale=1.0), in_memory)):
        with pytest.raises(UsageError, match=r"a run needs a dataset, load\(x\), and an observation as a text"):
            train_run(observation, data, tmp_path / "run", **SMALL)
    with pytest.raises(UsageError, match=r"make_pair needs a dataset, load\(x\), but got ndarray"):
        make_pair("normal", array)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_family_that_is_not_registered_here_says_so(tmp_path, in_memory, monkeypatch):
    monkeypatch.setitem(OBSERVATIONS, "mine", Normal)
    train_run("mine", in_memory, tmp_path / "run", **SMALL)
    monkeypatch.delitem(OBSERVATIONS, "mine")
    with pytest.raises(UsageError, match=r"cannot be built: unknown observation 'mine'.*registered here, too"):
        load_run(tmp_path / "run")


def test_data_that_were_made_binary_otherwise_are_refused(tmp_path):
    train_run("bernoulli", load("digits", binarise="threshold"), tmp_path / "run", **{**SMALL, "epochs": 1})
    with pytest.raises(UsageError, match="prepared otherwise: binarise was 'threshold', and is 'static' now"):
        load_run(tmp_path / "run", data=load("digits", binarise="static"))


def test_refused_data_leave_nothing(tmp_path, counts):
    with pytest.raises(UsageError, match=r"at datum \d+, feature"):
        train_run("bernoulli", counts, tmp_path / "run", **SMALL)
    assert list(tmp_path.iterdir()) == []


class Watching(Callback):
    """Notes which files there are at each call."""

    def __init__(self, folder):
        self.folder, self.seen = folder, []

    def on_start(self, model, guide):
        self.note("start")

    def on_epoch(self, history):
        self.note("epoch")

    def on_end(self, history):
        self.note("end")

    def note(self, when):
        self.seen.append((when, {path.name for path in self.folder.iterdir()}))


def test_a_run_is_saved_while_it_trains(tmp_path, in_memory):
    watching = Watching(tmp_path / "run")
    train_run("normal", in_memory, tmp_path / "run", **SMALL, callbacks=[watching])
    saved = {"config.json", "history.csv", "weights.safetensors", "state.safetensors"}
    assert watching.seen == [("start", {"config.json"}), ("epoch", saved), ("epoch", saved), ("end", saved)]


class Interrupting(Callback):
    def on_epoch(self, history):
        raise KeyboardInterrupt


def test_an_interrupt_keeps_the_run(tmp_path, in_memory):
    run = train_run("normal", in_memory, tmp_path / "run", **SMALL, callbacks=[Interrupting()])
    assert run.history.stopped == "interrupted"
    assert run.config["outcome"]["stopped"] == "interrupted"
    assert load_run(run.folder, data=in_memory).history.stopped == "interrupted"


def test_divergence_leaves_finite_weights(tmp_path, in_memory):
    with pytest.raises(TrainingDiverged, match="step"):
        train_run("normal", in_memory, tmp_path / "run", **SMALL, lr=1e30)
    run = load_run(tmp_path / "run")
    assert run.config["outcome"]["stopped"].startswith("diverged at step")
    assert all(bool(p.isfinite().all()) for p in run.model.parameters())


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_state(tmp_path, in_memory, trained):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = train_run("normal", in_memory, tmp_path / "a", **SMALL, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    other = train_run("normal:scale=per-unit", in_memory, tmp_path / "b", **SMALL, seed=3)
    files = [(run.folder / "weights.safetensors").read_bytes() for run in (one, other)]
    assert files[0] == files[1]
