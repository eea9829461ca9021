"""The wheel: what it holds, and that it works away from the repository, beside folders with the names of its parts."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("model", "guides", "data", "inference", "experiments", "scripts", "obsvae")
PARTS = {"model", "guides", "data", "inference", "experiments", "cli"}


def run(*line, cwd, fails=False):
    done = subprocess.run([*map(str, line)], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_folder_of_code_is_a_package_that_no_rule_ignores():
    """The builder and the linter leave out what git ignores, and folders without a file of their own are not found."""
    if not (ROOT / ".git").exists():
        pytest.skip("not in a repository")
    kept = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {str(Path(file).parent) for file in kept.split() if file.endswith(".py")}
    assert len(folders) > len(FOLDERS)
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []
    rules = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=ROOT,
        input=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (rules.stdout, rules.returncode) == ("", 1), "files that are kept although a rule of .gitignore names them"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return a wheel that is built from a source archive, which has none of the links."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        assert not [member.name for member in tar if member.issym()]
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, archive, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the programs of a fresh environment, which has the wheel, and all else from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        programs / "python",
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    (site,) = folder.glob("lib/python*/site-packages")
    # A path that a .pth file names has its own .pth files left alone: the repository stays out of the way.
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return programs


@pytest.fixture
def elsewhere(tmp_path):
    """Return a folder of somebody who uses the names of our folders."""
    (tmp_path / "model.py").write_text("raise RuntimeError('somebody else')\n")
    for name in ("data", "scripts", "inference"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('somebody else')\n")
    return tmp_path


@pytest.mark.slow
def test_the_wheel_holds_one_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"obsvae"}
    assert {name.split("/")[1] for name in names if name.count("/") > 1 and ".dist-info/" not in name} == PARTS
    assert {
        "obsvae/py.typed",
        "obsvae/__init__.pyi",
        "obsvae/experiments/reporting/report.html.jinja",
        "obsvae/experiments/reporting/base.html.jinja",
        "obsvae/experiments/recommendation/say/recommendation.html.jinja",
    } <= set(names)
    sources = {f"obsvae/{path.relative_to(ROOT)}" for path in (ROOT / "model").rglob("*.py")}
    assert sources <= set(names)


@pytest.mark.slow
def test_the_command_works_elsewhere(installed, elsewhere):
    small = ["--latent", "2", "--hidden", "8", "--epochs", "1"]
    run(installed / "obsvae", "train", "--observation", "normal", *small, "--out", "run", cwd=elsewhere)
    text = run(installed / "obsvae", "evaluate", "run", "--particles", "30", "--limit", "5", cwd=elsewhere)
    assert "nats per datum" in text
    assert (elsewhere / "run/metrics.json").exists()
    assert "did you mean 'train'" in run(installed / "obsvae", "trian", cwd=elsewhere, fails=True)


EXAMPLE = """
import obsvae
from obsvae import UsageError, fit, load, load_run, log_likelihood, make_pair
assert {site!r} in obsvae.__file__, obsvae.__file__
data = load("digits")
model, guide = make_pair("normal", data, latent=2, hidden=[8])
fit(model, guide, data, epochs=1, progress=False)
print(log_likelihood(model, guide, data.test[:5], particles=30, progress=False).summary())
"""


@pytest.mark.slow
def test_the_library_works_elsewhere(installed, elsewhere):
    program = EXAMPLE.format(site=str(installed.parent))
    assert "nats_per_datum" in run(installed / "python", "-c", program, cwd=elsewhere)
