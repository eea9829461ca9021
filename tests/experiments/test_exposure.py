"""What becomes of a ranking where an exposure is left out, on counts that are Poisson given their exposure."""

import numpy as np
import pandas as pd
import pytest

from obsvae.data import load
from obsvae.experiments import compare


def counted(rows, columns=8, seed=0):
    """Return counts with one latent, in hours that differ; given z and the hours they are Poisson."""
    rng = np.random.default_rng(seed)
    slopes, level = 0.7 * rng.choice([-1, 1], (1, columns)), rng.normal(1.5, 0.5, columns)
    z, hours = rng.normal(size=(rows, 1)), np.exp(rng.normal(size=rows))
    x = rng.poisson(hours[:, None] * np.exp(z @ slopes + level))
    return pd.DataFrame(x, columns=[f"species {d + 1}" for d in range(columns)]).assign(hours=hours)


@pytest.mark.slow
def test_an_exposure_that_is_left_out_looks_like_over_dispersion():
    found = {}
    for role in ("ignore", "offset"):
        data = load(counted(1000), schema={"columns": {"hours": {"role": role}}})
        how = {"latent": 1, "hidden": [32], "epochs": 150, "lr": 1e-2, "particles": 50, "limit": 100, "progress": False}
        scores = compare(["poisson", "negative-binomial"], data, seeds=1, **how).scores
        found[role] = {score.observation: score.nats_per_datum for score in scores}
    assert found["ignore"]["negative-binomial"] - found["ignore"]["poisson"] > 3.0
    assert abs(found["offset"]["negative-binomial"] - found["offset"]["poisson"]) < 0.5
    assert found["offset"]["poisson"] - found["ignore"]["negative-binomial"] > 2.0
