"""What training refuses before anything changes."""

import pytest
import torch
from pyro.infer import RenyiELBO

from obsvae.errors import UsageError
from obsvae.inference import fit
from obsvae.model import VAE, Bernoulli, MLPDecoder, StandardNormal
from tests.inference.training.conftest import OPTIONS, same, weights


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("features", [1, 3])
def test_data_of_another_shape_are_refused(small, split, features):
    problem, data = small()
    setattr(data, split, torch.randn(60, features))
    with pytest.raises(UsageError, match=r"shape \(N, 4\) with N ≥ 1, but got"):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused(small, split):
    problem, data = small()
    setattr(data, split, torch.zeros(0, 4))
    with pytest.raises(UsageError, match=split):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_data_outside_the_support_are_refused(small, split):
    problem, data = small()
    problem.model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Bernoulli())
    data.train, data.validation = torch.ones(20, 4), torch.ones(20, 4)
    getattr(data, split)[7, 2] = 0.5
    before = weights(problem)
    with pytest.raises(UsageError, match=r"found 0\.5 at datum 7"):
        fit(problem.model, problem.guide, data, epochs=1, **OPTIONS)
    assert same(weights(problem), before)


def test_data_on_another_device_are_refused(small):
    problem, data = small()
    data.train = data.train.to("meta")
    with pytest.raises(UsageError, match="the model is on cpu, but the data are on meta"):
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
    with pytest.raises(UsageError, match=name):
        fit(problem.model, problem.guide, data, **{"epochs": 1, **OPTIONS, name: value})
    assert same(weights(problem), before)


def test_renyi_elbo_is_refused_before_anything_changes(small):
    problem, data = small()
    before = weights(problem)
    with pytest.raises(UsageError, match="RenyiELBO has no differentiable loss per trace; take TraceMeanField_ELBO"):
        fit(problem.model, problem.guide, data, objective=RenyiELBO(num_particles=2), **OPTIONS)
    assert same(weights(problem), before)
    assert not data.drawn
