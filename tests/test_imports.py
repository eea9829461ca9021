"""Who may import whom, and that importing does nothing else."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "guides", "data", "inference")
OTHERS = {*PACKAGES, "scripts", "notebooks", "tests"}
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
INITS = [path for path in FILES if path.name == "__init__.py"]


def short(path):
    return str(path.relative_to(ROOT))


def imported(path):
    """Return the top-level packages that a file imports, at whatever depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(path.relative_to(ROOT).parts[0] if node.level else str(node.module).split(".")[0])
    return found


def test_there_are_files():
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(PACKAGES)
    assert "torch" in imported(ROOT / "model" / "vae.py")


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_package_imports_none_of_the_others(path):
    assert not imported(path) & (OTHERS - {path.relative_to(ROOT).parts[0]})


@pytest.mark.parametrize("path", INITS, ids=short)
def test_init_files_re_export_and_nothing_else(path):
    docstring, *body = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(docstring.value.value, str)
    for node in body:
        exports = isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]
        assert exports or isinstance(node, ast.Import | ast.ImportFrom), ast.unparse(node)


@pytest.mark.parametrize("path", INITS, ids=short)
def test_every_public_name_resolves(path):
    package = importlib.import_module(".".join(path.parent.relative_to(ROOT).parts))
    assert package.__all__
    assert len(set(package.__all__)) == len(package.__all__)
    assert not [name for name in package.__all__ if not hasattr(package, name)]


STATE = """
import random
import matplotlib, numpy, pyro, torch

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
        "backend": dict.__getitem__(matplotlib.rcParams, "backend"),
    }

before = state()
import model, guides, data, inference
after = state()
changed = [name for name in before if before[name] != after[name]]
assert not changed, changed
torch.manual_seed(1)
assert state()["torch"] != before["torch"]
"""


def test_importing_changes_no_global_state():
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    done = subprocess.run([sys.executable, "-c", STATE], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
