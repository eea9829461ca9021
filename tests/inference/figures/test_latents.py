"""The figure of the latent space."""

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedDelta, MLPEncoder
from obsvae.inference import (
    plot_latents,
)
from tests.inference.parts import Laplace


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
    with pytest.raises(UsageError, match="a sequence of names"):
        plot_latents(problem.model, problem.guide, problem.draw(5), methods=methods)


def test_one_datum_is_too_few_for_a_figure(linear_gaussian):
    problem = linear_gaussian(latent=1)
    with pytest.raises(UsageError, match="at least 2 data, but there are 1"):
        plot_latents(problem.model, problem.guide, problem.draw(1))


def test_a_prior_of_another_kind_is_told_of_in_the_figure(linear_gaussian):
    problem = linear_gaussian(dtype=torch.float64)
    problem.model.prior = Laplace(2)
    figure = plot_latents(problem.model, problem.guide, problem.draw(10))
    assert "variance" in figure.axes[0].get_ylabel()
