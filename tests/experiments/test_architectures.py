"""Architectures with options: what their networks are, and that pairs of them train, are saved and come back."""

import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import ARCHITECTURES, load_run, make_pair, train_run
from obsvae.experiments.architectures import architecture_of, sizes_of

NEW = ["mlp:activation=gelu,skip=true", "mlp:activation=gated", "residual"]
OTHERS = ["mlp", "mlp:activation=tanh", "conv"]
TEXTS = [*NEW, *(pytest.param(text, marks=pytest.mark.slow) for text in OTHERS)]


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_all_architectures_are_here():
    assert {text.partition(":")[0] for text in [*NEW, *OTHERS]} == set(ARCHITECTURES)


@pytest.mark.parametrize("text", TEXTS)
def test_a_pair_trains_and_comes_back_as_it_was(text, digits, tmp_path):
    options = {"architecture": text, "latent": 3, "hidden": (8, 6), "epochs": 2, "progress": False}
    run = train_run("binomial", digits, tmp_path / "run", **options)
    untrained, q = make_pair("binomial", digits, **{k: options[k] for k in ("architecture", "latent", "hidden")})
    for part, before in ((run.model, untrained), (run.guide, q)):
        names = dict(before.named_parameters())
        assert [n for n, value in part.named_parameters() if torch.equal(value, names[n])] == []  # all were trained
    again = load_run(tmp_path / "run")
    z, x = torch.randn(2, 5, 3), digits.test[:4]
    assert run.model.decode(z).shape == (2, 5, 8, 8, 1)
    assert torch.equal(again.model.decode(z), run.model.decode(z))
    assert torch.equal(again.guide.encoder(x), run.guide.encoder(x))
    assert again.config["architecture"] == text


def test_activations_are_those_that_were_asked_for():
    z = torch.randn(7, 2)
    for name, expected in {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu}.items():
        decoder = architecture_of(f"mlp:activation={name}").decoder(2, (3,), 1, (5,))
        linear, head = decoder.body[0], decoder.head
        torch.testing.assert_close(decoder(z)[..., 0], head(expected(linear(z))))
    decoder = architecture_of("mlp:activation=gated").decoder(2, (3,), 1, (5,))
    layer = decoder.body[0]
    hidden = layer.value(z) * torch.sigmoid(layer.gate(z))
    torch.testing.assert_close(decoder(z)[..., 0], decoder.head(hidden))


def test_with_skip_every_layer_sees_z():
    decoder = architecture_of("mlp:skip=true").decoder(2, (3,), 1, (5, 4))
    assert [part.in_features for part in (decoder.body[0], decoder.body[2], decoder.head)] == [2, 5 + 2, 4 + 2]
    z = torch.randn(7, 2)
    first = torch.relu(decoder.body[0](z))
    second = torch.relu(decoder.body[2](torch.cat([first, z], -1)))
    torch.testing.assert_close(decoder(z)[..., 0], decoder.head(torch.cat([second, z], -1)))
    assert architecture_of("mlp:skip=true").decoder(2, (3,), 1, ())(z).shape == (7, 3, 1)


def test_a_residual_block_adds_to_what_comes_in():
    encoder = architecture_of("residual").encoder((8, 8), 4, (6,), None)
    block = encoder.stages[1]
    maps = torch.randn(2, 6, 4, 4)
    torch.testing.assert_close(block(maps) - maps, block.branch(maps))
    with torch.no_grad():
        block.branch[-1].weight.zero_()
        block.branch[-1].bias.zero_()
    assert torch.equal(block(maps), maps)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mlp:activation=rellu", "unknown activation 'rellu'; did you mean 'relu'"),
        ("mlp:skip=perhaps", "option skip takes true or false"),
        ("conv:activation=tanh", "architecture conv has no option 'activation=tanh'; it takes none"),
        ("residul", "did you mean 'residual'"),
    ],
)
def test_options_that_do_not_fit_are_refused(text, words, digits):
    with pytest.raises(UsageError, match=words):
        make_pair("binomial", digits, latent=2, hidden=(4,), architecture=text)


def test_sizes_are_those_given_or_its_own():
    assert sizes_of("mlp:activation=tanh", None) == [300, 300]
    assert sizes_of("residual", (5, 4)) == [5, 4]
