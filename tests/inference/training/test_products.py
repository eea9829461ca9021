"""Products of networks in bfloat16, of which all else keeps its precision."""

import numpy as np
import pytest
import torch
from torch import nn

from obsvae.data import load
from obsvae.data.folder import data_folder
from obsvae.errors import UsageError
from obsvae.experiments.pair import make_pair
from obsvae.inference import fit, make_objective
from obsvae.inference.modes import unchecked
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.objectives.products import round_products
from obsvae.modes import seeded
from tests.inference.training.conftest import OPTIONS

needs_mnist = pytest.mark.skipif(
    not (data_folder() / "MNIST/raw/train-images-idx3-ubyte").is_file(),
    reason="needs MNIST/raw in the folder that OBSVAE_DATA names",
)
OF_BFLOAT16 = 2.0**-8  # relative error of a number that is rounded to it, at most half of this
LAYERS = {
    "linear": (nn.Linear(40, 7), (3, 40)),
    "linear without bias": (nn.Linear(40, 7, bias=False), (3, 40)),
    "convolution": (nn.Conv2d(3, 5, 3, stride=2, padding=1), (2, 3, 8, 8)),
    "transposed": (nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1), (2, 3, 8, 8)),
    "along one axis": (nn.Conv1d(3, 5, 3), (2, 3, 8)),
    "along one axis, padded to the same size": (nn.Conv1d(3, 5, 3, padding="same"), (2, 3, 8)),
    "padded to the same size": (nn.Conv2d(3, 5, 3, padding="same"), (2, 3, 8, 8)),
    "along three axes": (nn.Conv3d(3, 5, 3), (2, 3, 5, 5, 5)),
    "along three axes, padded to the same size": (nn.Conv3d(3, 5, 3, padding="same"), (2, 3, 5, 5, 5)),
    "transposed along one axis": (nn.ConvTranspose1d(3, 5, 3), (2, 3, 8)),
    "transposed along three axes": (nn.ConvTranspose3d(3, 5, 3), (2, 3, 4, 4, 4)),
    "of one image": (nn.Conv2d(3, 5, 3), (3, 8, 8)),
    "transposed of one image": (nn.ConvTranspose2d(3, 5, 3), (3, 8, 8)),
}


class Multiplying(nn.Module):
    """A product that is neither a linear map nor a convolution to torch."""

    def __init__(self, inputs, outputs, shape):
        super().__init__()
        self.weight, self.shape = nn.Parameter(torch.randn(inputs, outputs)), shape

    def forward(self, u):
        return (u.flatten(1) @ self.weight).reshape(-1, *self.shape)


def graph_of(layer, x):
    graph = torch.export.export(layer, (x,), strict=False).module(check_guards=False)
    round_products(graph, torch.bfloat16)
    return graph


@pytest.mark.parametrize("name", LAYERS)
def test_products_are_those_of_rounded_numbers_and_biases_stay_exact(name):
    layer, shape = LAYERS[name]
    with seeded(0, torch.device("cpu")):
        x = torch.randn(shape)
    graph = graph_of(layer, x)
    weight = layer.weight.detach().clone()
    with torch.no_grad():
        if layer.bias is not None:  # far larger than products: rounded with them, it would hide their errors
            layer.bias.copy_(1000.0 + torch.arange(len(layer.bias)) / 8)
        found = graph(x)
        layer.double().weight.copy_(weight.bfloat16())
        exact = layer(x.bfloat16().double())
        bias = layer(torch.zeros_like(x).double())
        layer.float().weight.copy_(weight)
        np.testing.assert_array_equal(graph(torch.zeros_like(x)), bias)
    assert found.dtype is torch.float32
    product = exact - bias
    error = (found.double() - bias - product).abs()
    assert (error <= OF_BFLOAT16 * product.abs() + 1e-4).all()  # float32 beside 1000 is exact to 6e-5
    assert error.max() > 0


def test_nothing_is_left_unrounded_and_gradients_stay_near():
    data = load("digits")
    model, guide = make_pair("binomial", data, latent=4, hidden=[32])
    for part in (model, guide):
        part.initialise(data.train)
    loss = make_objective("elbo", model, guide)
    x, beta, gradients = data.train[:100], torch.tensor(1.0), []
    for products in (None, torch.bfloat16):
        objective = ExportedObjective(loss, products)
        with unchecked(), seeded(0, x.device):
            objective(x, beta).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in loss.parameters()]))
        loss.zero_grad()
    difference = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    assert 0 < difference < 0.02
    nodes = [node for node in objective.graph(x, beta).graph.nodes if node.target is torch.ops.aten.linear.default]
    assert len(nodes) == 4
    assert all(node.args[0].args[1] is node.args[1].args[1] is torch.bfloat16 for node in nodes)


def test_a_training_in_bfloat16_comes_as_far_and_is_validated_in_float32():
    data = load("digits")
    found = {}
    for precision in ("f32", "bf16"):
        model, guide = make_pair("binomial", data, latent=4, hidden=[32])
        found[precision] = fit(model, guide, data, epochs=3, lr=3e-3, precision=precision, progress=False)
    exact, rounded = (found[name].best.validation_elbo for name in found)
    assert rounded != exact
    assert abs(rounded - exact) < 0.005 * abs(exact)
    assert all(parameter.dtype is torch.float32 for parameter in model.parameters())
    loss = make_objective("elbo", model, guide).eval()
    with torch.no_grad(), seeded(0, torch.device("cpu")):
        again = sum(loss(x, torch.tensor(1.0)).item() * len(x) for x in data.validation.split(500))
    assert rounded == pytest.approx(-again / len(data.validation), rel=1e-6)


def test_what_rounds_no_products_is_refused():
    data = load("digits")
    pair = make_pair("binomial", data, latent=2, hidden=[8])
    with pytest.raises(UsageError, match="precision='bf16' needs exported=True"):
        fit(*pair, data, **OPTIONS | {"exported": False}, precision="bf16")
    with pytest.raises(UsageError, match="unknown precision 'f16'; did you mean"):
        fit(*pair, data, **OPTIONS, precision="f16")


def test_a_pair_without_a_product_that_is_rounded_is_refused():
    data = load("digits")
    decoder, encoder = Multiplying(2, 64, (8, 8, 1)), Multiplying(64, 4, (4,))
    pair = make_pair("binomial", data, latent=2, decoder=decoder, encoder=encoder)
    options = OPTIONS | {"exported": True, "epochs": 2, "compiled": False}
    words = "precision='bf16' takes the products of linear maps and convolutions in bfloat16, but this pair has none"
    with pytest.raises(UsageError, match=words):
        fit(*pair, data, **options, precision="bf16")
    # One that has some is trained, with the others as they are.
    pair = make_pair("binomial", data, latent=2, hidden=[8], decoder=decoder)
    assert len(fit(*pair, data, **options, precision="bf16")) == 2


@pytest.mark.slow
def test_a_compiled_step_rounds_the_same_products():
    data = load("digits")
    losses = []
    for compiled in (False, True):
        model, guide = make_pair("binomial", data, latent=4, hidden=[32])
        history = fit(model, guide, data, epochs=2, lr=3e-3, precision="bf16", compiled=compiled, progress=False)
        losses.append([epoch.elbo for epoch in history])
    # Rounding at other places moves a step's loss by less than a thousandth.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


@pytest.mark.slow
@needs_mnist
@pytest.mark.parametrize("observation", ["bernoulli", "normal"])
def test_mnist_in_bfloat16_loses_less_than_half_a_per_cent(observation):
    data = load("mnist", binarise="threshold") if observation == "bernoulli" else load("mnist")
    found = []
    for precision in ("f32", "bf16"):
        model, guide = make_pair(observation, data, latent=20, hidden=[100])
        history = fit(model, guide, data, epochs=20, batch_size=250, precision=precision, progress=False)
        found.append(history.best.validation_elbo)
    assert abs(found[1] - found[0]) < 0.005 * abs(found[0])
