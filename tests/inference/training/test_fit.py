"""Training: that it learns, repeats, stops in order, and touches nothing but its own pair."""

import random

import numpy as np
import pyro
import pytest
import torch
from pyro.infer import Trace_ELBO, TraceMeanField_ELBO

from obsvae.guides import AmortisedDelta, AmortisedNormal, MLPEncoder
from obsvae.inference import fit
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal
from tests.inference.training.conftest import OPTIONS, Batches, interrupt, same, untimed, validation_elbo, weights


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


@pytest.mark.parametrize(
    ("scale", "elbo"),
    [
        (0.5, TraceMeanField_ELBO),
        ("optimal", TraceMeanField_ELBO),
        ("shared", Trace_ELBO),
        pytest.param("shared", TraceMeanField_ELBO, marks=pytest.mark.slow),
        pytest.param(0.5, Trace_ELBO, marks=pytest.mark.slow),
        pytest.param("optimal", Trace_ELBO, marks=pytest.mark.slow),
    ],
)
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
            objective=elbo(),
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
    batches = Batches()
    options = OPTIONS | {"batch_size": batch_size}
    history = fit(problem.model, problem.guide, data, epochs=2, callbacks=[batches], **options)
    seen, steps = batches.seen, -(-130 // batch_size)
    assert [len(x) for x in seen[:steps]] == [min(batch_size, 130 - start) for start in range(0, 130, batch_size)]
    assert [epoch.step for epoch in history] == [steps, 2 * steps]
    orders = [torch.cat(seen[:steps]), torch.cat(seen[steps:])]
    for order in orders:
        assert sorted(map(tuple, order.tolist())) == sorted(map(tuple, data.train.tolist()))
    assert not torch.equal(*orders)
    assert not torch.equal(orders[0], data.train)


def test_epoch_elbo_is_the_mean_over_data_and_not_over_batches(small):
    # A point mass draws nothing, and a tiny step moves nothing: what each batch is worth can be told afterwards.
    problem, data = small()
    problem.guide = AmortisedDelta(MLPEncoder((4,), 2, (8,)))
    batches = Batches()
    history = fit(problem.model, problem.guide, data, epochs=1, callbacks=[batches], **OPTIONS | {"lr": 1e-12})
    assert [len(x) for x in batches.seen] == [50, 50, 30]
    with torch.no_grad():
        worth = [problem.model.given(problem.guide(x)).log_prob(x).sum(1) for x in batches.seen]
    assert history.epochs[0].elbo == pytest.approx(torch.cat(worth).mean().item(), rel=1e-5)
    over_batches = np.mean([batch.mean().item() for batch in worth])
    assert history.epochs[0].elbo != pytest.approx(over_batches, rel=1e-5)


def test_warmup_ramps_step_by_step(small):
    problem, data = small(hidden=())
    decoder, layer = problem.model.decoder.head, problem.guide.encoder.layers[-1]
    with torch.no_grad():  # x says nothing about z, so that all of the guide's gradient is of the KL: its mean, here 1
        decoder.weight.zero_()
        layer.weight.zero_()
        layer.bias.fill_(1.0)
    slopes = []
    layer.bias.register_hook(lambda gradient: slopes.append(gradient[0].item()))
    history = fit(problem.model, problem.guide, data, epochs=4, kl_warmup=2, **OPTIONS | {"lr": 1e-12})
    np.testing.assert_allclose(slopes, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1, 1, 1, 1], rtol=1e-5)
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
        reconstruction = problem.model.given(problem.guide(data.validation)).log_prob(data.validation).sum(1).mean()
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


def test_fresh_noise_is_drawn_once_an_epoch_and_trained_on(small):
    problem, data = small(noise=0.2)
    batches = Batches()
    fit(problem.model, problem.guide, data, epochs=3, callbacks=[batches], **OPTIONS)
    assert len(data.generators) == 3
    assert len({id(g) for g in data.generators}) == 1
    assert isinstance(data.generators[0], torch.Generator)
    first, second, third = data.drawn
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    for i, drawn in enumerate(data.drawn):
        used = torch.cat(batches.seen[3 * i : 3 * i + 3])
        assert sorted(map(tuple, used.tolist())) == sorted(map(tuple, drawn.tolist()))


def test_another_seed_draws_other_noise(small):
    drawn = []
    for seed in (0, 0, 1):
        problem, data = small(noise=0.2)
        fit(problem.model, problem.guide, data, epochs=1, seed=seed, **OPTIONS)
        drawn.append(data.drawn[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


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
        sigmas.append((self.scale.start * self.scale.value).item())

    monkeypatch.setattr(Normal, "update", record)
    history = fit(problem.model, problem.guide, data, epochs=4, **OPTIONS)
    assert len(sigmas) == 4
    for (loc, x), sigma in zip(pairs, sigmas, strict=True):
        assert torch.equal(x, data.train)
        assert sigma == pytest.approx((x - loc).double().square().mean().sqrt().item(), rel=1e-5)
    assert len(set(sigmas)) == 4
    scale = problem.model.observation.scale
    assert (scale.start * scale.value).item() == sigmas[history.best.epoch - 1]
    # Draws of z, and not means: the same eta twice would be the mean's.
    assert problem.model.observation.describe()["scale"] == pytest.approx(sigmas[history.best.epoch - 1])


def test_a_pair_starts_from_the_training_data_once(small):
    problem, data = small()
    data.train = 100 + 7 * data.train
    data.validation = data.train[:20]
    data.at_epoch = {1: interrupt}
    fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
    torch.testing.assert_close(problem.guide.encoder.inputs.offset, data.train.mean(0))
    torch.testing.assert_close(problem.b.float(), data.train.mean(0), rtol=1e-4, atol=1e-3)
    before = weights(problem)
    data.train, data.validation, data.generators = data.train + 1, data.validation + 1, []
    fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
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
    second = fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
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
