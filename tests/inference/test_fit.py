"""Training: that it learns, repeats, stops in order, and touches nothing but its own pair."""

import dataclasses
import importlib
import random

import numpy as np
import pyro
import pytest
import torch
from pyro.infer import RenyiELBO, Trace_ELBO, TraceMeanField_ELBO

from guides import AmortisedDelta, AmortisedNormal, MLPEncoder
from inference import TrainingDiverged, fit
from inference.objective import Objective
from model import VAE, Bernoulli, MLPDecoder, Normal, StandardNormal

# `inference.fit` is the function; the module of that name has to be asked for.
fit_module = importlib.import_module("inference.svi")


def weights(problem):
    return {
        f"{part}.{name}": value.clone()
        for part in ("model", "guide")
        for name, value in getattr(problem, part).state_dict().items()
    }


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def untimed(history):
    return [dataclasses.replace(epoch, seconds=0.0) for epoch in history]


class Recording(TraceMeanField_ELBO):
    """Keeps what it was called with in training, and what it returned."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def _get_traces(self, model, guide, args, kwargs):
        if model.training:
            self.seen.append(args[0].clone())
        return super()._get_traces(model, guide, args, kwargs)


@pytest.fixture
def small(linear_gaussian, tensors):
    """Return a small problem and its data: 130 training data make batches of 50, 50 and 30."""

    def build(seed=0, hidden=(8,), **options):
        problem = linear_gaussian(hidden=hidden, seed=seed)
        # other data than the untrained model's own, so that there is something to learn
        source = linear_gaussian(seed=100)
        return problem, tensors(source.draw(130, 1), source.draw(60, 2), **options)

    return build


OPTIONS = {"batch_size": 50, "lr": 1e-2, "exported": False, "progress": False}


def test_training_reaches_the_exact_marginal(linear_gaussian, tensors):
    source = linear_gaussian(seed=5)
    data = tensors(source.draw(2000, 1), source.draw(500, 2))
    problem = linear_gaussian(seed=6)
    # The observation's scale is given in data units: the best marginal is the source's own.
    history = fit(problem.model, problem.guide, data, epochs=30, batch_size=100, lr=2e-2, progress=False)
    truth = source.log_marginal(data.validation).mean()
    exact = problem.log_marginal(data.validation).mean()
    assert history.epochs[0].validation_elbo < history.best.validation_elbo - 0.5
    assert history.epochs[0].elbo < history.epochs[-1].elbo
    assert history.best.validation_elbo == pytest.approx(exact, abs=0.1)
    assert exact == pytest.approx(truth, abs=0.05)
    assert history.stopped == "finished"
    assert [epoch.epoch for epoch in history] == list(range(1, 31))
    assert [epoch.step for epoch in history] == list(range(20, 601, 20))
    seconds = [epoch.seconds for epoch in history]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


@pytest.mark.parametrize("exported", [False, True])
def test_same_seed_same_history_and_weights(small, exported):
    runs = []
    for seed, noise in [(3, 7), (3, 8), (4, 9)]:
        problem, data = small(noise=0.1)
        torch.manual_seed(noise)
        history = fit(problem.model, problem.guide, data, epochs=3, seed=seed, **OPTIONS | {"exported": exported})
        runs.append((untimed(history), weights(problem)))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])
    assert runs[0][0] != runs[2][0]
    assert not same(runs[0][1], runs[2][1])


@pytest.mark.parametrize("elbo", [TraceMeanField_ELBO, Trace_ELBO])
@pytest.mark.parametrize("scale", [0.5, "shared", "optimal"])
def test_exported_or_not_gives_the_same_history(small, elbo, scale):
    histories, final = [], []
    for exported in (False, True):
        problem, data = small()
        problem.model.observation = Normal(scale=scale)
        history = fit(
            problem.model,
            problem.guide,
            data,
            epochs=3,
            kl_warmup=2,
            clip=5.0,
            elbo=elbo(),
            **OPTIONS | {"exported": exported},
        )
        histories.append(history)
        final.append(weights(problem))
    for a, b in zip(*histories, strict=True):
        assert a.elbo == pytest.approx(b.elbo, rel=1e-4)
        assert a.validation_elbo == pytest.approx(b.validation_elbo, rel=1e-4)
        assert (a.step, a.kl_weight) == (b.step, b.kl_weight)
    for name in final[0]:
        torch.testing.assert_close(final[0][name], final[1][name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 50, 129, 130, 1000])
def test_every_datum_is_used_once_an_epoch(small, batch_size):
    problem, data = small()
    elbo = Recording()
    history = fit(problem.model, problem.guide, data, epochs=2, elbo=elbo, **OPTIONS | {"batch_size": batch_size})
    steps = -(-130 // batch_size)
    assert [len(x) for x in elbo.seen[:steps]] == [min(batch_size, 130 - start) for start in range(0, 130, batch_size)]
    assert [epoch.step for epoch in history] == [steps, 2 * steps]
    orders = [torch.cat(elbo.seen[:steps]), torch.cat(elbo.seen[steps:])]
    for order in orders:
        assert sorted(map(tuple, order.tolist())) == sorted(map(tuple, data.train.tolist()))
    assert not torch.equal(*orders)
    assert not torch.equal(orders[0], data.train)


def test_epoch_elbo_is_the_mean_over_data_and_not_over_batches(small, monkeypatch):
    losses = []
    step = fit_module._step
    monkeypatch.setattr(
        fit_module, "_step", lambda f, p, o, x, *rest: losses.append((step(f, p, o, x, *rest), len(x))) or losses[-1][0]
    )
    problem, data = small()
    history = fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
    assert [n for _, n in losses] == [50, 50, 30]
    expected = -sum(loss.item() * n for loss, n in losses) / 130
    assert history.epochs[0].elbo == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(-np.mean([loss.item() for loss, _ in losses]), rel=1e-5)


def validation_elbo(problem, data, seed=0, beta=1.0):
    """Return the validation ELBO with the draws that `fit` makes."""
    problem.model.eval(), problem.guide.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]), pyro.validation_enabled(False):
        torch.manual_seed(seed)
        objective = Objective(problem.model, problem.guide, TraceMeanField_ELBO())
        return -objective(data.validation, torch.tensor(beta)).item()


def test_patience_stops_and_the_best_weights_come_back(linear_gaussian, tensors):
    problem = linear_gaussian()
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
    history = fit(problem.model, problem.guide, data, epochs=100, patience=4, initialise=False, **OPTIONS)
    values = [epoch.validation_elbo for epoch in history]
    best = int(np.argmax(values))
    assert history.stopped == "patience"
    assert 1 < best < 90
    assert len(history) == best + 1 + 4
    assert history.best is history.epochs[best]
    assert same(weights(problem), states[best + 1])
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)


def test_best_weights_come_back_without_patience_too(linear_gaussian, tensors):
    problem = linear_gaussian()
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    data = tensors(x + 3, x - 3)
    history = fit(problem.model, problem.guide, data, epochs=12, initialise=False, seed=5, **OPTIONS)
    assert history.stopped == "finished"
    assert len(history) == 12
    assert history.best is not history.epochs[-1]
    assert validation_elbo(problem, data, seed=5) == pytest.approx(history.best.validation_elbo, rel=1e-6)


def test_warmup_ramps_step_by_step(small, monkeypatch):
    betas = []
    step = fit_module._step
    monkeypatch.setattr(
        fit_module, "_step", lambda f, p, o, x, beta, clip: betas.append(beta) or step(f, p, o, x, beta, clip)
    )
    problem, data = small()
    history = fit(problem.model, problem.guide, data, epochs=4, kl_warmup=2, **OPTIONS)
    np.testing.assert_allclose(betas, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1, 1, 1, 1])
    assert [epoch.kl_weight for epoch in history] == pytest.approx([0.5, 1, 1, 1])


def test_validation_counts_the_whole_kl_during_warmup(small):
    problem, data = small()
    history = fit(problem.model, problem.guide, data, epochs=1, kl_warmup=10, **OPTIONS)
    assert history.best.kl_weight == pytest.approx(0.1)
    assert validation_elbo(problem, data) == pytest.approx(history.best.validation_elbo, rel=1e-6)


@pytest.mark.parametrize("exported", [False, True])
def test_plain_autoencoder_trains_on_reconstruction_alone(small, exported):
    problem, data = small()
    problem.guide = AmortisedDelta(MLPEncoder((4,), 2, (8,)))
    history = fit(problem.model, problem.guide, data, epochs=20, **OPTIONS | {"exported": exported})
    assert {epoch.kl_weight for epoch in history} == {0.0}
    assert history.best.validation_elbo > history.epochs[0].validation_elbo + 1
    problem.model.eval()
    with torch.no_grad():
        eta = problem.model.decoder(problem.guide(data.validation))
        reconstruction = problem.model.observation(eta).log_prob(data.validation).sum(1).mean()
    assert history.best.validation_elbo == pytest.approx(reconstruction.item(), rel=1e-5)


def test_clip_bounds_the_gradient(small, monkeypatch):
    norms = []

    class Spy(torch.optim.Adam):
        def step(self, closure=None):
            grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
            norms.append(torch.nn.utils.get_total_norm(grads).item())
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Adam", Spy)
    results = {}
    for clip in (None, 0.5, 1e6):
        norms.clear()
        problem, data = small()
        fit(problem.model, problem.guide, data, epochs=2, clip=clip, **OPTIONS)
        results[clip] = list(norms), weights(problem)
    assert max(results[None][0]) > 1
    assert max(results[0.5][0]) <= 0.5 * (1 + 1e-5)
    assert max(results[0.5][0]) == pytest.approx(0.5, rel=1e-3)
    # A bound that is never reached changes nothing.
    assert same(results[None][1], results[1e6][1])
    assert not same(results[None][1], results[0.5][1])


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
    before = weights(problem)
    with pytest.raises(TrainingDiverged, match=r"stopped at step 1 \(epoch 1\).*the initial ones") as caught:
        fit(problem.model, problem.guide, data, epochs=5, initialise=False, **OPTIONS)
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


def interrupt(x):
    raise KeyboardInterrupt


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


def test_fresh_noise_is_drawn_once_an_epoch_and_trained_on(small):
    problem, data = small(noise=0.2)
    elbo = Recording()
    fit(problem.model, problem.guide, data, epochs=3, elbo=elbo, **OPTIONS)
    assert len(data.generators) == 3
    assert len({id(g) for g in data.generators}) == 1
    assert isinstance(data.generators[0], torch.Generator)
    first, second, third = data.drawn
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    for i, drawn in enumerate(data.drawn):
        used = torch.cat(elbo.seen[3 * i : 3 * i + 3])
        assert sorted(map(tuple, used.tolist())) == sorted(map(tuple, drawn.tolist()))


def test_another_seed_draws_other_noise(small):
    drawn = []
    for seed in (0, 0, 1):
        problem, data = small(noise=0.2)
        fit(problem.model, problem.guide, data, epochs=1, seed=seed, **OPTIONS)
        drawn.append(data.drawn[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("features", [1, 3])
@pytest.mark.parametrize("initialise", [True, False])
def test_data_of_another_shape_are_refused(small, split, features, initialise):
    problem, data = small()
    setattr(data, split, torch.randn(60, features))
    with pytest.raises(ValueError, match=r"shape \(N, 4\) with N ≥ 1, but got"):
        fit(problem.model, problem.guide, data, epochs=1, initialise=initialise, **OPTIONS)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused(small, split):
    problem, data = small()
    setattr(data, split, torch.zeros(0, 4))
    with pytest.raises(ValueError, match=split):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_data_outside_the_support_are_refused(small, split):
    problem, data = small()
    problem.model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Bernoulli())
    data.train, data.validation = torch.ones(20, 4), torch.ones(20, 4)
    getattr(data, split)[7, 2] = 0.5
    before = weights(problem)
    with pytest.raises(ValueError, match=r"found 0\.5 at datum 7"):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
    assert same(weights(problem), before)


def test_data_on_another_device_are_refused(small):
    problem, data = small()
    data.train = data.train.to("meta")
    with pytest.raises(ValueError, match="the model is on cpu, but the data are on meta"):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", -1),
        ("batch_size", 0),
        ("lr", 0.0),
        ("lr", -1e-3),
        ("lr", float("nan")),
        ("patience", 0),
        ("clip", 0.0),
        ("clip", -1.0),
        ("kl_warmup", -1),
    ],
)
def test_bad_arguments_are_refused(small, name, value):
    problem, data = small()
    before = weights(problem)
    with pytest.raises(ValueError, match=name):
        fit(problem.model, problem.guide, data, **{"epochs": 1, **OPTIONS, name: value})
    assert same(weights(problem), before)


def test_renyi_elbo_is_refused_before_anything_changes(small):
    problem, data = small()
    before = weights(problem)
    with pytest.raises(ValueError, match="RenyiELBO has no differentiable loss per trace; take TraceMeanField_ELBO"):
        fit(problem.model, problem.guide, data, elbo=RenyiELBO(num_particles=2), **OPTIONS)
    assert same(weights(problem), before)
    assert not data.drawn


def test_optimal_sigma_is_that_of_the_training_set(linear_gaussian, tensors, monkeypatch):
    problem = linear_gaussian(hidden=(8,))
    problem.model.observation = Normal(scale="optimal")
    # Validation data are far wider, and the data of an epoch noisier: either would show in sigma.
    data = tensors(problem.draw(700), 10 * problem.draw(50, 2), noise=5.0)
    pairs, sigmas = [], []
    update = Normal.update

    def record(self, batches):
        batches = list(batches)
        pairs.append((self.loc(torch.cat([eta for eta, _ in batches])), torch.cat([x for _, x in batches])))
        update(self, batches)
        sigmas.append(self.scale.value.item())

    monkeypatch.setattr(Normal, "update", record)
    history = fit(problem.model, problem.guide, data, epochs=4, **OPTIONS)
    assert len(sigmas) == 4
    for (loc, x), sigma in zip(pairs, sigmas, strict=True):
        assert torch.equal(x, data.train)
        assert sigma == pytest.approx((x - loc).double().square().mean().sqrt().item(), rel=1e-5)
    assert len(set(sigmas)) == 4
    assert problem.model.observation.scale.value.item() == sigmas[history.best.epoch - 1]
    # Draws of z, and not means: the same eta twice would be the mean's.
    assert problem.model.observation.describe()["scale"] == pytest.approx(sigmas[history.best.epoch - 1])


def test_initialise_starts_from_the_training_data(small):
    problem, data = small()
    data.train = 100 + 7 * data.train
    data.validation = data.train[:20]
    data.at_epoch = {1: interrupt}
    fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
    torch.testing.assert_close(problem.guide.encoder.offset, data.train.mean(0))
    torch.testing.assert_close(problem.b.float(), data.train.mean(0), rtol=1e-4, atol=1e-3)
    before = weights(problem)
    data.train, data.validation, data.generators = data.train + 1, data.validation + 1, []
    fit(problem.model, problem.guide, data, epochs=1, initialise=False, **OPTIONS)
    assert same(weights(problem), before)


def test_the_callers_random_state_and_settings_are_left_alone(small):
    problem, data = small(noise=0.1)
    for options in ({}, {"exported": True}):
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate(), pyro.settings.get()  # noqa: NPY002
        fit(problem.model, problem.guide, data, epochs=2, **OPTIONS | options)
        assert torch.equal(before[0], torch.get_rng_state())
        assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
        assert before[2] == random.getstate()
        assert before[3] == pyro.settings.get()
        assert torch.is_grad_enabled()


def test_two_pairs_train_side_by_side(small):
    pyro.clear_param_store()
    first, data = small(seed=0)
    second, other = small(seed=1)
    untouched = weights(second)
    start = weights(first)
    fit(first.model, first.guide, data, epochs=2, **OPTIONS)
    assert not same(weights(first), start)
    assert same(weights(second), untouched)
    trained = weights(first)
    fit(second.model, second.guide, other, epochs=2, **OPTIONS)
    assert same(weights(first), trained)
    assert not list(pyro.get_param_store())
    # Alone it ends where it ended beside the other.
    alone, data = small(seed=1)
    fit(alone.model, alone.guide, data, epochs=2, **OPTIONS)
    assert same(weights(alone), weights(second))


def test_a_second_fit_goes_on_from_the_first(small):
    problem, data = small()
    first = fit(problem.model, problem.guide, data, epochs=10, **OPTIONS)
    second = fit(problem.model, problem.guide, data, epochs=1, initialise=False, **OPTIONS)
    assert second.epochs[0].elbo > first.epochs[0].elbo + 1


def test_double_precision(linear_gaussian, tensors):
    problem = linear_gaussian(dtype=torch.float64)
    data = tensors(problem.draw(60), problem.draw(20, 2))
    history = fit(problem.model, problem.guide, data, epochs=2, **OPTIONS)
    assert np.isfinite(history.best.validation_elbo)


def test_images_train_too(tensors):
    x = torch.rand(40, 2, 3, 4)
    model = VAE(StandardNormal(2), MLPDecoder(2, (2, 3, 4), hidden=(8,)), Normal(scale="shared"))
    guide = AmortisedNormal(MLPEncoder((2, 3, 4), 4, (8,)))
    history = fit(model, guide, tensors(x, x[:10]), epochs=2, progress=False, batch_size=16)
    assert len(history) == 2
