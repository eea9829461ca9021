"""Weights of a pair whose parts share parameters: written once, and shared again."""

import pyro.distributions as dist
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from obsvae.errors import UsageError
from obsvae.experiments.files import load_weights, save_weights
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import fit, log_likelihood
from obsvae.model import VAE, MLPDecoder, Normal, Prior


class VampPrior(Prior):
    """A mixture of what the guide says of pseudo-inputs that are learned."""

    def __init__(self, latent, guide, pseudo):
        super().__init__(latent)
        self.encoder, self.pseudo = guide.encoder, nn.Parameter(pseudo)

    def forward(self):
        loc, raw = self.encoder(self.pseudo).chunk(2, -1)
        parts = dist.Normal(loc, 1e-4 + nn.functional.softplus(raw)).to_event(1)
        return dist.MixtureSameFamily(dist.Categorical(loc.new_zeros(len(loc)).softmax(0)), parts)


def pair(seed=0, hidden=(8,)):
    torch.manual_seed(seed)
    guide = AmortisedNormal(MLPEncoder((4,), 4, hidden))
    prior = VampPrior(2, guide, torch.randn(3, 4))
    return VAE(prior, MLPDecoder(2, (4,), hidden=(8,)), Normal(scale="shared")), guide


def test_a_prior_that_shares_the_encoder_is_trained_saved_and_loaded(tmp_path, tensors):
    model, guide = pair()
    x = torch.randn(40, 4)
    fit(model, guide, tensors(x, x[:10]), epochs=1, batch_size=20, progress=False)
    file = save_weights(tmp_path, model, guide)
    stored = load_file(file)
    assert {name for name in stored if "encoder" in name} == {name for name in stored if "prior.encoder" in name}
    other, theirs = pair(seed=1)
    load_weights(tmp_path, other, theirs)
    for mine, loaded in ((model, other), (guide, theirs)):
        assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in mine.state_dict().items())
    sides = (other.prior.encoder.parameters(), theirs.encoder.parameters())
    shared = [(p.data_ptr(), q.data_ptr()) for p, q in zip(*sides, strict=True)]
    assert shared
    assert all(p == q for p, q in shared)
    scores = [log_likelihood(*both, x[:5], 20, progress=False).weights.estimate for both in (pair(), (other, theirs))]
    again = log_likelihood(model, guide, x[:5], 20, progress=False).weights.estimate
    assert (scores[1] == again).all()
    assert (scores[0] != again).any()


def test_weights_of_another_size_change_nothing(tmp_path):
    save_weights(tmp_path, *pair())
    model, guide = pair(seed=1, hidden=(9,))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(UsageError, match="the weights of another model"):
        load_weights(tmp_path, model, guide)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class Overlapping(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.register_buffer("first", values[:3])
        self.register_buffer("second", values[1:])
        self.register_buffer("empty", values[:0])
        self.register_buffer("also_empty", values[:0])


def test_views_that_overlap_are_written_apart(tmp_path):
    save_weights(tmp_path, Overlapping(torch.arange(5.0)), nn.Identity())
    module = Overlapping(torch.zeros(5))
    load_weights(tmp_path, module, nn.Identity())
    assert module.first.tolist() == [0, 1, 2]
    assert module.second.tolist() == [1, 2, 3, 4]
