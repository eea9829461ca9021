"""The latent space: KL, active units, maps, traversals and neighbours."""

import numpy as np
import pytest
import torch
from torch import nn

from guides import AmortisedDelta, MLPEncoder
from inference import (
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
    with pytest.raises(ValueError, match="independent Normals, but the guide is Delta"):
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
    with pytest.raises(ValueError, match="choose pca or umap"):
        project(means, "tsne")
    for few in (means[:1], means[:, :1]):
        with pytest.raises(ValueError, match="at least 2 data and 2 latents"):
            project(few)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install umap-learn"):
        project(means, "umap")


@pytest.mark.parametrize("latent", [1, 2, 30])
@pytest.mark.parametrize("guide", ["normal", "delta"])
def test_the_figure(linear_gaussian, latent, guide):
    problem = linear_gaussian(latent=latent)
    x = problem.draw(40)
    pair = problem.guide if guide == "normal" else AmortisedDelta(MLPEncoder((4,), latent, ()))
    figure = plot_latents(problem.model, pair, x, torch.arange(40) % 3)
    used, filled, where = figure.axes
    assert ("KL" in used.get_ylabel()) == (guide == "normal")
    assert len(filled.get_xticks()) >= 1
    if latent == 1:  # a bar of each class for each cell
        assert sum(bar.get_height() for bar in where.patches) >= 40
        assert [text.get_text() for text in where.get_legend().get_texts()] == ["0", "1", "2"]
    else:
        assert len(where.collections[0].get_offsets()) == 40
        assert {text.get_text() for text in where.texts} == {"0", "1", "2"}
    colours = {text.get_text().split(":")[0]: patch.get_facecolor() for text, patch in legend(used)}
    assert colours["active"] != colours["not active"]


def legend(axes):
    return zip(axes.get_legend().get_texts(), axes.get_legend().get_patches(), strict=True)


def test_many_classes_have_a_scale(linear_gaussian):
    problem = linear_gaussian()
    figure = plot_latents(problem.model, problem.guide, problem.draw(60), torch.arange(60))
    assert figure.axes[-1].get_ylabel() == "label"


@pytest.mark.parametrize("methods", ["pca", ()])
def test_maps_are_named_in_a_sequence(linear_gaussian, methods):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match="a sequence of names"):
        plot_latents(problem.model, problem.guide, problem.draw(5), methods=methods)


def test_one_datum_is_too_few_for_a_figure(linear_gaussian):
    problem = linear_gaussian(latent=1)
    with pytest.raises(ValueError, match="at least 2 data, but there are 1"):
        plot_latents(problem.model, problem.guide, problem.draw(1))


def test_a_map_by_umap_keeps_clusters_apart(linear_gaussian):
    pytest.importorskip("umap", reason="needs umap-learn")
    problem = linear_gaussian(latent=5)
    far = 30.0 * (torch.arange(40) % 2).unsqueeze(1) + torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    plane = project(far, "umap")
    centres = [plane[i::2].mean(0) for i in range(2)]
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * max(plane[i::2].std() for i in range(2))
    figure = plot_latents(problem.model, problem.guide, problem.draw(40), methods=("pca", "umap"))
    assert [axes.get_ylabel() for axes in figure.axes[2:]] == ["PCA 2", "UMAP 2"]
    with pytest.raises(ValueError, match="at least 15 data, but there are 14"):
        project(far[:14], "umap")


def test_a_prior_of_another_kind_is_told_of_in_the_figure(linear_gaussian):
    class Laplace(nn.Module):
        latent = 2

        def forward(self):
            return torch.distributions.Independent(torch.distributions.Laplace(torch.zeros(2), 1.0), 1)

    problem = linear_gaussian()
    problem.model.prior = Laplace()
    figure = plot_latents(problem.model, problem.guide, problem.draw(10))
    assert "variance" in figure.axes[0].get_ylabel()
