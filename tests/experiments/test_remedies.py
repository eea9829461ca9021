"""A remedy that a message gives works when it is followed."""

import numpy as np
import pytest

from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import Parser
from obsvae.experiments.command_line.data import add_data, load_data
from obsvae.experiments.command_line.observations import add_observation, observation_spec
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.comparison.acceptance import require_comparable
from obsvae.model import make_observation

RANDOM = np.random.default_rng(0)
FILES = {
    "degrees": RANDOM.integers(0, 360, size=(60, 3)),
    "angles": RANDOM.uniform(0, 360, size=(60, 3)),
    "percent": np.concatenate([RANDOM.uniform(0, 100, size=(58, 3)), [[0, 0, 0], [100, 100, 100]]]),
    "ratings": RANDOM.integers(0, 4, size=(60, 3)).astype(float),
    "counts": RANDOM.poisson(3, size=(60, 3)),
    "letters": np.eye(4)[RANDOM.integers(0, 4, size=(60, 3))],
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Work in a folder that holds all the files."""
    monkeypatch.chdir(tmp_path)
    for name, x in FILES.items():
        np.save(f"{name}.npy", x)


def refusal(line):
    """Return what the commands say before they train anything; empty where they accept the data."""
    parser = Parser("", "")
    add_data(parser)
    add_observation(parser)
    args = parser.parse_args(line.split())
    try:
        data = load_data(args)
        require_comparable(make_observation(observation_spec(args, data), data), data)
    except UsageError as error:
        return in_flags(str(error))
    return ""


@pytest.mark.parametrize(
    ("line", "remedies"),
    [
        (
            "--data degrees.npy --observation von-mises",
            {"--bounds LOW HIGH": "--bounds 0 360", "take normal": "--observation normal"},
        ),
        ("--data angles.npy --observation von-mises", {"--bounds LOW HIGH": "--bounds 0 360"}),
        (
            "--data digits --observation beta",
            {
                "--bounds LOW HIGH": "--bounds -1 17",
                "--dequantise": "--dequantise",
                "take continuous-bernoulli": "--observation continuous-bernoulli",
            },
        ),
        (
            "--data digits --observation bernoulli",
            {
                "--binarise threshold": "--binarise threshold",
                "or dynamic": "--binarise dynamic",
                "take continuous-bernoulli": "--observation continuous-bernoulli",
            },
        ),
        (
            "--data percent.npy --observation continuous-bernoulli",
            {"--bounds LOW HIGH": "--bounds 0 100", "take normal": "--observation normal"},
        ),
        (
            "--data percent.npy --observation normal --link sigmoid",
            {"--bounds LOW HIGH": "--bounds 0 100", "link=identity": "--link identity"},
        ),
        (
            "--data percent.npy --unit-interval",
            {"--bounds LOW HIGH": "--bounds 0 100"},
        ),
        ("--data percent.npy --binarise threshold --observation bernoulli", {"--bounds LOW HIGH": "--bounds 0 100"}),
        ("--data percent.npy --warp 0.2", {"--bounds LOW HIGH": "--bounds 0 100"}),
        (
            "--data counts.npy --observation gamma",
            {"take zero-inflated": "--observation zero-inflated:inner=gamma", "such as normal": "--observation normal"},
        ),
        ("--data ratings.npy --observation binomial", {"binomial:n=NUMBER": "--observation binomial:n=3"}),
    ],
)
@pytest.mark.usefixtures("files")
def test_following_a_remedy_works(line, remedies):
    message = refusal(line)
    assert "\n" not in message
    for words, flags in remedies.items():
        assert words in message
        # Of an option that is given twice the last counts.
        assert refusal(f"{line} {flags}") == "", flags


@pytest.mark.usefixtures("files")
def test_whole_degrees_need_their_bounds_once(tmp_path):
    assert refusal("--data degrees.npy --observation von-mises --bounds 0 360") == ""


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("name", "follow"), [("ratings", lambda x: x.astype(int)), ("letters", lambda x: x.argmax(-1, keepdims=True))]
)
def test_levels_are_saved_as_codes(name, follow):
    message = refusal(f"--data {name}.npy --observation categorical")
    assert "save the codes of the levels as integers" in message
    assert "x.argmax(-1, keepdims=True)" in message
    np.save("codes.npy", follow(FILES[name]))
    assert refusal("--data codes.npy --observation categorical") == ""
