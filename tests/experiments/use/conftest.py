"""A table with names of all kinds, in a file, and a run on it."""

import csv

import numpy as np
import pytest

from obsvae.data import load
from obsvae.experiments import train_run

HEADER = ["height, cm", 'the "grade"', "größe", "visits", "note"]
SCHEMA = {
    "columns": {
        'the "grade"': {"observation": "ordinal", "levels": ["low", "middle", "high"]},
        "note": {"role": "ignore"},
    }
}


def people(n, seed=0, missing=0.15):
    """Return rows of a table as texts: two hidden numbers, a length, a grade, a colour, a count, and a note."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        z = rng.normal()
        row = [
            f"{170 + 10 * z + rng.normal():.1f}",
            ["low", "middle", "high"][int(np.digitize(z + 0.3 * rng.normal(), [-0.5, 0.5]))],
            "groß" if z + 0.3 * rng.normal() > 0 else "klein",
            str(rng.poisson(np.exp(1 + 0.8 * z))),
        ]
        hidden = rng.random(4) < missing
        rows.append([*("" if gone else value for value, gone in zip(row, hidden, strict=True)), f"row {i}, kept"])
    return rows


def write(path, rows, header=HEADER):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Return a run on the table, trained for long enough to know of it."""
    folder = tmp_path_factory.mktemp("people")
    data = load(write(folder / "people.csv", people(400)), schema=SCHEMA)
    return train_run(
        "by-column", data, folder / "run", latent=1, hidden=[32], epochs=60, batch_size=50, lr=3e-3, progress=False
    )
