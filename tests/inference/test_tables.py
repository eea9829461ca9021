"""Tables of every kind of column: trained, estimated, exported, with missing entries left out exactly."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pyro.infer import TraceMeanField_ELBO

from obsvae.data import Column, Kind
from obsvae.experiments import make_pair
from obsvae.inference import Annealed, Refined, fit, log_likelihood, missed_mass, to_arviz
from obsvae.inference.likelihood.density.curvature import curvature
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.model import MLPDecoder, Spread, on_grid
from tests.tables import COLUMNS, mixed


def trained(data, observation="by-column", epochs=30, **more):
    model, guide = make_pair(observation, data, latent=2, hidden=[32], seed=0, **more)
    history = fit(model, guide, data, epochs=epochs, batch_size=50, lr=3e-3, progress=False)
    return model, guide, history


@pytest.fixture(scope="module")
def pair():
    data = mixed(600)
    return (*trained(data), data)


def test_a_mixed_table_trains(pair):
    _, _, history, _ = pair
    assert history.stopped == "finished"
    assert history.best.validation_elbo > history.epochs[0].validation_elbo + 2.5


@pytest.mark.slow
def test_refined_and_annealed_estimates_agree_on_a_mixed_table(pair):
    model, guide, _, data = pair
    x = data.test[:6]
    refined = log_likelihood(model, guide, x, 500, proposal=Refined(), progress=False)
    annealed = log_likelihood(model, guide, x, 32, proposal=Annealed(temperatures=100, most=400), progress=False)
    assert not refined.weights.flagged.any()
    error = np.hypot(refined.weights.standard_error, annealed.weights.standard_error)
    assert (np.abs(refined.weights.estimate - annealed.weights.estimate) < 4 * error + 0.02).all()


def test_a_hidden_entry_counts_for_nothing(pair):
    model, guide, _, data = pair
    x = data.test[:8].clone()
    x[0] = torch.nan
    found = log_likelihood(model, guide, x, 200, proposal=Refined(), progress=False)
    assert found.weights.estimate[0] == 0.0
    assert found.weights.standard_error[0] == 0.0
    assert not found.weights.flagged[0]
    z = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    _, H = curvature(model, z, x, 100)
    assert (H[0] == 0).all()


def test_curvature_is_that_of_the_columns_that_are_seen(pair):
    model, _, _, data = pair
    x = data.test[:6]
    z = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    gradient, H = curvature(model, z, x, 100)
    for d in range(len(COLUMNS)):
        hidden = x.clone()
        hidden[:, d] = torch.nan
        alone = torch.full_like(x, torch.nan)
        alone[:, d] = x[:, d]
        parts = [curvature(model, z, one, 100) for one in (hidden, alone)]
        torch.testing.assert_close(parts[0][1] + parts[1][1], H, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(parts[0][0] + parts[1][0], gradient, rtol=1e-4, atol=1e-3)


def test_the_exported_objective_is_the_plain_one_with_entries_missing(pair):
    model, guide, _, data = pair
    objective = PyroELBO(model, guide, TraceMeanField_ELBO())
    exported = ExportedObjective(objective)
    x, beta = data.train[:50], torch.tensor(1.0)
    assert torch.isnan(x).any()
    losses, slopes = [], []
    for loss_of in (objective, exported):
        objective.zero_grad()
        torch.manual_seed(3)
        loss = loss_of(x, beta)
        loss.backward()
        losses.append(loss.detach())
        slopes.append([p.grad.clone() for p in objective.parameters()])
    torch.testing.assert_close(*losses)
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_masses_of_columns_on_a_grid_are_estimated_and_exported(pair):
    model, guide, _, data = pair
    masses = model.with_observation(on_grid(model.observation, data.grids))
    x = data.test[:5]
    found = log_likelihood(masses, guide, x, 100, keep_weights=5, keep_particles=5, progress=False)
    assert np.isfinite(found.weights.estimate).all()
    tree = to_arviz(masses, guide, x, found, draws=4)
    assert tree["posterior_predictive"]["x"].shape == (2, 2, 5, len(COLUMNS))
    assert missed_mass(masses, guide, 20, 200, progress=False).summary()["missed"] == 0


def test_a_column_of_many_levels_does_not_widen_the_decoder():
    many = replace(
        COLUMNS[6], name="town", levels=tuple(map(str, range(300))), grid=replace(COLUMNS[6].grid, levels=300)
    )
    real = tuple(Column(f"x{i}", Kind.REAL, "normal") for i in range(20))
    data = replace(mixed(), columns=(*real, many), train=torch.zeros(10, 21))
    model, _ = make_pair("by-column", data, hidden=[16])
    assert isinstance(model.decoder, Spread)
    inner = model.decoder.decoder
    assert isinstance(inner, MLPDecoder)
    assert inner.head.out_features == 320
    assert model.decoder(torch.zeros(3, 40)).shape == (3, 21, 300)


def test_a_spread_decoder_passes_its_outputs_and_bias_on():
    used = torch.tensor([[True, False, False], [True, True, True], [True, True, False]])
    inner = MLPDecoder(2, (6,), 1, [8])
    decoder = Spread(inner, used)
    z = torch.randn(4, 2)
    eta = decoder(z)
    assert eta.shape == (4, 3, 3)
    assert torch.equal(eta[:, used], inner(z).squeeze(-1))
    assert (eta[:, ~used] == 0).all()
    decoder.set_bias(torch.arange(9.0).view(3, 3))
    assert torch.equal(inner.head.bias, torch.tensor([0.0, 3, 4, 5, 6, 7]))


def test_the_order_of_columns_changes_nothing_but_rounding():
    data = mixed(200, missing=0.0, columns=COLUMNS[:1] + COLUMNS[10:])
    model, guide = make_pair("by-column", data, latent=1, hidden=[8], seed=0)
    other, its = make_pair("by-column", data, latent=1, hidden=[8], seed=0)
    turned = replace(
        data,
        columns=data.columns[::-1],
        **{split: data.split(split).flip(1) for split in ("train", "validation", "test")},
    )
    with torch.no_grad():
        other.decoder.head.weight.copy_(other.decoder.head.weight.flip(0))
        first = its.encoder.layers[0].weight
        first.copy_(torch.cat([first[:, :2].flip(1), first[:, 2:].flip(1)], 1))
    kept = {"epochs": 3, "batch_size": 40, "progress": False}
    one, two = fit(model, guide, data, **kept), fit(other, its, turned, **kept)
    assert one.best.validation_elbo == pytest.approx(two.best.validation_elbo, abs=1e-3)
    z = torch.randn(20, 1, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.decode(z), other.decode(z).flip(1), atol=1e-3, rtol=1e-3)
