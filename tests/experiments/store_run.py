"""Store small runs of the present format, which later releases must read: python -m tests.experiments.store_run."""

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from obsvae import Amortised, load, load_run, log_likelihood, train_run
from obsvae.data.tables.write import save_table
from obsvae.experiments.runs.run import FORMAT

STORED = Path(__file__).parent / "stored_runs"
SMALL = {"latent": 1, "hidden": [3], "epochs": 2, "batch_size": 12, "compiled": False, "progress": False}


def numbers_of(folder):
    """Return what a run says: means of x at three z, and the first test data with log p of 20 particles each."""
    with contextlib.chdir(folder.parent):  # its data are named as they lie there
        run = load_run(folder.name)
        x = run.data.test[:3]
    with torch.no_grad():
        means = run.model.mean(torch.tensor([[-1.0], [0.0], [1.0]]))
    found = log_likelihood(run.model, run.guide, x, 20, proposal=Amortised(), progress=False)
    return {
        "means": means.flatten().tolist(),
        "x": x.flatten().tolist(),
        "log_likelihood": found.weights.estimate.tolist(),
    }


def store(folder):
    """Train a run on a table and one on an array, and leave what a release reads of them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    height = rng.normal(170, 10, 30).round(1)
    colour = rng.choice(["red", "green"], 30)
    with contextlib.chdir(folder):
        save_table("t.csv", {"height": height, "colour": colour.tolist(), "visits": rng.poisson(3, 30)})
        np.save("digits.npy", rng.integers(0, 17, size=(30, 3, 3)).astype(np.uint8))
        train_run("by-column", load("t.csv"), "table", **SMALL)
        train_run("discretised:inner=logistic", load("digits.npy", bounds=(0, 16)), "array", **SMALL)
    for name in ("table", "array"):
        shutil.rmtree(folder / name / "figures")
        (folder / f"{name}.json").write_text(json.dumps(numbers_of(folder / name), indent=1) + "\n")


if __name__ == "__main__":
    store(STORED / f"format-{FORMAT}")
