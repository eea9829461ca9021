"""What replaces torch's: it agrees where torch's holds, and keeps its digits where that does not."""

import pyro.distributions as dist
import pytest
import torch

from obsvae.model import exact as ours

E = torch.tensor
# ours, torch's, its parameters and x where both hold, and where torch's does not in float32
CASES = {
    "gamma": (ours.Gamma, dist.Gamma, (3.0, 2.0), 1.7, (1e5, 1e5), 1.002),
    "beta": (ours.Beta, dist.Beta, (3.0, 2.0), 0.4, (5e4, 5e4), 0.501),
    "poisson": (lambda rate: ours.Poisson(torch.log(rate)), dist.Poisson, (3.0,), 5.0, (1e6,), 1_001_000.0),
    "student-t": (ours.StudentT, dist.StudentT, (3.0, 0.5, 2.0), 1.7, (1e5, 0.0, 1.0), 1.0),
    "von-mises": (ours.VonMises, dist.VonMises, (0.5, 2.0), 1.7, (0.0, 1e5), 0.003),
    "weibull": (ours.Weibull, dist.Weibull, (2.0, 1.5), 1.7, (2.0, 50.0), 1e-3),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_beats_it(name):
    mine, theirs, easy, at, hard, where = CASES[name]
    p, x = [E(v, dtype=torch.float64) for v in easy], E(at, dtype=torch.float64)
    torch.testing.assert_close(mine(*p).log_prob(x), theirs(*p).log_prob(x), rtol=1e-7, atol=1e-7)
    single, x = [E(v) for v in hard], E(where)
    truth = theirs(*[v.double() for v in single]).log_prob(x.double())
    wrong = (theirs(*single).log_prob(x).double() - truth).abs()
    assert (mine(*single).log_prob(x).double() - truth).abs() < 3e-4
    assert not wrong < 5e-3  # torch's: by much, or −inf


@pytest.mark.parametrize("logits", [[0.3, -1.0, 2.0], [100.0, -100.0, 0.0]])
def test_categorical_is_torchs(logits):
    mine, theirs = ours.Categorical(E(logits)), dist.Categorical(logits=E(logits))
    levels = torch.arange(3)
    torch.testing.assert_close(mine.log_prob(levels), theirs.log_prob(levels))
    torch.testing.assert_close(mine.probs, theirs.probs)
    assert mine.expand((4,)).log_prob(levels[:1]).shape == (4,)
    assert type(mine.expand((4,))) is ours.Categorical
    torch.manual_seed(0)
    sample = mine.sample((1000,))
    torch.manual_seed(0)
    assert torch.equal(sample, theirs.sample((1000,)))
