"""The folder of a run: whole files, exact weights, and errors of one line that name the file."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.figure import Figure

from obsvae.data.tables.write import save_table
from obsvae.errors import UsageError
from obsvae.experiments.files import (
    create_run,
    load_config,
    load_weights,
    save_datatree,
    save_figure,
    save_history,
    save_json,
    save_text,
    save_weights,
)
from obsvae.guides import MLPEncoder, make_guide
from obsvae.inference import Epoch, History
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal
from obsvae.model.observations.data_like import Features
from obsvae.whole_files import write_whole


def pair(features=4, latent=2, hidden=(8,), scale="shared"):
    model = VAE(StandardNormal(latent), MLPDecoder(latent, (features,), hidden=hidden), Normal(scale=scale))
    return model, make_guide("normal", MLPEncoder, (features,), latent, hidden)


@pytest.fixture
def run(tmp_path):
    folder = create_run(tmp_path / "run")
    save_json(folder / "config.json", {"latent": 2})
    save_weights(folder, *pair())
    return folder


def one_line(caught, *words):
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert str(word) in message


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_create_run_makes_the_folder_and_its_parents(tmp_path):
    folder = create_run(str(tmp_path / "a" / "b"))
    assert folder == tmp_path / "a" / "b"
    assert folder.is_dir()
    assert names(folder) == []


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file"])
def test_create_run_refuses_what_exists_and_leaves_it(tmp_path, kind):
    path = tmp_path / "run"
    if kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()
        if kind == "folder":
            (path / "config.json").write_text("mine")
    with pytest.raises(UsageError, match="exists already") as caught:
        create_run(path)
    one_line(caught, path)
    if kind == "file":
        assert path.read_text() == "mine"
    else:
        assert {p.name: p.read_text() for p in path.iterdir()} == ({"config.json": "mine"} if kind == "folder" else {})


def test_create_run_below_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot make the folder") as caught:
        create_run(tmp_path / "file" / "run")
    one_line(caught, tmp_path / "file" / "run")


def test_write_whole_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "sub" / "a.txt"
    seen = []

    def write(temporary):
        seen.append(temporary)
        temporary.write_text("new")

    assert write_whole(path, write) == path
    assert names(path.parent) == ["a.txt"]
    assert path.read_text() == "new"
    assert seen[0] != path
    assert seen[0].parent == path.parent
    assert seen[0].suffix == ".txt"  # some writers go by the suffix


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_write_whole_keeps_the_old_file_where_the_writer_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(temporary):
        temporary.write_text("half of the n")
        raise error

    with pytest.raises(error):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_write_whole_where_the_writer_never_starts(tmp_path):
    def write(temporary):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        write_whole(tmp_path / "a.txt", write)
    assert names(tmp_path) == []


def test_json_knows_no_nan(tmp_path):
    content = {
        "nan": math.nan,
        "inf": [1.5, -math.inf, {"deep": math.inf}],
        "tuple": (1, math.nan),
        "numpy": np.float64("nan"),
        "kept": [1, 2.5, "σ", None, True],
    }
    path = save_json(tmp_path / "a.json", content)

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse) == {
        "nan": None,
        "inf": [1.5, None, {"deep": None}],
        "tuple": [1, None],
        "numpy": None,
        "kept": [1, 2.5, "σ", None, True],
    }
    assert math.isnan(content["nan"])


def test_json_that_cannot_be_written_leaves_the_old(tmp_path):
    path = save_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        save_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert names(tmp_path) == ["a.json"]


def test_text_and_history(tmp_path):
    assert save_text(tmp_path / "a.txt", "σ = ½\n").read_bytes() == "σ = ½\n".encode()
    history = History([Epoch(1, 2, -3.0, -4.0, 1.0, 0.5)])
    assert save_history(tmp_path, history).read_text() == history.to_csv()
    assert names(tmp_path) == ["a.txt", "history.csv"]


def test_figure_and_datatree(tmp_path):
    save_figure(tmp_path / "figures" / "a.png", Figure())
    assert (tmp_path / "figures" / "a.png").read_bytes().startswith(b"\x89PNG")
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"z": ("datum", [1.0, 2.0])})})
    save_datatree(tmp_path / "posterior.nc", tree)
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as found:
        assert found["posterior"]["z"].values.tolist() == [1.0, 2.0]
    assert names(tmp_path) == ["figures", "posterior.nc"]
    assert names(tmp_path / "figures") == ["a.png"]


@pytest.mark.parametrize("scale", ["shared", "per-feature", "optimal", 0.3])
def test_weights_come_back_exactly_with_their_buffers(tmp_path, scale):
    def make():
        model = VAE(
            StandardNormal(2), MLPDecoder(2, (4,), hidden=(8,)), Normal(scale=scale, features=Features((4,), (4,)))
        )
        return model, make_guide("normal", MLPEncoder, (4,), 2, (8,))

    model, guide = make()
    x = torch.randn(30, 4) * 7 + 3
    model.initialise(x)
    guide.encoder.initialise(x)
    save_weights(tmp_path, model, guide)
    assert names(tmp_path) == ["weights.safetensors"]
    others = make()
    load_weights(tmp_path, *others)
    for old, new in zip((model, guide), others, strict=True):
        assert old.state_dict().keys() == new.state_dict().keys()
        for name, value in old.state_dict().items():
            assert torch.equal(value, new.state_dict()[name]), name
            assert value.dtype == new.state_dict()[name].dtype
    # Buffers that are not as a fresh model has them, so that the above says something
    torch.testing.assert_close(others[0].observation.spread, x.std(0))
    torch.testing.assert_close(others[1].encoder.inputs.offset, x.mean(0))
    assert torch.equal(guide.encoder(x), others[1].encoder(x))


def test_config_comes_back(run):
    assert load_config(run) == load_config(str(run)) == {"latent": 2}


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match="there is no run folder") as caught:
        load_config(tmp_path / "none")
    one_line(caught, tmp_path / "none", "obsvae train")


@pytest.mark.parametrize("missing", [["config.json"], ["weights.safetensors"], ["config.json", "weights.safetensors"]])
def test_files_that_are_missing(run, missing):
    for name in missing:
        (run / name).unlink()
    with pytest.raises(UsageError, match="not a whole run") as caught:
        load_config(run)
    one_line(caught, run, *missing)
    for name in {"config.json", "weights.safetensors"} - set(missing):
        assert name not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"latent": 2', b"\xff\xfe\x00", b'{"a": 1} and more', b"[1, 2]", b"3"])
def test_a_damaged_configuration(run, content):
    (run / "config.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"is not JSON|holds no configuration") as caught:
        load_config(run)
    one_line(caught, run / "config.json", "train the run again")


@pytest.mark.parametrize("left", [0, 5, 100, -1])
def test_weights_that_are_cut_short(run, left):
    path = run / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    model, guide = pair()
    before = model.decoder.head.weight.clone()
    with pytest.raises(UsageError, match="damaged") as caught:
        load_weights(run, model, guide)
    one_line(caught, path)
    assert torch.equal(model.decoder.head.weight, before)


def test_weights_that_are_missing(tmp_path):
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load_weights(tmp_path, *pair())
    one_line(caught, tmp_path / "weights.safetensors")


def test_no_pickle_is_read(run):
    torch.save(pair()[0].state_dict(), run / "weights.safetensors")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load_weights(run, *pair())
    one_line(caught, run / "weights.safetensors")


@pytest.mark.parametrize(
    "other",
    [{"latent": 3}, {"features": 5}, {"hidden": (9,)}, {"hidden": ()}, {"hidden": (8, 8)}, {"scale": "optimal"}],
)
def test_weights_of_another_model(run, other):
    model, guide = pair(**other)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(UsageError, match="the weights of another model") as caught:
        load_weights(run, model, guide)
    one_line(caught, run / "weights.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.skipif(sys.platform == "win32", reason="where nobody can be asked whether a process is alive")
@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_temporary_files_of_killed_processes_go_when_the_file_is_written_again(suffix, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    others = {f".b-{ended.pid}{suffix}", f".a-{ended.pid}.json", f".a-{os.getppid()}{suffix}"}
    for name in (f".a-{ended.pid}{suffix}", *others):
        (tmp_path / name).write_text("half")
    file = tmp_path / f"a{suffix}"
    save_table(file, {"x": [1]}) if suffix == ".csv" else save_text(file, "whole")
    assert {path.name for path in tmp_path.iterdir()} == {file.name, *others}
