"""The examples of the documentation run, as they stand, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from obsvae import ARCHITECTURES, GUIDES, OBSERVATIONS, PRIORS, SOURCES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def registries(monkeypatch):
    """Put the registries back afterwards."""
    known = OBSERVATIONS, PRIORS, GUIDES, ARCHITECTURES, SOURCES
    before = [dict(registry) for registry in known]
    yield known
    for registry, names in zip(known, before, strict=True):
        registry.clear()
        registry.update(names)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[] if page.stem == "README" else pytest.mark.slow)
        for page in PAGES
        if examples(page) and page.stem != "extending"
    ],
)
def test_the_examples_of_a_page_run_one_after_the_other(page, registries, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "example"}
    for number, code in enumerate(examples(page)):
        exec(compile(code, f"{page.name}, example {number}", "exec"), namespace)
    assert capsys.readouterr().out.strip()


def test_extending_adds_one_of_each_kind(registries, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "example"}
    for code in examples(ROOT / "docs/extending.md"):
        exec(code, namespace)
    for registry, name in zip(
        registries, ("exponential", "laplace", "student", "linear", "waiting-times"), strict=True
    ):
        assert name in registry
    assert namespace["history"].best is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_lead_to_files(page):
    text = page.read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not t.startswith("http")]
    assert [target for target in targets if not (page.parent / target).exists()] == []
