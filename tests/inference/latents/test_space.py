"""The latent space: KL, active units, maps, traversals and neighbours."""

import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedDelta, MLPEncoder
from obsvae.inference import (
    active_units,
    interpolations,
    kl_by_dimension,
    nearest,
    plot_latents,
    posterior,
    posterior_means,
    project,
    traversals,
)


def test_kl_by_dimension_adds_up_to_the_kl(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(30)
    found = kl_by_dimension(problem.model, problem.guide, x, batch_size=7)
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
        exact = (q.scale**2 + q.loc**2 - 1) / 2 - q.scale.log()
    torch.testing.assert_close(found, exact.mean(0))


def test_kl_by_dimension_is_refused_where_it_is_no_sum(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match="independent Normals, but the guide is Delta"):
        kl_by_dimension(problem.model, AmortisedDelta(MLPEncoder((4,), 2, ())), problem.draw(3))


def test_active_units():
    means = torch.stack([torch.linspace(-1, 1, 50), torch.zeros(50), 0.05 * torch.linspace(-1, 1, 50)], 1)
    assert active_units(means).tolist() == [True, False, False]


def test_means_are_the_guides(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(11)
    with torch.no_grad():
        torch.testing.assert_close(posterior_means(problem.guide, x, 4), posterior(problem.guide, x).mean)


def test_traversals_and_interpolations(linear_gaussian):
    problem = linear_gaussian()
    z = torch.tensor([0.5, -0.5])
    found = traversals(problem.model, z, [1, 0], [-1.0, 0.0, 2.0])
    assert found.shape == (2, 3, 4)
    W, b = problem.W.float(), problem.b.float()
    torch.testing.assert_close(found[0, 2], W @ torch.tensor([0.5, 2.0]) + b)
    torch.testing.assert_close(found[1, 0], W @ torch.tensor([-1.0, -0.5]) + b)
    ends = torch.randn(3, 2), torch.randn(3, 2)
    along = interpolations(problem.model, *ends, steps=5)
    assert along.shape == (3, 5, 4)
    torch.testing.assert_close(along[:, 2], (ends[0] + ends[1]) / 2 @ W.T + b)


def test_nearest():
    among = torch.tensor([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]])
    assert nearest(torch.tensor([[4.0, 4.0], [0.2, 0.0]]), among, 2).tolist() == [[2, 1], [0, 1]]


def test_maps(monkeypatch):
    means = torch.randn(20, 5) * torch.tensor([1.0, 9.0, 1.0, 5.0, 1.0])
    plane = project(means)
    assert plane.shape == (20, 2)
    assert abs(np.corrcoef(plane[:, 0], means[:, 1])[0, 1]) > 0.9
    with pytest.raises(UsageError, match="choose pca or umap"):
        project(means, "tsne")
    for few in (means[:1], means[:, :1]):
        with pytest.raises(UsageError, match="at least 2 data and 2 latents"):
            project(few)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install umap-learn"):
        project(means, "umap")


def test_a_map_by_umap_keeps_clusters_apart(linear_gaussian):
    pytest.importorskip("umap", reason="needs umap-learn")
    problem = linear_gaussian(latent=5)
    far = 30.0 * (torch.arange(40) % 2).unsqueeze(1) + torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    plane = project(far, "umap")
    centres = [plane[i::2].mean(0) for i in range(2)]
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * max(plane[i::2].std() for i in range(2))
    figure = plot_latents(problem.model, problem.guide, problem.draw(40), methods=("pca", "umap"))
    assert [axes.get_ylabel() for axes in figure.axes[2:]] == ["PCA 2", "UMAP 2"]
    with pytest.raises(UsageError, match="at least 15 data, but there are 14"):
        project(far[:14], "umap")
