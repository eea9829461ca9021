"""Reproductions and walks of tables: means of numbers, the likeliest level of others."""

import pytest
import torch

from obsvae.experiments import make_pair
from obsvae.inference import posterior_means, reproduce, reproduce_columns, walk_columns
from obsvae.inference.latents.columns import level_probabilities
from tests.tables import COLUMNS, mixed

LEVELS = {5: 2, 6: 4, 7: 3}


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    data = mixed(200)
    model, guide = make_pair("by-column", data, latent=2, hidden=[16], seed=0)
    model.initialise(data.train)
    guide.initialise(data.train)
    return model.eval(), guide.eval(), data


def test_probabilities_of_levels_are_those_of_the_families(pair):
    model, _, data = pair
    z = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = level_probabilities(model, z, data.test[:7], COLUMNS)
        p_x = model.given(z)
        assert {d: of.shape[-1] for d, of in found.items()} == LEVELS
        sample = p_x.sample(torch.Size((2000,)))
        for d, shares in found.items():
            torch.testing.assert_close(shares.sum(-1), torch.ones(7))
            draws = sample[..., d]
            for level in range(shares.shape[-1]):
                assert ((draws == level).float().mean(0) - shares[:, level]).abs().max() < 0.06


def test_numbers_are_reproduced_by_their_means_and_levels_by_the_likeliest(pair):
    model, guide, data = pair
    x = data.test
    found, means = reproduce_columns(model, guide, x, COLUMNS, batch_size=7), reproduce(model, guide, x)
    numbers = [d for d in range(len(COLUMNS)) if d not in LEVELS]
    torch.testing.assert_close(found[:, numbers], means[:, numbers])
    with torch.no_grad():
        shares = level_probabilities(model, posterior_means(guide, x), x, COLUMNS)
    for d in LEVELS:
        assert torch.equal(found[:, d], shares[d].argmax(-1).float())
    assert torch.isfinite(found).all()  # missing entries, too


def test_walks_go_along_one_latent_at_a_time(pair):
    model, _, data = pair
    z, values = torch.tensor([0.3, -0.5]), [-1.0, 0.3, 2.0]
    found = walk_columns(model, z, [0, 1], values, COLUMNS, data.test[0])
    assert found[0].shape == (2, 3)
    assert {d: tuple(found[d].shape) for d in LEVELS} == {d: (2, 3, n) for d, n in LEVELS.items()}
    with torch.no_grad():
        expected = model.mean(torch.tensor([[-1.0, -0.5], [0.3, -0.5], [0.3, 2.0]]))
    torch.testing.assert_close(torch.stack([found[0][0, 0], found[0][0, 1], found[0][1, 2]]), expected[:, 0])
