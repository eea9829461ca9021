"""Where arrays of images have their channels."""

import json

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import Parser
from obsvae.experiments.command_line.data import add_data, load_data
from obsvae.experiments.command_line.words import in_flags
from obsvae.model import ConvDecoder

X = np.random.default_rng(0).normal(size=(20, 6, 5, 3))


def test_channels_last_are_moved_to_the_first_place():
    moved, saved = load(X, channels="last"), load(np.moveaxis(X, -1, 1))
    assert moved.event_shape == (3, 6, 5)
    assert torch.equal(moved.train, saved.train)
    assert moved.sha256 == saved.sha256
    assert moved.train.is_contiguous()
    assert moved.unit_shape == (3, 1, 1)


def test_channels_first_stay_there_and_have_units_of_their_own():
    bands = np.random.default_rng(0).normal(size=(20, 13, 6, 5))
    assert load(bands).unit_shape == (1, 1, 5)
    declared = load(bands, channels="first")
    assert declared.event_shape == (13, 6, 5)
    assert declared.unit_shape == (13, 1, 1)
    assert load(bands, channels="first", units="all").unit_shape == ()


def test_masked_entries_move_along():
    x = np.ma.masked_array(X, mask=np.zeros(X.shape, dtype=bool))
    x[4, 1, 2, 0] = np.ma.masked
    data = load(x, channels="last", missing=True)
    together = torch.cat([data.train, data.validation, data.test])
    rows = torch.cat([data.rows[split] for split in ("train", "validation", "test")])
    assert together[rows.argsort()].isnan().nonzero().tolist() == [[4, 0, 1, 2]]


@pytest.mark.parametrize("shape", [(20, 6), (20, 6, 5), (20, 2, 6, 5, 3)])
@pytest.mark.parametrize("channels", ["first", "last"])
def test_other_arrays_have_no_channels(shape, channels):
    with pytest.raises(UsageError) as caught:
        load(np.random.default_rng(0).normal(size=shape), channels=channels)
    assert f"channels='{channels}' needs images with channels" in str(caught.value)
    assert str(shape) in str(caught.value)


def test_wrong_arguments():
    with pytest.raises(UsageError, match=r"unknown place of channels 'lats'; did you mean 'last'\?"):
        load(X, channels="lats")
    with pytest.raises(UsageError, match=r"channels go with an array or a file; got them with 'digits'"):
        load("digits", channels="last")


def test_the_recipe_and_the_command_line(tmp_path):
    np.save(tmp_path / "x.npy", X)
    first = load(tmp_path / "x.npy", channels="last")
    again = load(**json.loads(json.dumps(first.recipe)))
    assert torch.equal(first.test, again.test)
    parser = Parser("", "")
    add_data(parser)
    parsed = load_data(parser.parse_args(["--data", str(tmp_path / "x.npy"), "--channels", "last"]))
    assert parsed.recipe == first.recipe
    assert parsed.recipe["channels"] == "last"


def test_the_remedy_for_convolutions_works():
    with pytest.raises(UsageError) as caught:
        ConvDecoder(2, load(X).event_shape)
    assert "load them with channels='last'" in str(caught.value)
    assert "load them with --channels last" in in_flags(str(caught.value))
    assert ConvDecoder(2, load(X, channels="last").event_shape).image == (3, 6, 5)
