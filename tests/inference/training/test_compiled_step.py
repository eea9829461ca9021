"""A compiled step takes the same steps as an uncompiled one."""

import warnings

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.pair import make_pair
from obsvae.guides import GUIDES
from obsvae.inference import TrainingDiverged, fit, make_objective
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.steps import compiled as compiled_step
from obsvae.inference.training.steps.compiled import CompiledStep
from obsvae.inference.training.steps.step import Decay, Step
from obsvae.model import OBSERVATIONS, WRAPPERS
from tests.inference.training.conftest import OPTIONS, untimed, weights

ROWS, BATCH, STEPS = 60, 20, 8
COMPILED = OPTIONS | {"exported": True, "compiled": True}


def data_for(kind, missing=False):
    """Return a small dataset whose values suit a family."""
    rng = np.random.default_rng(0)
    x, options = {
        "real": (rng.standard_normal((ROWS, 5)), {}),
        "positive": (np.exp(rng.standard_normal((ROWS, 5))), {}),
        "unit": (rng.uniform(0.02, 0.98, (ROWS, 5)), {"bounds": (0, 1)}),
        "angle": (rng.uniform(-3.1, 3.1, (ROWS, 5)), {"bounds": (-np.pi, np.pi)}),
        "count": (rng.poisson(3.0, (ROWS, 5)), {}),
        "binary": (rng.integers(0, 2, (ROWS, 5)), {}),
        "levels": (rng.integers(0, 5, (ROWS, 5)), {"bounds": (0, 4)}),
    }[kind]
    x = x if x.dtype.kind == "i" else x.astype(np.float32)  # whole numbers have a grid
    if missing:
        x = np.where(rng.random(x.shape) < 0.2, np.nan, x).astype(np.float32)
    return load(x, missing=missing, **options)


CASES = {
    "normal": "real",
    "normal:scale=decoder": "real",
    "normal:scale=optimal": "real",
    "laplace": "real",
    "logistic": "real",
    "student-t": "real",
    "log-normal": "positive",
    "gamma": "positive",
    "weibull": "positive",
    "beta": "unit",
    "continuous-bernoulli": "unit",
    "kumaraswamy": "unit",
    "logit-normal": "unit",
    "truncated-normal": "unit",
    "unnormalised-bernoulli": "unit",
    "von-mises": "angle",
    "poisson": "count",
    "negative-binomial": "count",
    "binomial": "levels",
    "bernoulli": "binary",
    "categorical": "levels",
    "ordinal": "levels",
    "mixture:components=2,inner=normal": "real",
    "zero-inflated:inner=gamma": "positive",
    "transformed:inner=normal,transform=log": "positive",
    "discretised:inner=logistic,scale=decoder": "levels",
    "dequantised:inner=normal": "levels",
}


class Pair:
    """A pair with an optimiser, which takes steps."""

    def __init__(self, observation, data, how, clip=None, objective="elbo", decay=0.0, **networks):
        self.model, self.guide = make_pair(observation, data, latent=2, hidden=(8,), **networks)
        for part in (self.model, self.guide):
            part.initialise(data.train)
        loss = make_objective(objective, self.model, self.guide)
        self.parameters = list(loss.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=1e-2, fused=True)
        self.step = how(ExportedObjective(loss), self.parameters, self.optimiser, clip, Decay(decay, loss))


def compiled(*arguments):
    return CompiledStep(*arguments, batch_size=BATCH, steps=None, tell=print)


def both(observation, data, clip=None, **networks):
    """Return an uncompiled and a compiled pair after the same steps, and the losses of each."""
    pairs = [Pair(observation, data, how, clip, **networks) for how in (Step, compiled)]
    losses = []
    beta = torch.tensor(0.0 if networks.get("guide") == "delta" else 0.7)
    for pair in pairs:
        torch.manual_seed(3)
        batches = [data.train[torch.randperm(len(data.train))[:BATCH]] for _ in range(STEPS)]
        batches[4] = batches[4][:7]  # one of another size between the others
        losses.append([pair.step(x, beta).item() for x in batches])
    return pairs, losses


def agree(pairs, losses):
    plain, quick = pairs
    assert quick.step.is_compiled is True
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-5, atol=1e-5)
    for a, b in zip(plain.parameters, quick.parameters, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)
        mine, its = quick.optimiser.state[b], plain.optimiser.state[a]
        assert mine.keys() == its.keys()
        for key, value in its.items():
            torch.testing.assert_close(mine[key], value, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_compiled_step_takes_the_steps_of_an_uncompiled_one():
    agree(*both("normal", data_for("real", missing=True), clip=0.5))


@pytest.mark.slow
@pytest.mark.parametrize("observation", CASES)
def test_every_family_takes_the_same_steps_compiled(observation):
    agree(*both(observation, data_for(CASES[observation])))


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES)
def test_every_guide_and_missing_entries_take_the_same_steps_compiled(guide):
    agree(*both("gamma", data_for("positive", missing=True), clip=1.0, guide=guide))


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["elbo:free=0.1", "iwae"])
def test_every_objective_takes_the_same_steps_compiled_and_so_does_weight_decay(objective):
    agree(*both("normal", data_for("real", missing=True), objective=objective, decay=0.1))


@pytest.mark.slow
@pytest.mark.parametrize("prior", ["mixture", "vamp", "flow"])
def test_every_prior_takes_the_same_steps_compiled(prior):
    agree(*both("normal", data_for("real"), prior=prior))


@pytest.mark.slow
def test_the_columns_of_a_table_take_the_same_steps_compiled(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        f"{rng.normal():.3f},{rng.poisson(3)},{rng.choice(['a', 'b', 'c'])},{rng.gamma(2):.3f}" for _ in range(ROWS)
    ]
    lines[3] = ",,a,"
    file = tmp_path / "table.csv"
    file.write_text("\n".join(["real,count,level,positive", *lines]) + "\n")
    agree(*both("by-column", load(file)))


def test_every_family_is_tried():
    assert {name.partition(":")[0] for name in CASES} == OBSERVATIONS.keys() | WRAPPERS.keys() - {"partial"}


def test_few_steps_do_not_pay_for_compiling(small, monkeypatch):
    monkeypatch.setattr(CompiledStep, "_compile", lambda *_: pytest.fail("it was compiled"))
    problem, data = small()
    auto = fit(problem.model, problem.guide, data, epochs=2, **COMPILED | {"compiled": "auto"})
    problem, data = small()
    never = fit(problem.model, problem.guide, data, epochs=2, **COMPILED | {"compiled": False})
    assert untimed(auto) == untimed(never)


@pytest.mark.parametrize(
    ("compiler", "steps", "may_end", "tried_at"),
    [
        ("c++", 100_000, False, 2),  # the first step makes the optimiser's state
        ("no-such-compiler", 100_000, False, None),
        ("c++", 10, False, None),
        ("c++", 100_000, True, 5),
        ("c++", 8, True, None),
    ],
)
def test_it_is_compiled_where_and_when_that_pays(monkeypatch, compiler, steps, may_end, tried_at):
    tries, told = [], []
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setattr(compiled_step.shutil, "which", lambda name: name if name == "c++" else None)
    monkeypatch.setattr(CompiledStep, "_compile", lambda *_: tries.append(1) or False)
    # Five steps pay for what may end at any time, and ten steps do not for what has ten.
    monkeypatch.setattr(compiled_step, "_COMPILING", 5.0 if may_end else 50.0)
    monkeypatch.setattr(compiled_step, "_SAVED", 1.0)
    monkeypatch.setattr(compiled_step, "_COMPILING_OPERATION", 0.0)
    monkeypatch.setattr(compiled_step, "_SAVED_OPERATION", 0.0)
    data = data_for("real")
    settings = {"batch_size": BATCH, "steps": steps, "may_end": may_end, "tell": told.append}
    pair = Pair("normal", data, lambda *them: CompiledStep(*them, **settings))
    for step in range(1, 8):
        pair.step(data.train[:BATCH], torch.tensor(1.0))
        assert len(tries) == (tried_at is not None and step >= tried_at)
    assert len(told) == len(tries)
    assert all("compiling the step" in line for line in told)


@pytest.mark.parametrize("kind", [RuntimeError, OSError])
def test_what_cannot_be_compiled_is_told_and_goes_on(kind, small, monkeypatch):
    def fails(*arguments, **options):
        raise kind("no compiler here\nand much more")

    monkeypatch.setattr(torch, "compile", fails)
    histories = []
    for how in (True, False):
        problem, data = small()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            histories.append(fit(problem.model, problem.guide, data, epochs=3, **COMPILED | {"compiled": how}))
        said = [str(one.message) for one in caught if "compiled" in str(one.message)]
        assert len(said) == how
        if how:
            assert "no compiler here" in said[0]
            assert "\n" not in said[0]
    assert untimed(histories[0]) == untimed(histories[1])


@pytest.mark.slow
@pytest.mark.parametrize("spoiled", [True, False])
def test_divergence_is_told_alike_compiled_or_not(small, spoiled):
    told = []
    for how in (True, False):
        problem, data = small()
        if spoiled:
            data.at_epoch = {3: lambda x: torch.where(torch.arange(len(x))[:, None] == 17, torch.nan, x)}
        options = COMPILED | {"compiled": how, "batch_size": 26, "lr": 1e-2 if spoiled else 1e30}
        with pytest.raises(TrainingDiverged) as caught:
            fit(problem.model, problem.guide, data, epochs=5, **options)
        told.append((str(caught.value), caught.value.history.stopped))
        assert all(bool(value.isfinite().all()) for value in weights(problem).values())
    assert told[0] == told[1]


def test_what_watches_gradients_is_not_passed_over(small):
    problem, data = small()
    seen = []
    problem.model.decoder.head.weight.register_hook(lambda gradient: seen.append(gradient))
    with pytest.warns(UserWarning, match="hooks"):
        fit(problem.model, problem.guide, data, epochs=2, **COMPILED)
    assert len(seen) == 6


@pytest.mark.slow
def test_one_process_compiles_many_pairs():
    for seed in range(12):  # torch stops after eight of one function
        pair = Pair("normal", data_for("real"), compiled, seed=seed)
        for _ in range(3):
            pair.step(data_for("real").train[:BATCH], torch.tensor(1.0))
        assert pair.step.is_compiled is True


def test_only_the_exported_graph_can_be_compiled(small):
    problem, data = small()
    with pytest.raises(UsageError, match="exported=True"):
        fit(problem.model, problem.guide, data, **COMPILED | {"exported": False})
