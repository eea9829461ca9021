"""Estimates held between a lower and an upper bound, on data that are drawn from the model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.doors import require_kind
from obsvae.experiments.evaluation.curve import compared
from obsvae.experiments.evaluation.findings import Finding, doubtful
from obsvae.experiments.evaluation.headline import headlines, preferred
from obsvae.experiments.evaluation.per_datum import per_datum_columns
from obsvae.experiments.files import save_text
from obsvae.experiments.given import given
from obsvae.experiments.runs.run import Run
from obsvae.inference import Annealed, Bracket, LogLikelihood, bidirectional, log_likelihood
from obsvae.inference.conditions import alike
from obsvae.inference.modes import device_of
from obsvae.whole_numbers import whole


@dataclass(frozen=True)
class Bracketed:
    """Simulated data with bounds of their likelihood, and the estimates of other proposals.

    Attributes:
        bounds: data, lower and upper bounds.
        particles: chains of each datum in each direction.
        measure: of the numbers.
        estimates: by proposal.
        findings: what to know beside.
    """

    bounds: Bracket
    particles: int
    measure: str
    estimates: dict[str, LogLikelihood]
    findings: list[Finding]

    def text(self) -> str:
        """Return means over the data, against the lower bound."""
        lower, upper = self.bounds.bounds()
        columns = {name: (found.particles, found.weights.estimate) for name, found in self.estimates.items()}
        columns["ais, there (lower bound)"] = self.particles, lower
        columns["ais, back (upper bound)"] = self.particles, upper
        n = len(lower)
        rows = [
            {
                "estimate": name,
                "K": K,
                "log p, nats per datum": values.mean(),
                "to the lower bound": (values - lower).mean(),
                "± s.e.": (values - lower).std(ddof=1) / np.sqrt(n) if n > 1 else float("nan"),
            }
            for name, (K, values) in columns.items()
        ]
        gap = upper - lower
        lines = [
            f"{n} data drawn from the model; the measure is {self.measure}",
            tabulate(rows, "keys", floatfmt=".3f"),
        ]
        lines.append(f"gap of the bounds: mean {gap.mean():.3f}, largest {gap.max():.3f} at datum {gap.argmax()}")
        return "\n".join([*lines, *map(str, self.findings)])

    def save(self, file: Path) -> Path:
        """Write a line for each datum, with the diagnostics of each estimate."""
        _, upper = self.bounds.bounds()
        weights = {"lower": self.bounds.lower, **{name: found.weights for name, found in self.estimates.items()}}
        columns: dict[str, np.ndarray] = {"datum": np.arange(len(upper)), "upper": upper}
        for name, one in weights.items():
            columns |= {f"{name} {column}": values for column, values in per_datum_columns(one).items()}
        return save_text(file, columns_text({**columns, "measure": np.full(len(upper), self.measure)}))


def bracket_run(
    run: Run,
    n: int = 100,
    *,
    particles: int = 32,
    proposal: Annealed | None = None,
    others: int = 1000,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> Bracketed:
    """Draw data from a trained model, bracket their likelihood, and hold the other estimates against it.

    Args:
        run: the run.
        n: number of data to draw.
        particles: chains of each datum in each direction.
        proposal: the annealing.
        others: particles of the other estimates.
        memory: bound on the working memory in bytes.
        seed: of the data and of the chains.
        progress: show progress bars.

    Raises:
        UsageError: as :func:`bidirectional` does.
    """
    require_kind(run, Run, "load_run(folder)")
    whole("n", n)
    if proposal is not None:
        require_kind(proposal, Annealed, "Annealed()")
    headline = preferred(headlines(run.model, run.data))
    # Those of test data, each as often as any other.
    c = alike(given(run.data, "test", device=device_of(run.model)), n) if run.model.conditions else None
    found = bidirectional(
        headline.model,
        run.guide,
        n,
        particles,
        c=c,
        proposal=proposal,
        memory=memory,
        seed=seed,
        progress=progress,
    )
    proposals, findings = compared(run)
    if headline.note:
        findings.append(Finding("measure", headline.note))
    # A seed of their own: the data were drawn by the first.
    estimates = {
        other.name: log_likelihood(
            headline.model,
            run.guide,
            found.x,
            others,
            c=c,
            proposal=other,
            memory=memory,
            seed=seed + 1,
            progress=progress,
        )
        for other in proposals
    }
    for name, likelihood in estimates.items():
        for doubt in doubtful(likelihood, is_bound=headline.model.is_bound):
            findings.append(Finding(doubt.kind, f"{name}: {doubt.text}", doubt.data))
    return Bracketed(found, particles, headline.measure, estimates, findings)
