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

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import evaluate_run, load_run, train_run, write_report
from obsvae.experiments.reporting.page import Part
from obsvae.experiments.reporting.parts import PARTS, Builder
from obsvae.experiments.reporting.results import different, tables
from obsvae.experiments.reporting.subject import look_at
from obsvae.experiments.reporting.verdicts import verdicts
from tests.scripts.commands import command, copy, refused, succeeds

TITLES = [
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
RUNS = ("loss", "vectors")  # on the page
LINE = ["--limit", "25", "--particles", "40"]
TRAINED = {"latent": 2, "hidden": (16,), "epochs": 2, "progress": False}


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
    """Return a folder with runs on grey levels: a density, a mass, and a plain autoencoder with a loss."""
    folder, data = tmp_path_factory.mktemp("runs"), load("digits")
    train_run("normal", data, folder / "normal", **TRAINED)
    train_run("binomial", data, folder / "binomial", **TRAINED)
    train_run("unnormalised-bernoulli", data, folder / "loss", guide="delta", **TRAINED)
    return folder


@pytest.fixture(scope="module")
def vectors(runs):
    """Return a run beside them on a file of real numbers, which have no grid."""
    np.save(runs / "x.npy", np.random.default_rng(0).normal(size=(120, 3)))
    return train_run("normal:scale=per-feature", load(runs / "x.npy"), runs / "vectors", **TRAINED)


@pytest.fixture(scope="module")
def page(runs, vectors):
    """Return the page on the loss, whose data are images on a grid, and the vectors."""
    succeeds("report", *RUNS, *LINE, "--out", "report.html", cwd=runs)
    return runs / "report.html"


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory):
    """Return a run on data that no file holds."""
    data = load(np.random.default_rng(0).normal(size=(60, 3)))
    return train_run("normal", data, tmp_path_factory.mktemp("memory") / "run", **TRAINED)


def without_pictures(text):
    return re.sub(r"base64,[^\"]*", "", text)


@pytest.mark.slow
def test_the_page_holds_every_part_of_every_run_and_asks_for_nothing(page):
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert found.depth == 0
    assert list(PARTS) == TITLES
    for part in TITLES:
        assert found.titles.count(part) == len(RUNS)
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in found.sources)
    assert "http" not in without_pictures(text)
    assert "url(" not in text
    # A point mass has no amortisation gap, which is two pictures less, and few vectors have no predictive checks.
    assert len(re.findall(r"<img ", text)) == len(RUNS) * PICTURES - 3
    few = "predictive checks need at least 20 data and draws, but there are 12"
    assert re.findall(r"Left out: (.*?)</p>", text) == [few]
    assert "from the least of the training data at the foot" in text
    assert not re.search(r"\bnan\b", without_pictures(text))


@pytest.mark.slow
def test_warnings_come_first_and_what_does_not_compare_stands_apart(page):
    text = page.read_text(encoding="utf-8")
    assert text.index("Warnings first") < text.index('id="results"') < text.index('id="run-0"')
    warnings = text[text.index('id="warnings"') : text.index('id="results"')]
    assert "loss: trained by a loss, not a likelihood" in warnings
    assert "under a correction (mean matched)" in warnings
    assert "different data or measures" in warnings
    results = text[text.index('id="results"') : text.index("<nav")]
    assert results.count("<table") == 2
    assert "Mass of the grid cells of digits" in results
    assert re.search(r"Density of \S*x.npy", results)
    # Of a scale for each feature: the least and the greatest.
    assert re.search(r"<td>learned scale</td><td>[\d.e-]{1,9} … [\d.e-]{1,9}</td>", text)


@pytest.mark.slow
def test_the_parameter_of_a_density_is_shown_where_people_take_it_for_the_mean(page):
    text = page.read_text(encoding="utf-8")
    for number, name in enumerate(RUNS):
        section = text[text.index(f'id="run-{number}"') :].partition("</section>")[0]
        assert ("and the parameter, which" in section) is (name == "loss")
        assert f"<h2>{name}" in section


@pytest.mark.slow
def test_on_grey_levels_densities_and_masses_are_ranked_together_by_mass(runs):
    names = ("normal", "binomial", "loss")
    subjects = [look_at(load_run(runs / name), name, limit=4, particles=40) for name in names]
    assert different(subjects) == []
    (table,) = tables(subjects)
    assert table.title.startswith("Mass of the grid cells of digits")
    rows = {row[0].partition(":")[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert list(table.columns[1:3]) == ["log p(x) ± s.e.", "own measure"]
    own = {name: row["own measure"].split()[0] for name, row in rows.items()}
    assert own == {"normal": "density", "binomial": "–", "loss": "density"}
    scores = [float(row["log p(x) ± s.e."].split()[0]) for row in rows.values()]
    assert scores == sorted(scores, reverse=True)
    assert max(scores) < 0
    assert (rows["loss"]["ELBO"], rows["loss"]["amortisation gap"]) == ("–", "–")
    # What to take is one of those that the table ranks; of one run there is what it leaves unsaid.
    (verdict,) = verdicts(subjects)
    assert re.match(r"(Take|No difference between) ", verdict)
    assert next(iter(rows)) in verdict
    (alone,) = verdicts(subjects[:1])
    assert alone.startswith("What normal leaves unsaid is not known: predictive checks need at least 20 data")


def test_the_table_holds_the_numbers_of_evaluate(runs, tmp_path):
    run = copy(runs / "normal", tmp_path / "normal")
    succeeds("evaluate", run, "--particles", "40", "--limit", "10", cwd=tmp_path)
    metrics = json.loads((run / "metrics.json").read_text())
    subject = look_at(load_run(run), "normal", limit=10, particles=40)
    again = look_at(load_run(run), "normal", limit=10, particles=40)
    (table,) = tables([subject])
    assert tables([again]) == [table]  # the same seed gives the same numbers
    (row,) = table.rows
    cells = dict(zip(table.columns, row, strict=True))
    assert cells["log p(x) ± s.e."] == f"{metrics['nats_per_datum']:.2f} ± {metrics['standard_error']:.2f}"
    assert cells["own measure"] == f"density {metrics['own_measure']['nats_per_datum']:.2f}"
    assert cells["ELBO"] == f"{metrics['elbo']:.2f}"


@pytest.mark.slow
def test_one_run_and_the_same_seed_give_the_same_page(runs, tmp_path):
    for name in ("a", "b"):
        succeeds("report", runs / "normal", *LINE, "--out", f"{name}.html", cwd=tmp_path)
    first, again = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in ("a", "b"))
    assert first == again
    assert "<h1>Report on normal</h1>" in first


def part(title, subject):
    return PARTS[title].part(title, subject)


@pytest.mark.slow
def test_the_worst_data_are_named_with_the_row_of_the_file(runs):
    subject = look_at(load_run(runs / "normal"), "normal", limit=4, particles=40)
    assert subject.rows.tolist() == load("digits").rows["test"][:4].tolist()
    found = part(TITLES[5], subject)
    assert "with the datum and its row in the file" in found.figures[0].caption


def test_what_cannot_be_shown_is_a_note(runs, tmp_path):
    two = look_at(load_run(runs / "normal"), "normal", limit=2, particles=40)
    assert "need at least 20 data and draws, but there are 2" in part("Predictive checks", two).note
    assert "at least 6 data" in part("Traversals, interpolations and neighbours", two).note
    one = look_at(load_run(runs / "normal"), "normal", limit=1, particles=40)
    assert "at least 2 data, but there are 1" in part("Latents", one).note
    assert "nan" not in " ".join(tables([one])[0].rows[0])
    bare = load_run(copy(runs / "normal", tmp_path / "bare"))
    assert "bare/history.csv" in part("How it learned", look_at(bare, "bare", limit=2, particles=40)).note


def test_a_run_by_itself_ends_with_what_it_leaves_unsaid(runs):
    (said,) = verdicts([look_at(load_run(runs / "normal"), "normal", limit=100, particles=10)])
    # Half of the grey levels are 0; a Normal with one σ gives far fewer.
    assert re.match(r"normal leaves unsaid: 4\d\.\d % of the values are exactly 0, and the model gives that ", said)


def test_one_epoch_is_told_as_one(runs, tmp_path):
    run = copy(runs / "normal", tmp_path / "short")
    lines = (runs / "normal/history.csv").read_text().splitlines()
    (run / "history.csv").write_text("\n".join(lines[:2]) + "\n")
    (picture,) = part("How it learned", look_at(load_run(run), "short", limit=2, particles=40)).figures
    assert picture.caption.startswith("1 epoch. ")


def test_a_note_stands_for_wrong_use_alone_and_never_for_a_fault_of_ours():
    def refuse(_):
        raise UsageError("too few data")

    def fail(_):
        raise ValueError("shapes do not match")

    assert Builder("", refuse).part("x", None) == Part("x", note="too few data")
    with pytest.raises(ValueError, match="shapes do not match"):
        Builder("", fail).part("x", None)


def test_an_interrupted_run_is_warned_of(runs, tmp_path):
    run = copy(runs / "normal", tmp_path / "normal")
    config = json.loads((run / "config.json").read_text())
    config["outcome"]["stopped"] = "interrupted"
    (run / "config.json").write_text(json.dumps(config))
    kinds = {found.kind: found.text for found in look_at(load_run(run), "normal", limit=2, particles=40).findings}
    assert "training was cut short (interrupted)" in kinds["cut short"]


@pytest.mark.slow
def test_a_run_on_data_in_memory_has_a_report_from_python(in_memory, tmp_path):
    file = write_report([in_memory], tmp_path / "report.html", particles=40)
    text = file.read_text(encoding="utf-8")
    assert [title for title in TITLES if title not in Page(text).titles] == []
    assert "<h1>Report on run</h1>" in text


def test_wrong_use_is_refused_in_one_line_and_nothing_is_written(runs, in_memory, tmp_path):
    assert "ends in .html" in refused("report", runs / "normal", "--out", "report.txt", cwd=tmp_path)
    assert "there is no run folder" in refused("report", runs / "normal", "nowhere", "--out", "r.html", cwd=tmp_path)
    assert "named twice" in refused("report", runs / "loss", runs / "loss", "--out", "r.html", cwd=tmp_path)
    assert "data in memory" in refused("report", runs / "normal", in_memory.folder, "--out", "r.html", cwd=tmp_path)
    run = copy(runs / "normal", tmp_path / "old")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "format": 1}))
    assert "written in format 1" in refused("report", run, "--out", "r.html", cwd=tmp_path)
    assert command("report", "--help", cwd=tmp_path).returncode == 0
    with pytest.raises(UsageError, match="at least one run"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(UsageError, match="there is no run folder nowhere"):  # one folder, and not its letters
        write_report("nowhere", tmp_path / "r.html")
    with pytest.raises(UsageError, match="limit needs to be a whole number of at least 1, but got -3"):
        write_report(runs / "normal", tmp_path / "r.html", limit=-3)
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


@pytest.mark.slow
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
    assert found["images"] == len(RUNS) * PICTURES - 3
    assert found["requests"] == 0


def overflowing(run):
    """Let a run's decoder overflow."""
    weights = load_file(run / "weights.safetensors")
    for key, value in weights.items():
        if "decoder" in key and value.dtype == np.float32:
            weights[key] = value * 1e36
    save_file(weights, run / "weights.safetensors")
    return run


@pytest.mark.parametrize("name", ["normal", pytest.param("binomial", marks=pytest.mark.slow)])
def test_a_model_that_overflows_has_dashes_for_numbers_and_says_why(name, runs, tmp_path):
    run = overflowing(copy(runs / name, tmp_path / name))
    subject = look_at(load_run(run), name, limit=25, particles=40)
    (row,) = tables([subject])[0].rows
    assert "– ± –" in row
    assert "nan" not in " ".join(row)
    rows = subject.rows
    (lost,) = [found for found in subject.findings if found.kind == "lost"]
    assert f"no estimate for datum 0 (row {rows[0]}), 1 (row {rows[1]})" in lost.text
    assert "draws from the model hold values that are not finite" in part("Predictive checks", subject).note
    assert "none of 25 data has an estimate" in part("How far to trust the likelihood", subject).note
    found = evaluate_run(run, limit=25, particles=40, check=30, progress=False)
    assert found.metrics["missed_mass"]["unusable"] == 30
    (missed,) = [finding for finding in found.findings if finding.kind == "missed"]
    assert "30 of 30 data drawn from the model are not finite" in missed.text


@pytest.mark.slow
def test_a_page_on_a_model_that_overflows_is_whole(runs, tmp_path):
    run = overflowing(copy(runs / "normal", tmp_path / "normal"))
    done = command("report", run, *LINE, "--out", "report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning" not in done.stderr
    assert "warning: normal: no estimate for datum 0 (row " in done.stdout
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Data with the lowest likelihood" in text
    assert "no estimate for datum 0 (row " in succeeds("evaluate", run, *LINE, cwd=tmp_path)
