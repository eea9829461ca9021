"""How the benchmark of filled entries chooses weights and families: by entries that are seen, and no others."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from obsvae.experiments.benchmarks.imputation.best_fill import BestFill
from obsvae.experiments.benchmarks.imputation.ours import Settings, fill, looks_of
from obsvae.experiments.benchmarks.imputation.tables import hivae_table
from obsvae.experiments.pair import make_pair
from obsvae.experiments.use.points import points_of
from obsvae.inference import Callback, fit

TINY = Settings(latent=2, hidden=(16,), batch_size=50, steps=12, particles=10, particles_of_looks=10)


@pytest.mark.slow
def test_our_fill_keeps_what_is_seen_and_never_looks_at_the_whole_table(hivae_folder):
    table = hivae_table("Breast")
    seen = table.seen(table.hidden(20, 1))
    found = fill(table.stored, seen, TINY)
    np.testing.assert_array_equal(found.x[~np.isnan(seen)], seen[~np.isnan(seen)])
    assert np.isfinite(found.x).all()
    assert set(np.unique(found.x[:, 2])) <= {0.0, 1.0}
    other = replace(table.stored, x=np.full_like(table.stored.x, 1.0))
    np.testing.assert_array_equal(fill(other, seen, TINY).x, found.x)


def test_weights_are_those_of_the_look_with_the_least_error(hivae_folder, monkeypatch):
    table = hivae_table("Breast")
    errors = iter([0.3, 0.1, 0.2])
    monkeypatch.setattr(BestFill, "_error", lambda self: next(errors))
    kept = {}

    class Watching(Callback):
        def on_start(self, model, guide):
            self.guide = guide

        def on_epoch(self, history):
            kept[len(history)] = [p.detach().clone() for p in self.guide.parameters()]

    seen = torch.from_numpy(table.seen(np.zeros_like(table.unknown)))
    data = replace(table.stored.dataset("table"), train=seen, validation=seen[:1])
    model, guide = make_pair("by-column", data, latent=2, hidden=(8,))
    how = {"looks": [2, 4, 6], "least": 9, "points": points_of(table.columns), "particles": 5, "seed": 0}
    best = BestFill(table.columns, table.x, table.unknown, **how)
    fit(model, guide, data, epochs=7, callbacks=[best, Watching()], progress=False)
    assert (best.epoch, best.error) == (4, 0.1)
    assert all(torch.equal(a, b) for a, b in zip(guide.parameters(), kept[4], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(guide.parameters(), kept[7], strict=True))


def test_training_stops_once_it_took_four_times_as_long_as_to_the_best(hivae_folder, monkeypatch):
    table = hivae_table("Breast")
    seen = torch.from_numpy(table.seen(table.unknown))
    data = replace(table.stored.dataset("table"), train=seen, validation=seen[:1])
    for least, expected in ((1, 8), (9, 9)):
        errors = iter([0.9, 0.8, *[0.85] * 10])
        monkeypatch.setattr(BestFill, "_error", lambda self, errors=errors: next(errors))
        how = {"looks": range(1, 13), "least": least, "points": points_of(table.columns), "particles": 5, "seed": 0}
        best = BestFill(table.columns, table.x, table.unknown, **how)
        model, guide = make_pair("by-column", data, latent=2, hidden=(8,))
        history = fit(model, guide, data, epochs=12, callbacks=[best], progress=False)
        assert (len(history), history.stopped, best.epoch) == (expected, "callback", 2)


def test_a_look_scores_the_entries_held_out_alone(hivae_folder, monkeypatch):
    table = hivae_table("Breast")
    columns, x = table.columns, table.seen(table.hidden(20, 1))  # with entries that nobody has seen
    held_out = np.zeros(x.shape, bool)
    rows = np.flatnonzero(~np.isnan(x[:, 0]))[:5]
    held_out[rows, 0] = True
    shown = []

    def fill_badly(self, table, particles):
        shown.append(table.numpy())
        filled = x[rows] + 100.0  # wrong in every place
        filled[:, 0] = x[rows, 0] + by
        return filled

    monkeypatch.setattr(BestFill, "fill", fill_badly)
    best = BestFill(columns, x, held_out, looks=[1], least=1, points=points_of(columns), particles=5, seed=0)
    for by in (0.0, 1.0):
        assert best._error() == pytest.approx(by / (np.nanmax(x[:, 0]) - np.nanmin(x[:, 0])), abs=1e-6)
    np.testing.assert_array_equal(shown[0], np.where(held_out, np.nan, x)[rows])


@pytest.mark.parametrize("epochs", [1, 2, 7, 461])
def test_looks_end_with_the_last_epoch_and_are_close_at_first(epochs):
    looks = looks_of(epochs)
    assert looks[0] == 1
    assert looks[-1] == epochs
    assert all(after <= 1.4 * before + 1 for before, after in itertools.pairwise(looks))
