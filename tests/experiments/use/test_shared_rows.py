"""Rows that processes share have the results of one process, but for rounding."""

import numpy as np
import pytest
import torch

from obsvae.experiments import evaluate_run, impute_rows, load_run, score_rows, train_run
from obsvae.experiments.use.rows import Rows
from obsvae.inference.processes.alone import ALONE
from tests.inference.processes.together import together
from tests.tables import COLUMNS, mixed

ESTIMATES = {"particles": 50, "progress": False}


def table():
    return mixed(60, columns=[COLUMNS[i] for i in (0, 1, 5, 6)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "table"
    train_run("by-column", table(), folder, latent=2, hidden=(8,), epochs=3, compiled=False, progress=False)
    return folder


def loaded(folder):
    """Return the run and its rows, of which one stands twice, and one has no entry."""
    data = table()
    run = load_run(folder, data=data)
    rows = torch.cat([data.test, data.test[:1], torch.full_like(data.test[:1], torch.nan)])
    return run, Rows("rows in memory", rows)


def scored(processes, folder):
    run, rows = loaded(folder)
    found = score_rows(run, rows, reference=7, processes=processes, **ESTIMATES)
    return found.columns


def imputed(processes, folder):
    run, rows = loaded(folder)
    found = impute_rows(run, rows, 3, processes=processes, **ESTIMATES)
    return {"point": found.point, "draws": found.draws, "flagged": found.flagged, "filled": found.filled}


def evaluated(processes, folder):
    run, _ = loaded(folder)
    found = evaluate_run(run, check=10, processes=processes, **ESTIMATES)
    summary = {k: v for k, v in found.metrics.items() if isinstance(v, float) and k != "seconds"}
    return {**summary, **found.metrics["missed_mass"], "files": len(found.files)}


@pytest.mark.slow
@pytest.mark.parametrize("act", [scored, imputed, evaluated])
def test_it_is_what_one_process_finds(act, folder, tmp_path):
    shared = together(2, act, tmp_path / "together", folder)
    alone = act(ALONE, folder)
    for rank, found in enumerate(shared):
        assert not isinstance(found, Exception), found
        assert found.keys() == alone.keys()
        for name, value in alone.items():
            if name == "files":
                assert found[name] == (value if rank == 0 else 0)
            elif np.asarray(value).dtype.kind == "f":
                # Products of matrices are rounded by how many rows they have.
                np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
            else:
                np.testing.assert_array_equal(found[name], value, err_msg=name)
