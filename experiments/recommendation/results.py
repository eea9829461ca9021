"""The answer to which observation, and what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from obsvae.experiments.recommendation.question import Candidate, Question
from obsvae.inference import Curve, Difference, Misfit
from obsvae.names import lookup

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Contender:
    """A candidate, and how far it came.

    Attributes:
        candidate: which.
        screened: held-out marginal score against the best marginal, nats per datum; None where it could not be fitted.
        dropped: why it went no further, empty for one that was confirmed: ``screened: …``, ``behind: …``,
            ``diverged: …`` or ``failed: …``.
        difference: to the answer's winner on the rows that choose, nats per datum, with a standard error that holds the
            rows and the seeds; None where it was dropped.
        final: to the answer's winner on rows that no step has used for choosing; None where it was dropped.
        nats: mean score on those rows, nats per datum.
        curves: validation scores of each seed's training on the common scale.
        seconds: to train, mean over seeds.
        seeds: number of seeds that were trained.
        diverged: number of them that diverged.
        flagged: share of the estimates that are flagged, over rows and seeds.
    """

    candidate: Candidate
    screened: Difference | None = None
    dropped: str = ""
    difference: Difference | None = None
    final: Difference | None = None
    nats: float | None = None
    curves: Sequence[Curve] = ()
    seconds: float | None = None
    seeds: int = 0
    diverged: int = 0
    flagged: float = 0.0


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: which.
        contenders: from best to worst; those that were dropped last.
        winner: the text of the observation to take: the simplest of those that cannot be told from the best; where time
            ran out before all trials, of those within one standard error of the best.
        tied: the texts of those that cannot be told from the best, the winner among them.
        misfits: what the winner does not say, the largest first.
        gain: of the winner over the column's own marginal, nats per datum on the final rows; None for arrays.
        is_open: whether time ran out before all candidates were tried, or those that are tied were told apart.
    """

    question: Question
    contenders: Sequence[Contender]
    winner: str
    tied: tuple[str, ...]
    misfits: Sequence[Misfit] = ()
    gain: Difference | None = None
    is_open: bool = False


@dataclass(frozen=True)
class Recommendation:
    """Which observation data want, and why.

    Attributes:
        data: what they are called.
        answers: one for each column, or one for an array as a whole.
        observation: the text to train with: ``by-column:{…}`` for a table.
        warnings: what looks wrong in the data, or in the comparison, to be read first.
        rows: number of rows by use: ``train``, ``choose``, ``final``.
        networks: arguments of :func:`make_pair` that all candidates had.
        training: arguments of :func:`fit` that all candidates had.
        seeds: number of seeds of each candidate.
        seconds: that it took.
        folder: where it lies; None where nothing was kept.
    """

    data: str
    answers: Sequence[Answer]
    observation: str
    warnings: Sequence[str] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    networks: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)
    seeds: int = 0
    seconds: float = 0.0
    folder: Path | None = None

    def __str__(self) -> str:
        """Return what is printed: warnings, what to take, and the tables."""
        # What says it is made of what this module holds.
        from obsvae.experiments.recommendation.say.text import printed

        return printed(self)

    def figures(self, name: str = "") -> "dict[str, Figure]":
        """Return the figures of a question: ``ranking`` and ``learning``, where there is something to draw.

        Args:
            name: of the column; empty for an array.

        Raises:
            UsageError: for a column that was not asked for.
        """
        from obsvae.experiments.recommendation.say.pictures import learning, ranking

        answer = lookup("column", name, {one.question.name: one for one in self.answers})
        drawn = {"ranking": ranking(answer), "learning": learning(answer)}
        return {title: figure for title, figure in drawn.items() if figure is not None}
