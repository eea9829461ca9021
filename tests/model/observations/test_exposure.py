"""Offsets: an exposure multiplies the mean, and families of which that is not so say so."""

import numpy as np
import pandas as pd
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.pair import make_pair
from obsvae.model import VAE, MLPDecoder, StandardNormal, make_observation

POSITIVE = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0, 100.0]) + 0.1
COUNTS = (10 * POSITIVE).round()

TAKE = {
    "poisson": COUNTS,
    "negative-binomial": COUNTS,
    "negative-binomial:dispersion=decoder": COUNTS,
    "gamma": POSITIVE,
    "gamma:concentration=decoder": POSITIVE,
    "weibull": POSITIVE,
    "log-normal": POSITIVE,
    "log-normal:scale=decoder": POSITIVE,
    "zero-inflated:inner=poisson": COUNTS,
    "mixture:components=2,inner=gamma": POSITIVE,
    "mixture:components=2,inner=poisson": COUNTS,
}
REFUSE = {"normal": POSITIVE, "student-t": POSITIVE, "bernoulli": (POSITIVE > 1).float(), "laplace": POSITIVE}


def made(spec, x, missing=False):
    observation = make_observation(spec, load(x.numpy() if not spec_is_counts(x) else x.int().numpy(), missing=missing))
    eta = observation.initialise(x)
    return observation.double(), (
        eta + 0.3 * torch.randn(eta.shape, generator=torch.Generator().manual_seed(1))
    ).double()


def spec_is_counts(x):
    return bool((x == x.round()).all())


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("spec", TAKE)
def test_the_mean_is_in_proportion_to_the_exposure(spec, missing):
    observation, eta = made(spec, TAKE[spec], missing)
    longer = eta + torch.log(torch.tensor(7.0, dtype=torch.float64)) * observation.exposure(eta)
    torch.testing.assert_close(observation.mean(longer), 7.0 * observation.mean(eta))


def test_masses_of_grid_cells_take_that_of_their_density():
    observation, eta = made("discretised:inner=gamma", COUNTS.clamp_min(1))
    torch.testing.assert_close(observation.exposure(eta), observation.inner.exposure(eta))


def test_columns_have_their_own():
    x = torch.cat([COUNTS[:, :1], POSITIVE[:, 1:]], 1)
    kinds = {"a": "poisson", "b": "gamma:concentration=decoder", "c": "log-normal"}
    data = load(
        pd.DataFrame(x.numpy(), columns=list(kinds)),
        schema={"columns": {name: {"observation": kind} for name, kind in kinds.items()}},
    )
    observation = make_observation("by-column", data)
    eta = observation.initialise(data.train).double()
    observation = observation.double()
    longer = eta + torch.log(torch.tensor(3.0, dtype=torch.float64)) * observation.exposure(eta)
    torch.testing.assert_close(observation.mean(longer), 3.0 * observation.mean(eta))


@pytest.mark.parametrize("spec", REFUSE)
def test_other_families_refuse_an_offset_with_the_reason(spec):
    observation, _ = made(spec, REFUSE[spec])
    with pytest.raises(UsageError, match=rf"{spec} takes no offset: an exposure multiplies the mean of counts"):
        VAE(StandardNormal(2), MLPDecoder(2, (3,), observation.outputs), observation.float(), 1, True)


def test_the_model_adds_the_last_condition_to_the_log_of_the_mean():
    observation = make_observation("poisson", load(COUNTS.int().numpy()))
    model = VAE(StandardNormal(2), MLPDecoder(2 + 1, (3,), hidden=()), observation, 2, True)
    z, c = torch.randn(5, 2), torch.randn(5, 2)
    shifted = c + torch.tensor([0.0, 0.7])
    torch.testing.assert_close(model.mean(z, shifted), 2.0137527 * model.mean(z, c))
    many = model.decode(z.expand(4, 5, 2), c)
    torch.testing.assert_close(many[2], model.decode(z, c))


@pytest.mark.parametrize("spec", ["poisson", "negative-binomial", "gamma", "weibull", "log-normal"])
def test_training_starts_from_data_at_an_exposure_of_1(spec):
    rng = np.random.default_rng(0)
    hours = np.exp(2.0 * rng.normal(size=(4000, 1)))
    log_rate = np.log([3.0, 5.0, 0.5])
    if spec in ("poisson", "negative-binomial"):
        x = rng.poisson(hours * np.exp(log_rate))
    else:
        x = hours * np.exp(log_rate) * rng.gamma(20, 1 / 20, (4000, 3))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "hours": hours[:, 0]})
    said = {"hours": {"role": "offset"}, **{name: {"observation": spec} for name in "abc"}}
    data = load(table, schema={"columns": said})
    model, _ = make_pair("by-column", data, latent=1, hidden=[4])
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
    model.initialise(data.train, data.given["train"])
    c = torch.zeros(1, model.conditions)
    unit = np.exp(data.conditions[-1].mean)  # an offset of 0 is this exposure
    rates = model.mean(torch.zeros(1, 1), c)[0] / unit
    np.testing.assert_allclose(rates.detach().numpy(), np.exp(log_rate), rtol=0.15)
