"""The evaluation of a run: its likelihood of held-out data, and the files that keep it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.evaluation.about import about_data, called, column_names
from obsvae.experiments.evaluation.doubts import active_latents, doubts
from obsvae.experiments.evaluation.findings import Finding, cut_short, doubtful, of_columns, of_conditions, trust
from obsvae.experiments.evaluation.headline import headlines, preferred
from obsvae.experiments.evaluation.judged import judge
from obsvae.experiments.evaluation.judges import judged_by, of_missed_mass
from obsvae.experiments.evaluation.metrics import metrics_of, replaced
from obsvae.experiments.evaluation.per_datum import per_datum_file, save_per_datum, settings_of
from obsvae.experiments.evaluation.tables import table
from obsvae.experiments.files import save_datatree, save_json, save_text
from obsvae.experiments.given import given
from obsvae.experiments.pieces.kept import kept_pieces
from obsvae.experiments.pieces.origin import origin_of
from obsvae.experiments.runs.run import Run, load_run
from obsvae.experiments.use.column_scores import ColumnScores, column_scores, wants_columns
from obsvae.inference import KHAT_LIMIT, Annealed, Proposal, Refined, missed_mass, to_arviz
from obsvae.inference.conditions import alike, rows_of
from obsvae.inference.modes import device_of
from obsvae.inference.pieces import Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.whole_numbers import whole, whole_or_none

# Draws of each datum in posterior.nc, and about how many values a group of it may hold.
DRAWS, _VALUES = 100, 2_000_000
# The folder in a run's that keeps what an interrupted evaluation has computed.
UNFINISHED = "evaluation.unfinished"
# Proposals that judge each other, where both have scored the same data.
_JUDGES = {"refined": "ais", "ais": "refined"}


@dataclass(frozen=True)
class Evaluation:
    """How a run fares on held-out data.

    Attributes:
        metrics: what ``metrics.json`` holds.
        columns: summaries by name, as :meth:`table` shows them: the measure that a likelihood is judged by, then the
            one that it was trained by where that is another; of a loss, this for each of its corrections in turn.
        findings: what a reader must know beside the numbers.
        files: what was written.
        by_column: of a table, what each column says given the others (:class:`ColumnScores`), where it was asked for.
    """

    metrics: dict[str, Any]
    columns: dict[str, dict[str, Any]]
    findings: list[Finding]
    files: list[Path] = field(default_factory=list)
    by_column: ColumnScores | None = None

    def table(self) -> str:
        """Return the summaries side by side, and of a table a line for each column below them."""
        summaries = table(self.columns)
        if self.by_column is None:
            return summaries
        return f"{summaries}\n\nEach entry given the others of its row, nats:\n{self.by_column}"


def evaluate_run(
    run: Run | str | Path,
    *,
    split: str = "test",
    proposal: Proposal | None = None,
    particles: int = 1000,
    limit: int | None = None,
    check: int = 200,
    by_column: bool | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
) -> Evaluation:
    """Estimate a run's likelihood of held-out data, and write ``metrics.json``, ``likelihood/*.csv``, ``posterior.nc``.

    What is computed is kept in the run's folder about every 30 s: the same evaluation goes on after an interrupt or a
    kill (:func:`kept_pieces`).

    Where the data lie on a grid, the headline is the mass of the grid's cells, and the density stands beside it, under
    ``own_measure`` in ``metrics.json``. A loss that is no likelihood has numbers under ``corrections`` alone.

    Args:
        run: the run, or its folder.
        split: train, validation or test.
        proposal: where the particles come from; :class:`Refined` by default.
        particles: K, for each datum.
        limit: score the first data only, this many; None: all.
        check: number of data to draw from the model, on which :func:`missed_mass` measures how much the estimates miss;
            0: none. Annealing is left out: ``obsvae evaluate --bidirectional`` brackets it.
        by_column: whether to score each entry of a table given the others of its row (:func:`column_scores`), in
            ``likelihood/*-columns.csv`` and under ``columns`` in ``metrics.json``; by default where the table has at
            most 100 columns.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar.
        processes: that share the data, where each calls this function alike; the first one writes the files.

    Raises:
        UsageError: for a folder without a run, another split, numbers that are not whole, a proposal that does not go
            with the run, or a run that another process evaluates just now.
    """
    particles, limit = whole("particles", particles), whole_or_none("limit", limit)
    check = whole("check", check, least=0)
    memory, seed = whole("memory", memory), whole("seed", seed, least=0)
    run = run if isinstance(run, Run) else load_run(run)
    proposal = Refined() if proposal is None else proposal
    if not isinstance(proposal, Proposal):
        raise UsageError(f"a proposal needs to be an object such as Refined() or Amortised(), but got {proposal!r}")
    # Chains are slow, and a run is made again for each entry that moves the posterior: only where it is asked for.
    wants_entries = wants_columns(run, by_column) and not (isinstance(proposal, Annealed) and by_column is None)
    x, c, rows = held_out(run, split, limit)
    how: dict[str, Any] = {"particles": particles, "memory": memory, "seed": seed}
    which = {"split": split, "check": check, "columns": wants_entries}
    settings = {"proposal": f"{type(proposal).__qualname__} {proposal.name}", "settings": settings_of(proposal)}
    origin = origin_of(run, {split: (x, c)}, {**which, **how, **settings})
    how |= {"proposal": proposal, "progress": progress, "processes": processes}
    with kept_pieces(run.folder / UNFINISHED, "evaluation", origin, processes) as pieces:
        return _evaluate(run, x, c, rows, split, check, wants_entries, how, pieces)


def _evaluate(
    run: Run,
    x: Tensor,
    c: Tensor | None,
    rows: np.ndarray,
    split: str,
    check: int,
    wants_entries: bool,
    how: dict[str, Any],
    pieces: Pieces,
) -> Evaluation:
    """Estimate and write as :func:`evaluate_run` does, by arguments that it has checked, some of them by name."""
    proposal, seed, processes = how["proposal"], how["seed"], how["processes"]
    few = _data_in_posterior(x)
    name = run.config["observation"]
    found = {
        headline.name: judge(
            headline,
            run.guide,
            x,
            c=c,
            keep=few,
            keep_particles=few,
            pieces=pieces.part(f"judged-{number}"),
            **how,
        )
        for number, headline in enumerate(headlines(run.model, run.data))
    }
    headline = preferred([one.headline for one in found.values()])
    best = found[headline.name]
    columns = {title: summary for how, one in found.items() for title, summary in one.columns(how or name).items()}
    metrics = metrics_of(run, found, best, split, proposal, seed)
    missed = None
    if check and how["particles"] > 1 and not headline.model.is_bound and not isinstance(proposal, Annealed):
        missed = missed_mass(headline.model, run.guide, check, c=alike(c, check), pieces=pieces.part("missed"), **how)
    metrics["missed_mass"] = missed.summary() if missed else None
    entries = None
    if wants_entries and not headline.model.is_bound:
        entries = column_scores(run, x, c=c, pieces=pieces.part("columns"), **how)
    metrics["columns"] = entries.table() if entries else None
    findings = doubts(run, headline.model, x, seed, c)
    metrics["active_latents"] = int(active_latents(run, seed).sum())
    findings += [_of_a_loss(name, found, headline.name)] if headline.name else []
    findings += trust({title: summary[f"khat_above_{KHAT_LIMIT}"] for title, summary in columns.items()})
    findings += of_columns(entries.behind) if entries else []
    findings += [of_missed_mass(missed, best.likelihood.remedy)] if missed else []
    if not processes.is_first:  # what follows reads and writes the files of the run
        return Evaluation(metrics, columns, findings, [], entries)
    if other := _JUDGES.get(proposal.name):
        file = per_datum_file(run.folder, split, other)
        if file.is_file():
            findings += judged_by(
                file, other, best.likelihood, rows, headline.measure, proposal, called(run.data, rows)
            )
    findings += doubtful(best.likelihood, called(run.data, rows), headline.model.is_bound)
    findings += best.findings
    findings += cut_short(run.config["outcome"])
    findings += of_conditions([one.name for one in run.data.conditions])
    # Saved before anything is told: whoever stops listening loses the text alone.
    findings += replaced(run.folder / "metrics.json", metrics)
    metrics["findings"] = [{"kind": one.kind, "is_warning": one.is_warning, "text": one.text} for one in findings]
    estimates = per_datum_file(run.folder, split, proposal.name)
    labels = run.data.labels.get(split)
    known = {"row": torch.from_numpy(rows[:few])}
    if labels is not None and len(labels):  # many data have none
        known["label"] = labels[:few]
    first = best.likelihood.first(few)
    about = about_data(run, split, headline)
    told: dict[str, Any] = {"labels": known, "attributes": about, "draws": DRAWS, "seed": seed}
    told |= {"c": rows_of(c, slice(few)), "columns": column_names(run.data)}
    tree = to_arviz(headline.model, run.guide, x[:few], first, **told)
    files = [
        save_json(run.folder / "metrics.json", metrics),
        save_per_datum(estimates, best.likelihood, rows, headline.measure, proposal),
        save_datatree(run.folder / "posterior.nc", tree),
    ]
    if entries:
        text = columns_text({"row": rows, **entries.columns()})
        files.append(save_text(estimates.with_stem(f"{estimates.stem}-columns"), text))
    return Evaluation(metrics, columns, findings, files, entries)


def held_out(run: Run, split: str, limit: int | None) -> tuple[Tensor, Tensor | None, np.ndarray]:
    """Return the first data of a split ``(N, *event)``, where the model is, their conditions, and rows in the source.

    The conditions are None where there are none; the rows are ``(N,)``.
    """
    device = device_of(run.model)
    x = run.data.split(split)[:limit].to(device)
    return x, given(run.data, split, slice(limit), device), run.data.rows[split][:limit].numpy()


def _of_a_loss(name: str, corrections: Iterable[str], saved: str) -> Finding:
    """Return a note on what the decoder of a loss is scored under."""
    return Finding(
        "loss",
        f"{name} is a loss, not a likelihood: it does not integrate to one. Its decoder is scored under its "
        f"corrections instead ({', '.join(corrections)}); posterior.nc and the estimates of each datum are of: {saved}",
    )


def _data_in_posterior(x: Tensor) -> int:
    """Return of how many data ``posterior.nc`` holds draws: few of large ones, for it holds 100 draws of each."""
    return min(len(x), 200, max(10, _VALUES // (DRAWS * x[0].numel())))
