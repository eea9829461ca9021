"""A folder of small files and runs, sound and damaged, in which wrong uses are tried: nothing in it may change."""

import contextlib
import hashlib
import json
import shlex
import shutil
import time
from pathlib import Path

import numpy as np

from tests.scripts.commands import SMALL, command, succeeds

SECONDS = 5
RUNS = {
    "table-run": "--data t.csv",
    "array-run": "--data x.npy --observation normal",
    "count-run": "--data counts.npy --observation poisson",
    "image-run": "--data images.npy --observation bernoulli --binarise threshold",
    "plain-run": "--data x.npy --observation normal --guide delta",
}
# Runs that are damaged: by name what is written in the place of which file; None: the file is taken away.
DAMAGED = {
    "no-weights": ("weights.safetensors", None),
    "no-config": ("config.json", None),
    "no-state": ("state.safetensors", None),
    "bad-state": ("state.safetensors", b"x" * 100),
    "bad-history": ("history.csv", b"epoch\nx\n"),
    "bad-weights": ("weights.safetensors", (2**62).to_bytes(8, "little") + b"{}"),
    "cut-config": ("config.json", b'{"format": 8,'),
    "list-config": ("config.json", b"[]"),
}
# Runs whose configuration somebody has changed.
CHANGED = {
    "old-format": {"format": 7},
    "new-format": {"format": 99},
    "no-format": {"format": None},
    "bad-family": {"observation": "nromal"},
    "wide": {"latent": 3},
    "huge": {"latent": 10**9},
    "negative": {"latent": -1},
    "worded": {"hidden": "many"},
    "gone": {"data": {"name": "gone.npy"}},
}
TABLES = {
    "one.csv": "height,colour,visits\n170.0,red,3\n",
    "level.csv": "height,colour,visits\n170.0,purple,3\n",
    "negative.csv": "height,colour,visits\n170.0,red,-3\n",
    "lacking.csv": "height,colour\n170.0,red\n",
    "words.csv": "height,colour,visits\ntall,red,3\n",
    "empty.csv": "height,colour,visits\n",
    "half.csv": "height,colour,visits\n170,red,3.5\n",
    "infinite.csv": "height,colour,visits\ninf,red,3\n",
    "bad.toml": "[columns.a b]\n",
    "other.toml": '[columns.weight]\nobservation = "normal"\n',
    "evil.toml": '[columns."<script>\\nx"]\nobservation = "normal"\n',
    "family.toml": '[columns.height]\nobservation = "nromal"\n',
    "unbounded.toml": '[columns.height]\nobservation = "beta"\n',
    "good.toml": '[columns.height]\nobservation = "normal"\n',
    "file": "mine",
}


def make(folder):
    """Fill the folder, and return it."""
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.normal(size=(60, 4)).astype(np.float32),
        "counts": rng.poisson(3, size=(60, 4)),
        "images": rng.integers(0, 256, size=(40, 6, 6)).astype(np.uint8),
        "three": np.zeros((4, 3)),
        "none": np.zeros((0, 4)),
        "nan": np.full((4, 4), np.nan),
        "below": -np.ones((4, 4)),
        "complex": np.full((20, 3), 1j),
        "text": np.array([["a", "b"]] * 20),
        "scalar": np.float32(3),
    }
    for name, x in arrays.items():
        np.save(folder / f"{name}.npy", x)
    np.save(folder / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(folder / "two.npz", a=arrays["x"], b=arrays["x"])
    (folder / "cut.npy").write_bytes(b"\x93NUMPY")
    (folder / "folder").mkdir()
    rows = zip(rng.normal(170, 10, 60), rng.choice(["red", "green", "blue"], 60), rng.poisson(3, 60), strict=True)
    lines = [f"{height:.2f},{colour},{visits}" for height, colour, visits in rows]
    (folder / "t.csv").write_text("\n".join(["height,colour,visits", *lines]) + "\n")
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    for name, line in RUNS.items():
        succeeds("train", *line.split(), "--compiled", "no", *SMALL, "--out", name, cwd=folder)
    for name, (file, content) in DAMAGED.items():
        run = _copy(folder / "array-run", folder / name)
        (run / file).unlink() if content is None else (run / file).write_bytes(content)
    for name, changes in CHANGED.items():
        file = _copy(folder / "array-run", folder / name) / "config.json"
        config = json.loads(file.read_text())
        for key, value in changes.items():
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
        file.write_text(json.dumps(config))
    return folder


def _copy(run, to):
    return Path(shutil.copytree(run, to, ignore=shutil.ignore_patterns("figures")))


def contents(folder):
    """Return what a folder holds, by name."""
    return {
        p.relative_to(folder): hashlib.sha256(p.read_bytes()).digest() if p.is_file() else None
        for p in folder.rglob("*")
    }


def refuses(line, words, folder):
    """Check that a command is refused: one line that holds the words, exit code 2, soon, and nothing is written."""
    before = contents(folder)
    script, *arguments = shlex.split(line)
    start = time.process_time()
    done = command(script, *arguments, cwd=folder)
    seconds = time.process_time() - start
    assert done.returncode == 2, done.stdout + done.stderr
    (said,) = done.stderr.splitlines()
    assert "error: " in said
    assert words in said
    assert contents(folder) == before
    assert seconds < SECONDS


def fails(text, error, words, names, folder):
    """Check that an expression is refused: an error of one line that holds the words, soon, and nothing is written."""
    before = contents(folder)
    start = time.process_time()
    with contextlib.chdir(folder):
        message = raised(text, error, names)
    seconds = time.process_time() - start
    assert "\n" not in message
    assert words in message, message
    assert contents(folder) == before
    assert seconds < SECONDS


def raised(text, error, names):
    """Return the message of the error that an expression raises."""
    try:
        eval(text, names)
    except error as caught:
        return str(caught)
    raise AssertionError(f"{text} was accepted")
