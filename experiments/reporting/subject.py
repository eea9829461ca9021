"""A run that is reported on: scored, with its held-out data."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from obsvae.experiments.evaluation.about import called
from obsvae.experiments.evaluation.doubts import doubts
from obsvae.experiments.evaluation.evaluate import held_out
from obsvae.experiments.evaluation.findings import Finding, cut_short, doubtful, of_conditions
from obsvae.experiments.evaluation.headline import headlines, preferred
from obsvae.experiments.evaluation.judged import Judged, judge
from obsvae.experiments.evaluation.scoring import score
from obsvae.experiments.given import given
from obsvae.experiments.runs.run import Run
from obsvae.experiments.verdicts.rules import FLAGGED
from obsvae.inference import Amortised, LogLikelihood, Refined, posterior_means
from obsvae.model import VAE

# Training data among which neighbours are looked for.
TRAINING = 5000


@dataclass(frozen=True)
class Subject:
    """A run that is reported on.

    Attributes:
        name: on the page.
        run: the run.
        judged: its likelihood by refined proposals, with the log-weights.
        x: the held-out data that are looked at ``(N, *event)``.
        c: their conditions ``(N, C)``; None where there are none.
        rows: of these data in their source ``(N,)``.
        labels: their classes ``(N,)``, or None.
        amortised: the likelihood by the guide, or None where it is a point mass.
        particles: K, for each datum.
        seed: of all draws.
        findings: what a reader must know first.
    """

    name: str
    run: Run
    judged: Judged
    x: Tensor
    c: Tensor | None
    rows: np.ndarray
    labels: Tensor | None
    amortised: LogLikelihood | None
    particles: int
    seed: int
    findings: list[Finding]

    @property
    def called(self) -> np.ndarray:
        """What these data are called in their source ``(N,)``: names of rows, or their numbers."""
        return called(self.run.data, self.rows)

    @property
    def model(self) -> VAE:
        """The model, as it is judged."""
        return self.judged.headline.model

    @property
    def trained(self) -> VAE:
        """The model by the measure that it was trained by, of a loss a correction: its mean and parameter are shown."""
        return self.judged.headline.own or self.judged.headline.model

    def means(self) -> Tensor:
        """Return the guide's means of z ``(N, D)``."""
        return posterior_means(self.run.guide, self.x, c=self.c, seed=self.seed)

    def means_of_training(self) -> Tensor:
        """Return those of the first training data ``(M, D)``."""
        data, first = self.run.data, slice(TRAINING)
        return posterior_means(self.run.guide, data.train[first], c=given(data, "train", first), seed=self.seed)

    @property
    def refined(self) -> LogLikelihood:
        """The likelihood by refined proposals."""
        return self.judged.likelihood


def look_at(run: Run, name: str, *, limit: int = 200, particles: int = 500, seed: int = 0) -> Subject:
    """Score a run's first test data by refined proposals and by the guide.

    Args:
        run: the run.
        name: of the run on the page.
        limit: number of data at most.
        particles: K, for each datum.
        seed: of all draws.
    """
    x, c, rows = held_out(run, "test", limit)
    headline = preferred(headlines(run.model, run.data))
    judged = judge(headline, run.guide, x, particles, Refined(), c=c, seed=seed, keep=len(x))
    amortised = None
    if run.guide.has_density:
        of_guide = score(headline.model, run.guide, x, particles, Amortised(), c=c, seed=seed, keep=len(x))
        amortised = of_guide.likelihood
    labels = run.data.labels.get("test")
    return Subject(
        name,
        run,
        judged,
        x,
        c,
        rows,
        labels[:limit] if labels is not None and len(labels) else None,
        amortised,
        particles,
        seed,
        _findings(run, judged, x, rows, seed, c),
    )


def _findings(run: Run, judged: Judged, x: Tensor, rows: np.ndarray, seed: int, c: Tensor | None) -> list[Finding]:
    found = doubts(run, judged.headline.model, x, seed, c)
    if headline := judged.headline.name:
        text = f"trained by a loss, not a likelihood; the page scores its decoder under a correction ({headline})"
        found.append(Finding("loss", text))
    found += cut_short(run.config["outcome"])
    found += of_conditions([one.name for one in run.data.conditions])
    found += [one for one in doubtful(judged.likelihood, called(run.data, rows)) if one.kind == "lost"]
    if (flagged := float(judged.likelihood.weights.flagged.mean())) > FLAGGED:
        text = f"{flagged:.0%} of the likelihood estimates are flagged: probably too low, by unknown amounts"
        found.append(Finding("distrusted", text))
    return [*found, *judged.findings]
