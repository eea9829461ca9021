"""Comparisons from Python, on data in memory."""

import copy

import numpy as np
import pyro.distributions as dist
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import compare, train_run
from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.comparison import candidate
from obsvae.experiments.comparison.acceptance import require_comparable
from obsvae.model import OBSERVATIONS, Measure, MeasureMismatch, Normal, Observation, make_observation
from obsvae.model.observations.support import REAL_LINE
from tests.experiments.dealt import inline_workers

SMALL = {"latent": 2, "hidden": (8,), "epochs": 2, "batch_size": 20, "particles": 20, "progress": False}
NUMBERS = ("seeds", "jobs", "latent", "epochs", "batch_size", "particles", "limit", "memory")


@pytest.fixture(scope="module")
def compared(counts, tmp_path_factory):
    """Return a comparison that the tests below read, and its folder."""
    folder = tmp_path_factory.mktemp("compared") / "cmp"
    return compare(["normal", "bernoulli", "poisson"], counts, seeds=2, out=folder, **SMALL), folder


def test_results_have_fields(compared):
    found, _ = compared
    assert (found.scale, found.n, found.seeds) == ("mass of the grid cell", 6, 2)
    by_name = {score.observation: score for score in found.scores}
    assert list(by_name)[-1] == "bernoulli"
    assert by_name["bernoulli"].nats_per_datum is None
    normal, poisson = by_name["normal"], by_name["poisson"]
    assert (normal.measure, poisson.measure) == ("density", "mass")
    assert poisson.own_nats_per_datum == poisson.nats_per_datum
    assert {normal.rank, poisson.rank} == {1, 2}
    best, other = (normal, poisson) if normal.rank == 1 else (poisson, normal)
    assert found.best is best
    assert best.difference.mean == 0
    assert other.difference.mean == pytest.approx(other.nats_per_datum - best.nats_per_datum)
    assert best.spread > 0
    assert list(found.ranking) == [best.observation, other.observation]
    learning = {one.observation: one for one in found.learning}
    assert learning["normal"].parameters > 50
    assert (learning["normal"].diverged, learning["bernoulli"].seconds) == (0, None)
    assert [len(found.curves[name]) for name in ("normal", "poisson", "bernoulli")] == [2, 2, 0]
    (refused,) = (remark for remark in found.remarks if remark.observations == ("bernoulli",))
    assert not refused.is_warning
    assert "not trained: bernoulli needs x to be 0 or 1" in refused.text
    assert refused.text in found.table()
    assert set(found.figures) == {"ranking", "learning"}


def test_scores_carry_the_row_of_the_source(compared, counts):
    _, folder = compared
    columns = np.genfromtxt(folder / "normal/seed-0/scores.csv", delimiter=",", names=True)
    assert columns["row"].tolist() == counts.rows["test"].tolist()
    assert columns["datum"].tolist() == list(range(6))


@pytest.mark.parametrize("where", ["training", "scoring"])
def test_an_interrupted_part_goes_on_where_it_was(where, counts, tmp_path, monkeypatch):
    small, specs = {**SMALL, "epochs": 3, "seeds": 1}, ["normal", "poisson"]
    compare(specs, counts, out=tmp_path / "whole", **small)
    of_epoch, trained = candidate._Curves.on_epoch, list[str]()

    def interrupted(self, history):
        of_epoch(self, history)
        if len(history) == 2:
            raise KeyboardInterrupt

    def ended(*_):
        raise KeyboardInterrupt

    place = {"training": (candidate._Curves, "on_epoch", interrupted), "scoring": (candidate, "_scores", ended)}
    with monkeypatch.context() as patch:
        patch.setattr(*place[where])
        with pytest.raises(KeyboardInterrupt):
            compare(specs, counts, out=tmp_path / "cut", **small)

    def train(observation, *more, **options):
        trained.append(observation)
        return train_run(observation, *more, **options)

    monkeypatch.setattr(candidate, "train_run", train)
    compare(specs, counts, out=tmp_path / "cut", **small)
    assert trained == ["poisson"]
    assert differences(tmp_path / "whole", tmp_path / "cut") == []


def test_nothing_is_kept_unless_asked_for(counts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = compare(["normal"], counts, seeds=1, **{**SMALL, "epochs": 1})
    assert found.folder is None
    assert found.figures["learning"] is not None
    assert list(tmp_path.iterdir()) == []


class WithoutCells(Observation):
    """A density whose mass of an interval is not known."""

    outputs, measure, support = 1, Measure.LEBESGUE, REAL_LINE

    def forward(self, eta):
        return dist.Gumbel(eta.squeeze(-1), torch.ones(()))

    def initialise(self, x):
        return x.mean(0).unsqueeze(-1)


class Faulty(WithoutCells):
    """A family whose code has a fault that shows in training alone."""

    def forward(self, eta):
        if eta.requires_grad:
            raise ValueError("operands could not be broadcast together")
        return dist.Normal(eta.squeeze(-1), torch.ones(()))


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setitem(OBSERVATIONS, "without-cells", WithoutCells)
    monkeypatch.setitem(OBSERVATIONS, "faulty", Faulty)


def test_a_density_without_the_mass_of_a_cell_is_refused_before_any_training(own, counts, tmp_path):
    with pytest.raises(UsageError, match=r"no candidate takes these data; of without-cells: .*mass") as caught:
        compare(["without-cells"], counts, out=tmp_path / "cmp", **SMALL)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cmp").exists()


@pytest.mark.slow
def test_off_a_grid_it_needs_no_mass(own, in_memory):
    found = compare(["without-cells", "normal"], in_memory, seeds=1, **SMALL)
    assert found.scale == "density in data units"
    assert len(found.ranking) == 2


def test_a_fault_of_the_program_shows_its_traceback_and_is_not_told_as_the_users(own, counts, tmp_path, capsys):
    found = compare(["poisson", "faulty"], counts, seeds=1, out=tmp_path / "cmp", **SMALL)
    (remark,) = (remark for remark in found.remarks if remark.observations == ("faulty",))
    assert "a fault of the program (ValueError: operands could not be broadcast" in remark.text
    assert "Traceback (most recent call last)" in capsys.readouterr().err
    assert "in forward" in (tmp_path / "cmp/faulty/seed-0/traceback.txt").read_text(encoding="utf-8")
    with pytest.raises(RuntimeError, match="a fault of the program"):
        compare(["faulty"], counts, seeds=1, **SMALL)


def test_densities_and_masses_off_a_grid_cannot_be_ranked(tmp_path):
    x = np.random.default_rng(0).poisson(5, size=(60, 3)).astype(np.float32)
    with pytest.raises(MeasureMismatch, match="cannot be ranked"):
        compare(["normal", "poisson"], load(x), out=tmp_path / "cmp", **SMALL)
    assert not (tmp_path / "cmp").exists()


def test_a_scale_that_does_not_take_the_data_is_told_before_any_training():
    degrees = np.random.default_rng(0).integers(0, 361, size=(60, 3))
    degrees[0, :2] = 0, 360  # once round, and so the same angle twice
    with pytest.raises(UsageError, match=r"of von-mises: .* angles repeat after 360"):
        compare(["von-mises"], load(degrees, bounds=(0, 360)), **SMALL)


def test_an_array_is_no_dataset(array):
    with pytest.raises(UsageError, match=r"compare needs a dataset, but got ndarray: load\(x\) makes one"):
        compare(["normal"], array)


def test_where_all_workers_die_nothing_came_to_an_end(counts):
    with inline_workers() as kind:
        kind.deadly = ("seed-0",)
        with pytest.raises(UsageError, match=r"no candidate came to an end.*fewer jobs"):
            compare(["normal"], counts, seeds=1, jobs=1, **SMALL)


@pytest.mark.parametrize(
    ("specs", "more", "words"),
    [
        ("normal", {}, "needs a list of candidates as texts, .* but got 'normal'"),
        ([], {}, "needs a list of candidates"),
        ([Normal()], {}, r"as texts, such as \['normal', .*\], but one of them is of type Normal"),
        (Normal(), {}, "a list of candidates as texts, .* but got Normal"),
        *((["normal"], {name: 0}, f"{name} needs to be a whole number of at least 1, but got 0") for name in NUMBERS),
        (["normal"], {"jobs": 1, "scheduler": "tcp://x:1"}, "give one of the two"),
        (["normal"], {"jobs": -1}, "jobs needs to be a whole number of at least 1, but got -1"),
        (["normal"], {"seeds": -1}, "seeds needs to be a whole number of at least 1, but got -1"),
        (["normal"], {"limit": -3}, "limit needs to be a whole number of at least 1, but got -3"),
        (["normal"], {"epochs": 2.0}, r"epochs needs to be a whole number of at least 1, but got 2\.0"),
        (["normal"], {"hidden": [8, 0]}, "hidden needs to be a whole number of at least 1, but got 0"),
        (["normal", "normal"], {}, "named twice"),
        (["nomal"], {}, "did you mean 'normal'"),
        (["normal"], {"guide": "delta"}, "guide 'delta' has no density"),
        (["normal"], {"architecture": "conv"}, "conv needs images"),
        (["normal"], {"latent": 10**9}, r"memory .*; take smaller networks"),
    ],
)
def test_wrong_use_costs_no_training(specs, more, words, counts, tmp_path):
    with pytest.raises(UsageError, match=words):
        compare(specs, counts, out=tmp_path / "cmp", **{**SMALL, **more})
    assert not (tmp_path / "cmp").exists()


def test_a_folder_of_data_that_were_split_or_prepared_otherwise_is_refused(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, size=(60, 3)).astype(np.uint8)
    options = {"seeds": 1, "epochs": 1, "latent": 2, "hidden": [8], "particles": 30, "progress": False}
    splits = {"train": range(20), "validation": range(20, 40), "test": range(40, 60)}
    other = {"train": range(20, 60), "validation": range(10, 20), "test": range(10)}
    compare(["normal"], load(x, dequantise=True, splits=splits), out=tmp_path / "out", **options)
    for changed in ({"splits": other}, {"splits": splits, "seed": 1}):
        with pytest.raises(UsageError, match="other settings: data_fingerprint"):
            compare(["normal"], load(x, dequantise=True, **changed), out=tmp_path / "out", **options)


@pytest.mark.parametrize("name", ["normal", "student-t:scale=decoder", "von-mises"])
def test_arrays_with_holes_are_taken(tmp_path, name):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    x[3, 2] = np.nan
    np.save(tmp_path / "x.npy", x)
    data = load(tmp_path / "x.npy", missing=True)
    observation = make_observation(name, data)
    require_comparable(observation, data)
    assert copy.deepcopy(observation).measures == observation.measures
