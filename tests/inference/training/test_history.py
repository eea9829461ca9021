"""The record of a training run."""

import csv
import math

import pytest

from obsvae.inference import Epoch, History


def history(*validation, stopped="finished"):
    epochs = [Epoch(i, 10 * i, -3.0 - 1 / i, value, min(1.0, i / 3), 0.1 * i) for i, value in enumerate(validation, 1)]
    return History(epochs, stopped)


def test_csv_parses_back():
    expected = history(-1 / 3, math.nan, -1e-12, -math.inf)
    rows = list(csv.DictReader(expected.to_csv().splitlines()))
    assert list(rows[0]) == ["epoch", "step", "elbo", "validation_elbo", "kl_weight", "seconds"]
    assert len(rows) == 4
    for row, epoch in zip(rows, expected, strict=True):
        for name, value in row.items():
            assert float(value) == pytest.approx(getattr(epoch, name), rel=0, abs=0, nan_ok=True)


def test_csv_of_nothing_is_a_header():
    assert History().to_csv() == "epoch,step,elbo,validation_elbo,kl_weight,seconds\n"


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ((-3.0, -1.0, -2.0), 2),
        ((-1.0, -1.0), 1),
        ((-math.inf, -5.0), 2),
    ],
)
def test_best(values, best):
    assert history(*values).best.epoch == best


def test_no_best_where_there_is_nothing_to_compare():
    assert History().best is None


def test_iteration():
    found = history(-1.0, -2.0)
    assert [epoch.epoch for epoch in found] == [1, 2]
    assert len(found) == 2
    assert History().stopped == "finished"
    assert History().epochs is not History().epochs
