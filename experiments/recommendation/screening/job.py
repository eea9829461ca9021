"""The screen of a question as work that is done once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.jobs.job import Job, read_result
from obsvae.experiments.recommendation.question import Question
from obsvae.experiments.recommendation.screen import Screening, screen
from obsvae.inference import Callback, Difference


@dataclass(frozen=True, eq=False)
class ScreenJob(Job):
    """Screens the candidates of a question, and leaves what was found of each.

    Attributes:
        question: with its candidates.
        data: of which it is one.
        seed: of the rows that are drawn.
        out: the folder.
        threads: how many torch may use; None: as it is set.
    """

    question: Question
    data: Dataset
    seed: int
    out: Path
    threads: int | None = None

    @property
    def name(self) -> str:
        """The name of the question."""
        return self.question.name or "the array"

    @property
    def epochs(self) -> int:
        """One, as there is no training."""
        return 1

    def work(self, callbacks: Sequence[Callback]) -> dict[str, Any]:
        """Screen."""
        found = screen(self.question, self.data, seed=self.seed)
        said = {
            text: {"marginal": _plain(one.marginal), "given_others": _plain(one.given_others), "dropped": one.dropped}
            for text, one in found.items()
        }
        return {"status": "finished", "found": said}

    def found(self) -> dict[str, Screening]:
        """Return what was found of each candidate, those that go on first; of a screen that never ended, nothing.

        Raises:
            UsageError: where it failed for a reason that its user can do something about.
            RuntimeError: where it failed for a fault of the program.
        """
        result = read_result(self.out) or {"found": {}}
        if "found" not in result:
            why = f"{self.name} could not be screened: {result['message']}"
            raise RuntimeError(why) if result.get("is_fault") else UsageError(why)
        candidates = {one.observation: one for one in self.question.candidates}
        return {
            text: Screening(
                candidates[text], _difference(said["marginal"]), _difference(said["given_others"]), said["dropped"]
            )
            for text, said in result["found"].items()
        }


def _plain(difference: Difference | None) -> dict[str, float] | None:
    return None if difference is None else {"mean": difference.mean, "standard_error": difference.standard_error}


def _difference(said: Mapping[str, float | None] | None) -> Difference | None:
    if said is None or said["mean"] is None:
        return None
    error = said["standard_error"]
    return Difference(said["mean"], math.nan if error is None else error)
