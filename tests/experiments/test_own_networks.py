"""Networks of the user's own: what is made of them, that they train and come back, and what is refused."""

import json
import re
import sys
import warnings

import pytest
import torch
from torch import nn

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import load_run, make_pair, resume_run, train_run
from obsvae.experiments.own.imported import imported
from obsvae.inference import fit, log_likelihood
from tests.experiments import own_networks as own

HERE = "tests.experiments.own_networks"
SIZES = {"latent": 3, "hidden": (8, 6)}
TRAINED = {"epochs": 2, "batch_size": 500, "progress": False, "compiled": False}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_a_module_is_the_decoder_but_for_a_bias_and_the_encoder_but_for_what_it_sees(digits):
    model, guide = make_pair("binomial", digits, decoder=own.Wide, encoder=own.Seeing, **SIZES)
    model.initialise(digits.train)
    guide.initialise(digits.train)
    z, x = torch.randn(2, 5, 3), digits.test[:4]
    assert isinstance(model.decoder.module, own.Wide)
    assert model.decoder.module.layers[0].out_features == 6  # hidden from z to x
    expected = model.decoder.module(z.flatten(0, 1)).view(2, 5, 8, 8, 1) + model.decoder.bias
    torch.testing.assert_close(model.decode(z), expected)
    torch.testing.assert_close(model.decode(z[0, 0]), expected[0, 0])
    assert model.decoder.bias.std() > 0.5  # of the pixels' shares
    u = guide.encoder.inputs(x)
    torch.testing.assert_close(guide.encoder(x), guide.encoder.module(u))
    torch.testing.assert_close(guide.encoder(x.expand(3, *x.shape))[1], guide.encoder.module(u))
    assert guide.encoder.module.layers[1].out_features == 8


def test_a_class_of_ours_is_taken_as_it_is(digits):
    model, _ = make_pair("binomial", digits, decoder=own.Gated, seed=4, **SIZES)
    same, _ = make_pair("binomial", digits, architecture="mlp:activation=gated", seed=4, **SIZES)
    z = torch.randn(5, 3)
    assert torch.equal(model.decode(z), same.decode(z))


def test_an_instance_is_the_network_itself(digits):
    network = own.Wide(3, (8, 8), 1, (5,))
    seen = own.Seeing((8, 8), 6, (5,))
    model, guide = make_pair("binomial", digits, latent=3, decoder=network, encoder=seen)
    assert model.decoder.module is network
    assert guide.encoder.module is seen


def test_a_table_with_holes_gets_the_shapes_that_it_needs(tmp_path):
    rows = [f"{i % 7},{'abc'[i % 3]},{'' if i % 5 == 0 else i % 4}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *rows]))
    data = load(tmp_path / "t.csv", seed=0)
    model, guide = make_pair("by-column", data, decoder=own.Wide, encoder=own.Seeing, latent=2, hidden=(8,))
    history = fit(model, guide, data, epochs=2, progress=False, compiled=False)
    assert len(history) == 2
    assert model.decode(torch.zeros(4, 2)).shape == (4, 3, model.observation.outputs)


def test_a_run_holds_the_path_trains_and_comes_back(digits, tmp_path):
    paths = {"decoder": f"{HERE}:Wide", "encoder": f"{HERE}:Seeing"}
    run = train_run("binomial", digits, tmp_path / "run", **paths, **SIZES, **TRAINED)
    untrained, _ = make_pair("binomial", digits, **paths, **SIZES)
    before = dict(untrained.named_parameters())
    assert not [name for name, value in run.model.named_parameters() if torch.equal(value, before[name])]
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert {name: config[name] for name in paths} == paths
    again = load_run(tmp_path / "run")
    z, x = torch.randn(2, 5, 3), digits.test[:4]
    assert torch.equal(again.model.decode(z), run.model.decode(z))
    assert torch.equal(again.guide.encoder(x), run.guide.encoder(x))
    more = resume_run(tmp_path / "run", epochs=3, progress=False)
    assert len(more.history) == 3
    assert log_likelihood(more.model, more.guide, x, 20, progress=False).weights.usable.all()


def test_a_run_whose_class_has_gone_says_so(digits, tmp_path, monkeypatch):
    (tmp_path / "netzwerk.py").write_text(f"from {HERE} import Wide\n")
    monkeypatch.chdir(tmp_path)
    train_run("binomial", digits, "run", decoder="netzwerk:Wide", **SIZES, **TRAINED)
    assert "netzwerk" in sys.modules
    assert str(tmp_path) not in sys.path
    monkeypatch.delitem(sys.modules, "netzwerk")
    (tmp_path / "netzwerk.py").unlink()
    with pytest.raises(
        UsageError, match="the pair of run cannot be built: decoder 'netzwerk:Wide': there is no module"
    ):
        load_run("run")


def test_a_network_that_is_no_graph_trains_after_a_warning(digits):
    lines = []
    for decoder in (own.Branching, own.Wide):
        model, guide = make_pair("binomial", digits, decoder=decoder, **SIZES)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = fit(
                model, guide, digits, epochs=2, batch_size=500, progress=False, compiled=decoder is own.Branching
            )
        lines.append([str(one.message) for one in caught if "cannot be exported" in str(one.message)])
        lines.append([(one.elbo, one.validation_elbo) for one in history])
    (said,), branching, none, plain = lines
    assert said.startswith(
        "the pair cannot be exported as a graph (GuardOnDataDependentSymNode: Could not guard on data"
    )
    assert said.endswith("); training goes on, slower")
    assert none == []
    torch.testing.assert_close(torch.tensor(branching), torch.tensor(plain))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"decoder": own.Narrow},
            "decoder Narrow needs to return shape (6, 8, 8, 1) for a tensor of shape (6, 3), but ",
        ),
        ({"decoder": own.Double}, "decoder Double needs to return torch.float32, but returns torch.float64"),
        ({"decoder": own.Pair}, "decoder Pair needs to return a tensor, but returns tuple"),
        ({"decoder": own.Mixing}, "decoder Mixing mixes rows"),
        (
            {"decoder": own.Failing},
            "decoder Failing cannot take a tensor of shape (6, 3) and type torch.float32: RuntimeError",
        ),
        ({"decoder": own.OfDoubles}, "decoder OfDoubles cannot take a tensor of shape (6, 3) and type torch.float32: "),
        ({"decoder": own.OfHalves}, "decoder OfHalves needs to return torch.float32, but returns torch.bfloat16"),
        ({"encoder": own.OfDoublesSeeing}, "encoder OfDoublesSeeing cannot take a tensor of shape (6, 8, 8) and type "),
        ({"decoder": own.Halving}, "decoder Halving changes its argument in place"),
        ({"decoder": own.Rectifying}, "decoder Rectifying changes its argument in place"),
        ({"encoder": own.Bounding}, "encoder Bounding changes its argument in place"),
        ({"decoder": own.HalvingGated}, "decoder HalvingGated changes its argument in place"),
        (
            {"decoder": own.Lonely},
            "decoder Lonely cannot be made by Lonely(latent, event_shape, outputs, hidden), with ",
        ),
        ({"decoder": own.Another}, "decoder Another needs latent 3 for these data and this pair, but has 4"),
        ({"decoder": own.Wide(3, (4, 4), 1, (5,))}, "decoder Wide needs to return shape (6, 8, 8, 1)"),
        ({"decoder": own.NoModule}, "decoder needs a torch.nn.Module, its class, or the path of that as a text"),
        ({"decoder": 3}, "package.module:Class, but is of type int"),
        ({"encoder": own.Few}, "encoder Few needs to return shape (6, 6) for a tensor of shape (6, 8, 8), but returns"),
        ({"encoder": nn.Flatten()}, "encoder Flatten needs to return shape (6, 6)"),
        ({"decoder": "Wide"}, "decoder needs the path of a class, package.module:Class, but got 'Wide'"),
        ({"decoder": f"{HERE}:Wid"}, "there is no 'Wid' in tests.experiments.own_networks; did you mean 'Wide'? check"),
        ({"decoder": f"{HERE}:number"}, "decoder needs a class of torch.nn.Module, but is of type int"),
        ({"encoder": f"{HERE}:NoModule"}, "encoder needs a class of torch.nn.Module, but is the class NoModule"),
        ({"decoder": "nothing.here:Wide"}, "there is no module 'nothing' where Python looks, nor in the current"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused_in_one_line(given, words, digits):
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        make_pair("binomial", digits, **given, **SIZES)
    assert "\n" not in str(caught.value)


def test_an_encoder_takes_conditions_and_leaves_them_as_they_are(tmp_path):
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *(f"{i % 7 + 0.5},{i % 4 + 0.25}" for i in range(60))]))
    data = load(tmp_path / "t.csv", conditions=["b"], seed=0)
    model, guide = make_pair("by-column", data, encoder=own.Conditional, latent=2, hidden=(8,))
    assert len(fit(model, guide, data, epochs=2, progress=False, compiled=False)) == 2
    with pytest.raises(UsageError, match="encoder HalvingConditions changes its argument in place"):
        make_pair("by-column", data, encoder=own.HalvingConditions, latent=2, hidden=(8,))


def test_a_module_that_fails_is_told_with_its_error(tmp_path, monkeypatch):
    (tmp_path / "broken_networks.py").write_text("1 / 0\n")
    (tmp_path / "lacking_networks.py").write_text("import no_such_package\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="importing broken_networks failed: ZeroDivisionError: division by zero"):
        imported("decoder", "broken_networks:Wide")
    with pytest.raises(UsageError, match="importing lacking_networks failed: No module named 'no_such_package'"):
        imported("decoder", "lacking_networks:Wide")


def test_a_run_takes_the_path_alone(digits, tmp_path):
    with pytest.raises(UsageError, match="a run needs its decoder as the path of a class"):
        train_run("binomial", digits, tmp_path / "run", decoder=own.Wide, **SIZES, **TRAINED)
    assert not (tmp_path / "run").exists()
