"""A misspelt name is an error for mypy, in the project of somebody who has obsvae installed."""

import re
import subprocess
import sys

import pytest

WRONG = """
import torch

from obsvae import VAE, MLPDecoder, MLPEncoder, Normal, StandardNormal, load, log_likelihood, make_guide, make_pair

data = load("digits")
observation = Normal()
model = VAE(StandardNormal(8), MLPDecoder(8, data.event_shape, observation.outputs), observation)
guide = make_guide("normal", MLPEncoder, data.event_shape, 8, (300, 300))
z = torch.zeros(1, 8)

model.prior().banana  # "Distribution" has no attribute "banana"
model.given(z).banana  # "Distribution" has no attribute "banana"
model.observe(model.decode(z)).banana  # "Distribution" has no attribute "banana"
model.banana  # "VAE" has no attribute "banana"
model.prior.banana  # "Prior" has no attribute "banana"
model.decoder.banana  # "Decoder" has no attribute "banana"
model.observation.initialize(z)  # "Observation" has no attribute "initialize"
observation.means(z)  # "Normal" has no attribute "means"
observation.scale.banana  # "Positive" has no attribute "banana"
observation.support.banana  # "Support" has no attribute "banana"
make_guide("normal", MLPEncoder, data.event_shape, 8, (300, 300)).banan  # "Guide" has no attribute "banan"
guide.encoder.banana  # "Encoder" has no attribute "banana"
make_pair("normal", data)[0].banana  # "VAE" has no attribute "banana"
data.tests  # "Dataset" has no attribute "tests"
log_likelihood(model, guide, data.test, particle=10)  # Unexpected keyword argument "particle"
"""

README = """
from obsvae import fit, load, log_likelihood, make_pair

data = load("digits")
model, guide = make_pair("normal:scale=shared", data, latent=8)
fit(model, guide, data, epochs=50)
print(log_likelihood(model, guide, data.test, particles=1000).summary())
"""

RIGHT = """
import pyro
import pyro.distributions as dist
import torch
from pyro.infer import Trace_ELBO
from torch import Tensor
from torch.distributions import kl_divergence

from obsvae import VAE, Guide, Measure, Observation, Prior, StandardNormal, Support, fit, make_pair
from obsvae.data import Dataset
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel, TrainingData


class HalfNormal(Observation):
    outputs = 1
    measure = Measure.LEBESGUE

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        return dist.HalfNormal(torch.exp(eta[..., 0]))


class Wide(Prior):
    def forward(self) -> dist.TorchDistribution:
        return dist.Normal(torch.zeros(self.latent), 3.0).to_event(1)


class Fixed(Guide):
    @staticmethod
    def outputs(latent: int) -> int:
        return latent

    def given(self, x: Tensor, c: Tensor | None = None) -> dist.TorchDistribution:
        return dist.Normal(self.encoder(x, c), 1.0).to_event(1)


def use(data: Dataset, own: Fixed) -> None:
    vae, guide = make_pair(HalfNormal(), data)
    model: GenerativeModel = vae
    amortised: AmortisedGuide = guide
    training: TrainingData = data
    fit(model, amortised, training, objective=Trace_ELBO())
    fit(VAE(Wide(8), vae.decoder, vae.observation), own, data)
    p_x = vae.given(vae.prior().sample(torch.Size((3,))))
    scores: Tensor = p_x.to_event(2).log_prob(data.test[:3]) + p_x.mean.flatten(1).sum(-1)
    kl: Tensor = kl_divergence(vae.prior(), StandardNormal(8)())
    x: Tensor = vae(n=3) + guide(data.test)
"""


@pytest.mark.slow
def test_mypy_finds_misspelt_names_and_nothing_else(tmp_path):
    files = {"wrong.py": WRONG, "readme.py": README, "right.py": RIGHT}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--disallow-untyped-defs", "--no-pretty", "--cache-dir", "cache", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = re.findall(r"^(\w+\.py):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert not [line for line in found if line[0] != "wrong.py"], done.stdout + done.stderr
    expected = {n: line.split("  # ")[1] for n, line in enumerate(WRONG.splitlines(), 1) if "  # " in line}
    told = {int(line): message for _, line, message in found}
    assert told.keys() == expected.keys(), done.stdout + done.stderr
    for line, message in expected.items():
        assert told[line].startswith(message), (line, told[line])
