"""A trained model, scored as it is judged and beside that as it was trained."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.evaluation.findings import Finding
from obsvae.experiments.evaluation.headline import Headline, measure_in_words
from obsvae.experiments.evaluation.scoring import Scored, mean_elbo, score
from obsvae.guides import Guide
from obsvae.inference import LogLikelihood, Proposal
from obsvae.inference.pieces import NOT_KEPT, Pieces
from obsvae.inference.processes.alone import ALONE, Processes


@dataclass(frozen=True)
class Judged:
    """The scores of one likelihood.

    Attributes:
        headline: what was scored.
        likelihood: of each datum, by the headline's measure.
        summary: of the headline, with the mean ``elbo`` of the guide.
        own: the same by the measure that the model was trained by; None where it is the headline's, or has no score.
        findings: what to know of the measures.
    """

    headline: Headline
    likelihood: LogLikelihood
    summary: dict[str, Any]
    own: dict[str, Any] | None
    findings: list[Finding]

    def metrics(self) -> dict[str, Any]:
        """Return the summary, with the other one under ``own_measure``."""
        return {**self.summary, "own_measure": self.own}

    def columns(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the one or two columns of a table by title."""
        if self.own is None or self.headline.own is None:
            return {name: self.summary}
        measures = self.headline.measure, measure_in_words(self.headline.own)
        return {f"{name} ({measure})": one for measure, one in zip(measures, (self.summary, self.own), strict=True)}


def judge(
    headline: Headline,
    guide: Guide,
    x: Tensor,
    particles: int,
    proposal: Proposal,
    *,
    c: Tensor | None = None,
    memory: int = 2**27,
    seed: int = 0,
    keep: int = 0,
    keep_particles: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> Judged:
    """Score held-out data x ``(N, *event)`` by the headline's measure, and by the own one where that is another.

    Args:
        headline: what to score.
        guide: of the model.
        x: data in data units, on the model's device.
        particles: K, for each datum.
        proposal: where the particles come from.
        c: conditions of the data ``(N, C)``; None where the model has none.
        memory: bound on the working memory in bytes.
        seed: of the particles, and of the draws of the ELBO.
        keep: number of data, the first ones, whose log-weights are kept, of the headline.
        keep_particles: number of data, the first ones, whose particles are kept likewise.
        progress: show a progress bar.
        processes: that share the data, as :func:`log_likelihood` takes them.
        pieces: which keep what is computed, likewise.

    Raises:
        UsageError: as :func:`log_likelihood` does for the headline.
    """

    def scored(one: Headline) -> Scored:
        kept, kept_particles = (keep, keep_particles) if one is headline else (0, 0)
        found = score(
            one.model,
            guide,
            x,
            particles,
            proposal,
            c=c,
            memory=memory,
            seed=seed,
            keep=kept,
            keep_particles=kept_particles,
            progress=progress,
            processes=processes,
            pieces=pieces.part("headline" if one is headline else "own"),
        )
        of_guide = mean_elbo(one.model, guide, x, c=c, memory=memory, seed=seed, processes=processes)
        return Scored(found.likelihood, {**found.summary, "elbo": of_guide})

    best, own = scored(headline), None
    findings = [Finding("measure", headline.note)] if headline.note else []
    if headline.model.is_bound:
        text = "these are lower bounds, in expectation, of the log-mass of x, through uniform noise"
        findings.append(Finding("bound", text))
    if number := int(torch.isnan(x).sum()):
        share = 100 * number / x.numel()
        missing = f"{number} of {x.numel()} entries are missing ({share:.1f} %)"
        findings.append(Finding("partial", f"{missing}: log p(x) is that of the entries that are seen"))
    if headline.own is not None:
        try:
            own = scored(Headline(headline.name, headline.own)).summary
        except UsageError as error:  # annealing takes no random log-density, such as that of dequantisation
            findings.append(Finding("measure", f"not scored as it was trained: {error}"))
    return Judged(headline, best.likelihood, best.summary, own, findings)
