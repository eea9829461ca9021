"""Which observation for a variable: what it looks like, and what comes in question for it."""

from dataclasses import dataclass

from obsvae.data import Grid
from obsvae.data.inspection.look import Look


@dataclass(frozen=True)
class Candidate:
    """An observation that comes in question.

    Attributes:
        observation: as a text, such as ``zero-inflated:inner=log-normal``.
        reason: why, in a few words.
        group: of candidates that say nearly the same of one variable, of which the simplest stands for all.
        complexity: the less, the simpler; ties are settled by it.
        is_habit: whether people write it whatever the data are.
        is_likelihood: whether it is one, and not a loss alone, which is never taken where a likelihood does as well.
    """

    observation: str
    reason: str
    group: str
    complexity: int
    is_habit: bool = False
    is_likelihood: bool = True


@dataclass(frozen=True)
class Refusal:
    """An observation that does not come in question.

    Attributes:
        observation: as a text.
        why: in a line, with the value that it cannot take.
    """

    observation: str
    why: str


@dataclass(frozen=True)
class Question:
    """A column, or an array as a whole, and what comes in question for it.

    Attributes:
        name: of the column; empty for an array as a whole.
        look: what its values look like.
        candidates: in the order of their complexity.
        refused: the others, with the reason.
        grid: whose cells' masses all candidates are ranked by; None: they are ranked by densities.
    """

    name: str
    look: Look
    candidates: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]
    grid: Grid | None = None
