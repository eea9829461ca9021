"""The report: one page that holds everything, also in a browser, at the width of a desk and of a phone."""

import html
import html.parser
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.scripts.commands import SMALL, command, copy, refused, succeeds

PARTS = [
    "How it learned",
    "Reproductions",
    "Draws from the model",
    "Predictive checks",
    "How far to trust the likelihood",
    "The data with the lowest likelihood, and those where the guide is worst",
    "Calibration of the posterior",
    "Latents",
    "Traversals, interpolations and neighbours",
]
PICTURES = 13  # of a run
LINE = ["--limit", "40", "--particles", "60"]


class Page(html.parser.HTMLParser):
    """Titles, links and images of a page, and how often each element is opened and closed."""

    def __init__(self, text):
        super().__init__()
        self.titles, self.sources, self.depth = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.sources += [named[key] for key in ("src", "href", "srcset", "action") if key in named]
        if tag in ("h1", "h2", "h3"):
            self.titles.append("")
        if tag not in ("meta", "img", "br", "link"):
            self.depth += 1

    def handle_endtag(self, tag):
        self.depth -= 1

    def handle_data(self, data):
        if self.titles and not self.titles[-1]:
            self.titles[-1] = data.strip()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with runs of two measures, a plain autoencoder and a loss."""
    folder = tmp_path_factory.mktemp("runs")
    line = ["train", "--data", "digits", *SMALL]
    succeeds(*line, "--observation", "normal", "--out", "normal", cwd=folder)
    succeeds(*line, "--observation", "continuous-bernoulli", "--out", "cb", cwd=folder)
    succeeds(*line, "--observation", "binomial", "--out", "binomial", cwd=folder)
    succeeds(*line, "--observation", "unnormalised-bernoulli", "--guide", "delta", "--out", "loss", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def page(runs):
    """Return the page on all of them."""
    succeeds("report", "normal", "cb", "binomial", "loss", *LINE, "--out", "report.html", cwd=runs)
    return runs / "report.html"


def test_the_page_holds_every_part_of_every_run_and_asks_for_nothing(page):
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert found.depth == 0
    for part in PARTS:
        assert found.titles.count(part) == 4
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in found.sources)
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert "url(" not in text
    assert len(re.findall(r"<img ", text)) == 4 * PICTURES - 2  # a point mass has no amortisation gap


def test_warnings_come_first_and_densities_and_masses_stand_apart(page):
    text = page.read_text(encoding="utf-8")
    assert text.index("Warnings first") < text.index('id="results"') < text.index('id="run-0"')
    warnings = text[text.index('id="warnings"') : text.index('id="results"')]
    assert "loss: unnormalised-bernoulli is a loss, not a likelihood" in warnings
    assert "different data or measures" in warnings
    results = text[text.index('id="results"') : text.index("<nav")]
    assert results.count("<table") == 2
    assert "Density of digits" in results
    assert "Mass of digits" in results


def test_what_cannot_be_shown_is_a_note(runs, page, tmp_path):
    text = page.read_text(encoding="utf-8")
    loss = text[text.index('id="run-3"') : text.index('id="meaning"')]
    assert "Left out" not in loss
    succeeds("report", runs / "normal", "--limit", "2", "--particles", "40", "--out", "few.html", cwd=tmp_path)
    few = (tmp_path / "few.html").read_text(encoding="utf-8")
    for words in ("need at least 20 data and draws, but there are 2", "at least 6 data"):
        assert words in few
    succeeds("report", runs / "normal", "--limit", "1", "--particles", "40", "--out", "one.html", cwd=tmp_path)
    one = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "at least 2 data, but there are 1" in one
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", one))
    copy(runs / "normal", tmp_path / "bare")
    succeeds("report", "bare", *LINE, "--out", "bare.html", cwd=tmp_path)
    assert "there is no bare/history.csv" in (tmp_path / "bare.html").read_text(encoding="utf-8")


def test_one_run_and_the_same_seed_give_the_same_numbers(runs, tmp_path):
    for name in ("a", "b"):
        succeeds("report", runs / "normal", *LINE, "--out", f"{name}.html", cwd=tmp_path)
    first, again = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in ("a", "b"))
    assert first == again
    assert "<h1>Report on normal</h1>" in first


def test_the_table_holds_the_numbers_of_evaluate(runs, tmp_path):
    run = copy(runs / "normal", tmp_path / "normal")
    succeeds("evaluate", run, "--particles", "60", "--limit", "40", cwd=tmp_path)
    metrics = json.loads((run / "metrics.json").read_text())
    succeeds("report", run, *LINE, "--out", "report.html", cwd=tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{metrics['nats_per_datum']:.2f} ± {metrics['standard_error']:.2f}" in text


def test_an_interrupted_run_is_warned_of(runs, tmp_path):
    run = copy(runs / "normal", tmp_path / "normal")
    config = json.loads((run / "config.json").read_text())
    config["outcome"]["stopped"] = "interrupted"
    (run / "config.json").write_text(json.dumps(config))
    text = succeeds("report", run, *LINE, "--out", "report.html", cwd=tmp_path)
    assert "warning: normal: training was cut short (interrupted)" in text


def test_a_table_of_numbers_has_a_report_too(tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32))
    succeeds("train", "--data", "mine.npy", "--observation", "normal", *SMALL, "--out", "run", cwd=tmp_path)
    succeeds("report", "run", "--particles", "40", "--out", "report.html", cwd=tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [title for title in PARTS if title not in Page(text).titles] == []
    few = "predictive checks need at least 20 data and draws, but there are 12"
    assert re.findall(r"Left out: (.*?)</p>", text) == [few]
    assert "from the least of the training data at the foot" in text
    assert text.count("<img ") == PICTURES - 1


def test_wrong_use_is_refused_in_one_line_and_nothing_is_written(runs, tmp_path):
    assert "ends in .html" in refused("report", runs / "normal", "--out", "report.txt", cwd=tmp_path)
    assert "there is no run folder" in refused("report", runs / "normal", "nowhere", "--out", "r.html", cwd=tmp_path)
    assert "named twice" in refused("report", runs / "cb", runs / "cb", "--out", "r.html", cwd=tmp_path)
    run = copy(runs / "normal", tmp_path / "old")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "format": 1}))
    assert "written in format 1" in refused("report", run, "--out", "r.html", cwd=tmp_path)
    assert command("report", "--help", cwd=tmp_path).returncode == 0
    assert not list(tmp_path.glob("*.html"))


LOOK = """<script>addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll")
    && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + " " + e.textContent.slice(0, 40));
  const broken = [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt);
  const flat = [...document.images].filter(i => i.getBoundingClientRect().height < 20).map(i => i.alt);
  const unnamed = [...document.images].filter(i => !i.alt).length;
  const found = {width: innerWidth, overflow: document.documentElement.scrollWidth - innerWidth, wide, broken, flat,
    unnamed, images: document.images.length, requests: performance.getEntriesByType("resource")
      .filter(r => !r.name.startsWith("data:")).length};
  parent.postMessage(JSON.stringify(found), "*"); });</script>"""
# A window is at least 500 pixels wide; a phone is a frame within one.
FRAME = """<!doctype html><pre id="looked"></pre><script>
addEventListener("message", e => {{ document.getElementById("looked").textContent = e.data; }});
</script><iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_all_of_it_without_overflow(page, width, tmp_path):
    looking = page.read_text(encoding="utf-8").replace("</body>", f"{LOOK}</body>")
    (tmp_path / "page.html").write_text(looking, encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1400,1000",
            "--virtual-time-budget=20000",
            "--dump-dom",
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    looked = re.search(r'<pre id="looked">(.*?)</pre>', done.stdout, re.DOTALL)
    assert looked, done.stdout[-500:] + done.stderr[-500:]
    found = json.loads(html.unescape(looked[1]))
    assert found["width"] == width
    assert found["overflow"] <= 0, found
    assert (found["wide"], found["broken"], found["flat"], found["unnamed"]) == ([], [], [], 0)
    assert found["images"] == 4 * PICTURES - 2  # a point mass has no amortisation gap
    assert found["requests"] == 0


@pytest.mark.parametrize("name", ["normal", "binomial"])
def test_a_model_that_overflows_has_dashes_for_numbers_and_says_why(name, runs, tmp_path):
    run = copy(runs / name, tmp_path / name)
    weights = load_file(run / "weights.safetensors")
    for key, value in weights.items():
        if "decoder" in key:
            weights[key] = value * 1e36
    save_file(weights, run / "weights.safetensors")
    done = command("report", run, *LINE, "--out", "report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning" not in done.stderr
    assert f"warning: {name}: no estimate for datum 0, 1, 2" in done.stdout
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    results = text[text.index('id="results"') : text.index("<nav")]
    assert "– ± –" in results
    assert "nan" not in results
    for words in ("draws from the model hold values that are not finite", "none of 40 data has an estimate"):
        assert words in text
    assert "Data with the lowest likelihood" in text
    text = succeeds("evaluate", run, "--particles", "60", "--limit", "40", cwd=tmp_path)
    assert "no estimate for datum 0, 1, 2" in text
