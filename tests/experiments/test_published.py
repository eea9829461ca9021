"""Published tables: what is hidden and scored, what is trained and goes on, and what is written."""

import csv

import numpy as np
import pytest

from obsvae.data import load
from obsvae.data.folder import data_folder
from obsvae.errors import UsageError
from obsvae.experiments import load_run
from obsvae.experiments.published import exemplar, frey_faces, iwae, not_miwae
from obsvae.experiments.published.likelihood import Effort, Minutes, rows_of
from obsvae.experiments.published.registry import PUBLISHED
from obsvae.experiments.published.row import Row, lines_of, text_of
from obsvae.inference import Amortised, History, log_likelihood
from tests.scripts.commands import refused, succeeds

ROW = Row("table", "data", "method", "nats", 1.0, 2.345, None, 61.0)


def made(n=60, d=4):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, d)) * [1, 10, 0.1, 5] + 3


def test_what_is_above_the_mean_is_hidden_in_the_first_half_of_the_columns():
    raw = np.array([[1.0, 4.0, 0.0], [3.0, 2.0, 1.0], [8.0, 0.0, 2.0]])
    table = not_miwae.hide("made", raw)
    assert np.isnan(table.seen).tolist() == [[False, False, False], [False, False, False], [True, False, False]]
    np.testing.assert_allclose(table.x.mean(0), 0.0, atol=1e-12)
    np.testing.assert_allclose(table.x.std(0), 1.0)
    filled = np.where(np.isnan(table.seen), 0.25, table.seen)
    assert table.error(filled) == pytest.approx(abs(0.25 - 4 / np.sqrt(26 / 3)))


@pytest.mark.parametrize("method", [name for name in not_miwae.METHODS if name != "families"])
def test_every_method_fills_what_is_hidden_and_nothing_else(method, monkeypatch):
    monkeypatch.setitem(not_miwae.TABLES, "made", made)
    table = not_miwae.read("made")
    _, fill, _ = not_miwae.METHODS[method]
    filled = fill(table, not_miwae.Effort(steps=8, particles=5))
    hidden = np.isnan(table.seen)
    assert hidden.any()
    np.testing.assert_allclose(filled[~hidden], table.x[~hidden], rtol=1e-5, atol=1e-6)
    assert np.isfinite(filled).all()
    if method == "largest":
        assert np.all(filled[hidden] <= 0)


def test_an_interrupt_ends_it(monkeypatch):
    def interrupted(*_, **__):
        return History(stopped="interrupted")

    monkeypatch.setattr(not_miwae, "fit", interrupted)
    monkeypatch.setitem(not_miwae.TABLES, "made", made)
    with pytest.raises(KeyboardInterrupt):
        list(not_miwae.rows(["made"], ["miwae"], not_miwae.Effort(steps=8)))


@pytest.mark.slow
def test_families_fill_in_the_units_of_the_table(monkeypatch):
    monkeypatch.setitem(not_miwae.TABLES, "made", lambda: made(200))
    table = not_miwae.read("made")
    filled = not_miwae.METHODS["families"][1](table, not_miwae.Effort(steps=60))
    hidden = np.isnan(table.seen)
    np.testing.assert_allclose(filled[~hidden], table.x[~hidden], rtol=1e-4, atol=1e-4)
    assert np.abs(filled).max() < 20  # standard deviations


def test_the_numbers_that_need_no_training_are_theirs():
    tables = ["breast", *(["banknote"] if (data_folder() / "tables/banknote.csv").is_file() else [])]
    for row in not_miwae.rows(tables, ["mean"], not_miwae.Effort()):
        assert round(row.ours, 2) == row.theirs


def test_a_model_is_scored_by_both_estimators_and_its_run_goes_on(tmp_path):
    data = load("digits", binarise="threshold")
    model = exemplar.MODELS["standard"]
    small = type(model)(
        "small", "row", 1.5, "bernoulli", {"latent": 2, "hidden": (8,)}, {**model.training, "batch_size": 500}
    )
    effort = Effort(epochs=2, limit=5, particles=7, runs=tmp_path)
    theirs, ours = rows_of("t", data, small, effort)
    assert (theirs.theirs, ours.theirs) == (1.5, None)
    assert (theirs.method, ours.method) == ("row, amortised 7", "row, refined 500")
    assert theirs.note.startswith("2 of 2 epochs (finished), best ")
    assert theirs.ours > ours.ours - 1.0
    run = load_run(tmp_path / "small")
    again = log_likelihood(run.model, run.guide, data.test[:5], 7, proposal=Amortised(), progress=False).summary()
    assert theirs.ours == pytest.approx(-again["nats_per_datum"], abs=1e-5)
    # A run that has ended is scored again as it is, one that was cut short goes on, and another one is refused.
    assert [row.ours for row in rows_of("t", data, small, effort)] == [theirs.ours, ours.ours]
    with pytest.raises(UsageError, match="small holds another training: seed is 0, but 3 is needed"):
        list(rows_of("t", data, small, Effort(epochs=2, seed=3, runs=tmp_path)))
    bits, _ = rows_of("t", data, small, effort, in_bits=True)
    assert bits.ours == pytest.approx(theirs.ours / (64 * np.log(2)))
    assert bits.error == pytest.approx(theirs.error / (64 * np.log(2)))
    # With more epochs than it has had a finished run goes on, as if they had been asked for at first; not with fewer.
    longer = Effort(epochs=4, limit=5, particles=7, runs=tmp_path)
    more, _ = rows_of("t", data, small, longer)
    assert more.note.startswith("4 of 4 epochs (finished), best ")
    at_once, _ = rows_of("t", data, small, Effort(epochs=4, limit=5, particles=7))
    assert more.ours == pytest.approx(at_once.ours, abs=1e-4)
    assert abs(more.ours - theirs.ours) > 1e-3
    with pytest.raises(UsageError, match="small holds a training of 4 epochs, but 2 are asked for: ask for 4 or more"):
        list(rows_of("t", data, small, effort))
    assert len(load_run(tmp_path / "small").history) == 4


@pytest.mark.slow
def test_minutes_end_a_training_that_then_goes_on(tmp_path):
    data = load("digits", binarise="threshold")
    small = type(exemplar.MODELS["standard"])(
        "small", "row", 1.5, "bernoulli", {"latent": 2, "hidden": (8,)}, {"epochs": 50, "batch_size": 500, "lr": 1e-3}
    )
    notes = []
    for _ in range(2):
        effort = Effort(minutes=1e-9, limit=2, particles=2, runs=tmp_path)
        notes.append(next(rows_of("t", data, small, effort)).note)
    assert [note.partition(",")[0] for note in notes] == ["1 of 50 epochs (callback)", "2 of 50 epochs (callback)"]
    assert Minutes(1.0).minutes == 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in (exemplar, iwae, frey_faces) for name in module.MODELS]
)
def test_every_model_of_every_table_trains_and_is_scored(module, name, monkeypatch):
    options = {} if module is frey_faces else {"binarise": "threshold"}
    monkeypatch.setattr(module, "load", lambda *_, **__: load("digits", **options))
    found = list(module.rows([name], Effort(epochs=1, limit=2, particles=3)))
    assert [row.theirs for row in found] == [module.MODELS[name].theirs, None]
    assert all(np.isfinite(row.ours) for row in found)


def test_rows_are_shown_with_what_is_not_there_and_written_in_full():
    text = text_of([ROW])
    assert "1.00" in text
    assert "2.35" in text or "2.34" in text
    (row,) = csv.DictReader(lines_of([ROW]).splitlines())
    assert (row["theirs"], row["ours"], row["error"], row["seconds"]) == ("1.0", "2.345", "", "61.0")
    assert "–" in text_of([Row("table", "data", "method", "nats", None, 2.0, 0.5, 1.0)])


def test_the_command_shows_and_writes_a_table(tmp_path):
    line = ["not-miwae", "--tables", "breast", "--methods", "mean", "largest", "--out", "new.csv"]
    text = succeeds("published", *line, cwd=tmp_path)
    assert "theirs" in text
    assert "Differences:" in text
    with (tmp_path / "new.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["mean of what is seen", "the largest value seen"]
    assert set(PUBLISHED) == {"not-miwae", "exemplar-vae", "iwae", "frey-faces"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not-miwa", "did you mean 'not-miwae'?"),
        ("not-miwae --epochs 3", "--epochs is not for not-miwae, whose options are --tables, --methods, --steps, "),
        ("exemplar-vae --steps 3", "--steps is not for exemplar-vae"),
        ("exemplar-vae --models vam", "did you mean 'vamp'?"),
        ("not-miwae --methods mices", "did you mean 'mice'?"),
        ("not-miwae --tables breast --out .", "is a folder; name a file in it"),
        ("iwae --minutes 0", "needs a positive number"),
        ("", "the following arguments are required: NAME"),
    ],
)
def test_wrong_use_is_one_line(line, words, tmp_path):
    assert words in refused("published", *line.split(), cwd=tmp_path)
    assert not list(tmp_path.iterdir())
