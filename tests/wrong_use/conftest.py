"""The folder of wrong uses, and the names that they speak of."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch

import obsvae
from tests.wrong_use.place import make


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    """Return a folder that nothing may change."""
    return make(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="package")
def names(place):
    """Return what the expressions of wrong uses speak of; the folder is the working one."""
    with contextlib.chdir(place):
        data, table = obsvae.load("x.npy"), obsvae.load("t.csv")
        model, guide = obsvae.make_pair("normal", data, latent=2, hidden=[8])
        return {
            **{name: getattr(obsvae, name) for name in obsvae.__all__},
            "Path": Path,
            "np": np,
            "torch": torch,
            "data": data,
            "table": table,
            "counts": obsvae.load("counts.npy"),
            "x": data.test,
            "model": model,
            "guide": guide,
            "plain": obsvae.make_guide("delta", obsvae.MLPEncoder, (4,), 2, (8,)),
            "loss": obsvae.make_pair(
                "unnormalised-bernoulli", obsvae.load("x.npy", bounds=(-9, 9)), latent=2, hidden=[8]
            )[0],
            "run": obsvae.load_run("array-run"),
            "table_run": obsvae.load_run("table-run"),
        }
