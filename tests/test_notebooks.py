"""Notebooks explain: they import, define nothing, and are stored with what they show."""

import ast
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code(notebook):
    """Return the code cells, without the lines that speak to IPython."""
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    return cells, "\n".join("\n".join(line for line in c.source.splitlines() if line[:1] != "%") for c in cells)


def imported(source):
    """Return the modules that are imported anywhere in the source."""
    nodes = list(ast.walk(ast.parse(source)))
    modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    return modules + [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]


def test_there_are_five():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_define_nothing(notebook):
    _, source = code(notebook)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, definitions)]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_take_public_names_alone(notebook):
    _, source = code(notebook)
    modules = imported(source)
    assert "obsvae" in modules
    assert not [module for module in modules if module.startswith("obsvae.")]
    # The folders and scripts of the repository, which Python finds from some folders and not from others.
    own = {path.stem for path in [*ROOT.iterdir(), *(ROOT / "scripts").glob("*.py")]} - {"obsvae"}
    assert not {module.split(".")[0] for module in modules} & own


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_stored_as_they_ran(notebook):
    cells, _ = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert [output for output in outputs if "image/png" in output.get("data", {})]
    text = notebook.read_text(encoding="utf-8")
    for path in (str(ROOT), str(Path.home())):
        assert f"{path}/" not in text
