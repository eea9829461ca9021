"""The results of a comparison: scores, how candidates learn, and what a reader must know."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.experiments.csv_files import csv_text
from obsvae.experiments.evaluation.doubts import FEW_STEPS
from obsvae.experiments.files import save_figure, save_text
from obsvae.experiments.verdicts.sentence import ranked
from obsvae.inference import KHAT_LIMIT, Curve, Difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Score:
    """A line of the ranking; what was not trained, or never came to an end, has None throughout.

    Attributes:
        observation: the candidate, and what its decoder is scored as where that is another.
        rank: from 1.
        nats_per_datum: log p on the common scale, mean over data and seeds.
        difference: to the best, with the standard error of the paired difference.
        bits_per_dim: on the common scale.
        spread: standard deviation over seeds; None for one seed.
        ess: effective sample size, median over data, mean over seeds.
        khat: Pareto k̂, median over data, mean over seeds.
        khat_above: share of the data whose k̂ is too large.
        measure: of the observation itself.
        own_nats_per_datum: log p under its own measure.
    """

    observation: str
    rank: int | None = None
    nats_per_datum: float | None = None
    difference: Difference | None = None
    bits_per_dim: float | None = None
    spread: float | None = None
    ess: float | None = None
    khat: float | None = None
    khat_above: float | None = None
    measure: str | None = None
    own_nats_per_datum: float | None = None

    def columns(self) -> dict[str, object]:
        """Return the line of the table."""
        difference = self.difference
        return {
            "rank": self.rank,
            "observation": self.observation,
            "log p": self.nats_per_datum,
            "to the best": None if difference is None else difference.mean,
            "± s.e. (paired)": None if difference is None else _number(difference.standard_error),
            "bits/dim": self.bits_per_dim,
            "sd over seeds": self.spread,
            "ESS": self.ess,
            "k̂": self.khat,
            f"k̂ > {KHAT_LIMIT}": self.khat_above,
            "its own measure": self.measure,
            "log p, its own": self.own_nats_per_datum,
        }


@dataclass(frozen=True)
class Learning:
    """How the runs of a candidate went; None for what never ran.

    Attributes:
        observation: as in :class:`Score`.
        parameters: of model and guide.
        seconds: of training, mean over seeds.
        epochs_to_near_best: first epoch whose validation score is within 1 % of the best, median over seeds.
        seconds_to_near_best: until then.
        best_epoch: by the candidate's own objective, median over seeds.
        steps: of training, median over seeds.
        is_improving: whether training of a seed ended while it still gained.
        diverged: share of the seeds that diverged.
    """

    observation: str
    parameters: int | None = None
    seconds: float | None = None
    epochs_to_near_best: float | None = None
    seconds_to_near_best: float | None = None
    best_epoch: float | None = None
    steps: float | None = None
    is_improving: bool = False
    diverged: float = 0.0

    @property
    def is_short(self) -> bool:
        """Whether more training may change the result."""
        return self.is_improving or (self.steps is not None and self.steps < FEW_STEPS)

    def columns(self) -> dict[str, object]:
        """Return the line of the table."""
        return {
            "observation": self.observation,
            "parameters": self.parameters,
            "s to train": self.seconds,
            "epochs to 1 % of best": self.epochs_to_near_best,
            "s to 1 % of best": self.seconds_to_near_best,
            "best epoch": self.best_epoch,
            "diverged": self.diverged,
        }


@dataclass(frozen=True)
class Remark:
    """Something that a reader of the tables must know.

    Attributes:
        text: in one line.
        observations: which lines it is about; empty: all.
        is_warning: whether the ranking may be wrong for it.
    """

    text: str
    observations: tuple[str, ...] = ()
    is_warning: bool = False

    def __str__(self) -> str:
        """Return the remark as it stands below the tables."""
        return f"warning: {self.text}" if self.is_warning else self.text


@dataclass(frozen=True, eq=False)
class Comparison:
    """Candidates on the same data, ranked on one scale.

    Attributes:
        scores: from best to worst, then those without a score.
        learning: in the same order.
        ranking: each candidate's difference to the best, from best to worst.
        curves: validation curves of each candidate's seeds.
        remarks: what to know, warnings first.
        scale: what the scores are, such as ``mass of the grid cell``.
        n: number of test data.
        seeds: runs of each candidate.
        folder: where the runs lie; None where they were not kept.
    """

    scores: Sequence[Score]
    learning: Sequence[Learning]
    ranking: Mapping[str, Difference]
    curves: Mapping[str, Sequence[Curve]]
    remarks: Sequence[Remark]
    scale: str
    n: int
    seeds: int
    folder: Path | None = None

    @property
    def best(self) -> Score:
        """The candidate with the highest likelihood."""
        return self.scores[0]

    def table(self, form: str = "simple") -> str:
        """Return the tables and remarks as text, in one of tabulate's formats."""
        titles = (
            f"Ranked by {self.scale}: nats per datum, means over {self.n} test data and {_seeds(self.seeds)}",
            "Does learning get harder? Validation on the same scale",
        )
        lines = [score.columns() for score in self.scores], [one.columns() for one in self.learning]
        tables = [tabulate(rows, "keys", form, floatfmt=".4g", missingval="–") for rows in lines]
        parts = [part for pair in zip(titles, tables, strict=True) for part in pair]
        return "\n\n".join([*parts, *map(str, self.remarks), self.verdict])

    @property
    def verdict(self) -> str:
        """The sentence that the comparison ends in: what to take, and what it is worth.

        Candidates tie where they differ by less than two standard errors, over data and over seeds.
        """
        by_name = {score.observation: score for score in self.scores}
        best = self.best.spread or 0.0
        # Of the best itself the difference is 0 whatever the seed.
        differences = {
            name: _with_seeds(found, [by_name[name].spread or 0.0, best], self.seeds) if i else found
            for i, (name, found) in enumerate(self.ranking.items())
        }
        parameters = {one.observation: one.parameters or 0 for one in self.learning}
        in_doubt = [name for remark in self.remarks if remark.is_warning for name in remark.observations]
        short = [one.observation for one in self.learning if one.is_short]
        return ranked(differences, parameters, seeds=self.seeds, in_doubt=in_doubt, short=short)

    def __str__(self) -> str:
        """Return the tables as they are printed."""
        return self.table()

    @cached_property
    def figures(self) -> "dict[str, Figure]":
        """The figures: ``ranking`` and ``learning``."""
        # How often training failed altogether belongs to the answer.
        diverged = {one.observation: one.diverged for one in self.learning}
        curves = {
            f"{name} ({diverged[name]:.0%} of seeds diverged)" if diverged[name] else name: found
            for name, found in self.curves.items()
            if found or diverged[name]
        }
        return {
            "ranking": inference.plot_ranking(self.ranking, self.scale),
            "learning": inference.plot_learning(curves, self.scale),
        }

    def save(self, folder: Path) -> None:
        """Write ``table.md``, ``table.csv`` and the figures."""
        save_text(folder / "table.md", self.table("github") + "\n")
        rows = [a.columns() | b.columns() for a, b in zip(self.scores, self.learning, strict=True)]
        save_text(folder / "table.csv", csv_text(rows))
        for name, figure in self.figures.items():
            save_figure(folder / f"figures/{name}.png", figure)


def mean_or_none(values: Sequence[float]) -> float | None:
    """Return the mean; None where a value is NaN."""
    return _number(statistics.mean(values))


def _with_seeds(difference: Difference, spreads: Sequence[float], seeds: int) -> Difference:
    """Return a difference whose standard error holds how much the means of either vary over seeds."""
    error = math.hypot(difference.standard_error, *(spread / math.sqrt(seeds) for spread in spreads))
    return Difference(difference.mean, error)


def _seeds(number: int) -> str:
    return "1 seed" if number == 1 else f"{number} seeds"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
