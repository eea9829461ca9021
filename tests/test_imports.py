"""Who may import whom, that importing does nothing else, and that it is quick and light."""

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Which of the packages each may import.
MAY = {
    "model": set(),
    "guides": set(),
    "data": set(),
    "inference": set(),
    "experiments": {"model", "guides", "data", "inference"},
    "cli": {"model", "guides", "data", "inference", "experiments"},
}
FOLDERS = {"cli": "scripts"}
FILES = {name: sorted((ROOT / FOLDERS.get(name, name)).rglob("*.py")) for name in MAY}
LAZY = ["obsvae", "obsvae.inference", "obsvae.experiments"]
EAGER = ["obsvae.model", "obsvae.guides", "obsvae.data", "obsvae.model.exact", "obsvae.model.observations"]


def imported(path):
    """Return the modules that a file imports, at whatever depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_a_package_imports_those_alone_that_it_may():
    assert any("torch" in imported(path) for path in FILES["model"])
    for name, files in FILES.items():
        assert len(files) > 3, name
        for path in files:
            parts = {module.split(".")[1] for module in imported(path) if module.startswith("obsvae.")}
            assert parts & MAY.keys() <= MAY[name] | {name}, path
            bare = {module.split(".")[0] for module in imported(path)}
            assert not bare & {*MAY, "scripts", "notebooks", "tests"}, path


def test_the_shared_modules_import_none_of_the_packages():
    for path in (ROOT / "obsvae").glob("*.py"):
        assert not {module.split(".")[1] for module in imported(path) if module.startswith("obsvae.")} & MAY.keys(), (
            path
        )


def test_init_files_hold_a_docstring_and_exports_alone():
    for path in (path for files in FILES.values() for path in files if path.name == "__init__.py"):
        docstring, *body = ast.parse(path.read_text(encoding="utf-8")).body
        assert isinstance(docstring, ast.Expr), path
        assert isinstance(docstring.value.value, str), path
        for node in body:
            names = {ast.unparse(t) for t in node.targets} if isinstance(node, ast.Assign) else set()
            lazy = names == {"(__getattr__, __dir__, __all__)"}
            assert lazy or names == {"__all__"} or isinstance(node, ast.Import | ast.ImportFrom), path


@pytest.mark.parametrize("name", LAZY + EAGER)
def test_every_public_name_resolves(name):
    package = importlib.import_module(name)
    assert package.__all__
    assert len(set(package.__all__)) == len(package.__all__)
    assert not [public for public in package.__all__ if not hasattr(package, public)]
    # A module of the same name would take the place of a function that is loaded lazily.
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert name in EAGER or not modules & set(package.__all__)


def test_what_a_package_exports_the_library_does_too():
    import obsvae

    for name in ("model", "guides", "data", "inference", "experiments"):
        assert set(importlib.import_module(f"obsvae.{name}").__all__) <= set(obsvae.__all__), name


COMMANDS = [path.stem for path in FILES["cli"] if path.stem not in ("__init__", "main")]
HEAVY = [
    *("PIL", "arviz", "arviz_plots", "arviz_stats", "h5py", "jinja2", "matplotlib", "narwhals", "pandas", "pyarrow"),
    *("dask", "distributed", "scipy.optimize", "scipy.stats", "sklearn", "torchvision", "umap", "xarray"),
]
STATE = """
import importlib, random
import numpy, pyro, torch

def state():
    return {
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": [str(part) for part in numpy.random.get_state()],
        "random": random.getstate(),
        "local parameters": pyro.settings.get()["module_local_params"],
        "validation": pyro.settings.get()["validate_poutine"],
        "parameters": list(pyro.get_param_store()),
    }

before = state()
import obsvae
from obsvae import fit, load, log_likelihood

# A command that only tells its arguments, or what is wrong with them, needs none of these.
for command in COMMANDS:
    importlib.import_module(f"obsvae.cli.{command}")
    heavy = {name for name in HEAVY if name in sys.modules}
    assert not heavy, (command, heavy)
import matplotlib
backend = dict.__getitem__(matplotlib.rcParams, "backend")
for name in obsvae.__all__:
    getattr(obsvae, name)
after = state()
changed = [name for name in before if before[name] != after[name]]
assert not changed, changed
assert dict.__getitem__(matplotlib.rcParams, "backend") == backend
torch.manual_seed(1)
assert state()["torch"] != before["torch"]

# An estimate differentiates, and has nothing to compile.
model = obsvae.VAE(obsvae.StandardNormal(2), obsvae.MLPDecoder(2, (3,), hidden=(4,)), obsvae.Bernoulli())
guide = obsvae.make_guide("normal", obsvae.MLPEncoder, (3,), 2, (4,))
log_likelihood(model, guide, torch.ones(2, 3), 10, progress=False)
heavy = {"torch._dynamo"} & set(sys.modules)
assert not heavy, heavy
"""


def test_importing_changes_no_global_state_and_loads_nothing_heavy():
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    program = f"import sys\nCOMMANDS, HEAVY = {COMMANDS}, {HEAVY}\n{STATE}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def seconds_to_import(name):
    """Return the CPU seconds of a fresh Python that imports a package: those of the clock depend on other programs."""
    before = os.times()
    subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_importing_takes_at_most_a_fifth_longer_than_importing_pyro():
    pairs = [(seconds_to_import("obsvae"), seconds_to_import("pyro")) for _ in range(2)]
    assert min(ours / pyros for ours, pyros in pairs) <= 1.2
