"""The estimate against the number of particles, beside what annealing has left."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tabulate import tabulate

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.experiments.doors import require_kind
from obsvae.experiments.evaluation.evaluate import held_out
from obsvae.experiments.evaluation.findings import Finding
from obsvae.experiments.evaluation.headline import headlines, preferred
from obsvae.experiments.evaluation.per_datum import Estimates, per_datum_file, read_per_datum
from obsvae.experiments.evaluation.scoring import mean_elbo, score
from obsvae.experiments.evaluation.tables import table
from obsvae.experiments.runs.run import Run
from obsvae.inference import Amortised, Annealed, Proposal, Refined
from obsvae.inference.conditions import rows_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Reference:
    """What annealing says of the same data.

    Attributes:
        mean: over the data, in nats.
        standard_error: of its particles.
        flagged: number of data whose estimate is not to be trusted.
    """

    mean: float
    standard_error: float
    flagged: int


@dataclass(frozen=True)
class ParticleCurves:
    """Estimates of log p(x) for growing numbers of particles.

    Attributes:
        means: by proposal, the mean over data by number of particles.
        n: number of data, those that have all estimates.
        left_out: number of the others.
        summaries: of the estimates with all particles, by proposal.
        reference: of annealing, where there is one.
        findings: what to know beside.
    """

    means: dict[str, dict[int, float]]
    n: int
    left_out: int
    summaries: dict[str, dict[str, Any]]
    reference: Reference | None
    findings: list[Finding]

    def figure(self) -> "Figure":
        """Draw them."""
        known = self.reference
        return inference.plot_particles(
            self.means, self.n, None if known is None else ("AIS", known.mean, known.standard_error)
        )

    def text(self) -> str:
        """Return them as a table, with the summaries below."""
        K = max(max(line) for line in self.means.values())
        rows = [{"K": k, **{name: line[k] for name, line in self.means.items()}} for k in inference.counts_up_to(K)]
        lacking = f"; {self.left_out} lack an estimate somewhere, and are left out" if self.left_out else ""
        lines = [tabulate(rows, "keys", floatfmt=".3f"), f"means over {self.n} data{lacking}\n"]
        lines += [f"with K = {K}:", table(self.summaries)]
        if (known := self.reference) is not None:
            value = f"{known.mean:.3f} ± {known.standard_error:.3f}"
            lines.append(f"AIS over the same data: {value}; {known.flagged} of them flagged")
        return "\n".join([*lines, *map(str, self.findings)])


def particle_curves(
    run: Run,
    *,
    split: str = "test",
    particles: int = 1000,
    limit: int | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> ParticleCurves:
    """Estimate log p(x) by the guide and by refined proposals, for numbers of particles up to K.

    They are held against the estimates that :func:`evaluate_run` has left for :class:`Annealed`, over the same data.

    Args:
        run: the run.
        split: train, validation or test.
        particles: K.
        limit: look at the first data only, this many; None: all.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar.

    Raises:
        UsageError: for another split, or a damaged file of annealing.
    """
    require_kind(run, Run, "load_run(folder)")
    headline = preferred(headlines(run.model, run.data))
    x, c, rows = held_out(run, split, limit)
    findings = [Finding("measure", headline.note)] if headline.note else []
    annealed, told = _annealed(per_datum_file(run.folder, split, Annealed.name), rows, headline.measure)
    findings += told
    if annealed is not None:  # the same data, or the curves could not be held against it
        x, c = x[: len(annealed.rows)], rows_of(c, slice(len(annealed.rows)))
    proposals, missing = compared(run)
    findings += missing
    scored = {
        proposal.name: score(
            headline.model,
            run.guide,
            x,
            particles,
            proposal,
            c=c,
            memory=memory,
            seed=seed,
            keep=len(x),
            progress=progress,
        )
        for proposal in proposals
    }
    log_weights = {name: _kept(one.likelihood.log_weights) for name, one in scored.items()}
    means, kept = inference.mean_curves(log_weights, None if annealed is None else annealed.log_likelihood[: len(x)])
    n = int(kept.sum())
    reference = None
    if annealed is not None:
        estimate, error, flagged = (
            values[: len(x)][kept] for values in (annealed.log_likelihood, annealed.standard_error, annealed.flagged)
        )
        reference = Reference(float(estimate.mean()), float(np.sqrt(np.square(error).sum()) / n), int(flagged.sum()))
    of_guide = mean_elbo(headline.model, run.guide, x, c=c, memory=memory, seed=seed)
    summaries = {name: {**one.summary, "elbo": of_guide} for name, one in scored.items()}
    return ParticleCurves(means, n, len(x) - n, summaries, reference, findings)


def compared(run: Run) -> tuple[list[Proposal], list[Finding]]:
    """Return what is held against one another; a point mass proposes nothing, which is said."""
    if run.guide.has_density:
        return [Amortised(), Refined()], []
    text = "the guide puts a point mass on z, as a plain autoencoder does: there is no amortised estimate"
    return [Refined()], [Finding("no guide", text)]


def _annealed(file: Path, rows: np.ndarray, measure: str) -> tuple[Estimates | None, list[Finding]]:
    """Return what annealing has left of these data, if they are of the same measure; else why nothing."""
    remedy = "evaluate the same data with proposal=Annealed(), and its value is drawn, too"
    if not file.is_file():
        return None, [Finding("no reference", f"there is no {file}: {remedy}")]
    found = read_per_datum(file)
    n = min(len(rows), len(found.rows))
    if not np.array_equal(found.rows[:n], rows[:n]):
        return None, [Finding("no reference", f"{file} is of other data, and is left out: {remedy}")]
    if found.measure != measure:
        text = f"{file} holds numbers of another measure ({found.measure}, where {measure} is needed), and is left out"
        return None, [Finding("no reference", f"{text}: {remedy}")]
    return found, []


def _kept(log_weights: np.ndarray | None) -> np.ndarray:
    assert log_weights is not None  # as they were asked for
    return log_weights
