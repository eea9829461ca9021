"""Candidates tried in small VAEs: many at first, then one question at a time."""

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from obsvae.data import Dataset
from obsvae.experiments.jobs.job import done, read_result
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.recommendation.confirming.clock import Clock
from obsvae.experiments.recommendation.confirming.effort import Effort
from obsvae.experiments.recommendation.confirming.plan import crossed, swapped
from obsvae.experiments.recommendation.confirming.scores import against_best, collect
from obsvae.experiments.recommendation.confirming.standings import (
    AT_ONCE,
    LEADERS,
    Standing,
    drop_failed,
    drop_hopeless,
    drop_untried,
    order_by,
)
from obsvae.experiments.recommendation.confirming.trial import Trial

# Rounds of the first rung, in which all questions are asked at once.
_ROUNDS = 2


@dataclass(frozen=True)
class Confirmed:
    """What the trials have shown.

    Attributes:
        standings: by question.
        first: trials of the first rung, in which all questions were asked at once.
        second: trials with one column swapped, or none, or of arrays with one candidate each.
        has_ended: whether all that was planned was done, and time did not run out.
    """

    standings: Mapping[str, Standing]
    first: Sequence[Trial]
    second: Sequence[Trial]
    has_ended: bool

    def of(self, question: str, candidate: str) -> list[Trial]:
        """Return the trials of the second rung that tell of a candidate, ended or not."""
        return [one for one in self.second if question in one.scored and one.families[question] == candidate]


def confirm(
    data: Dataset,
    standings: Sequence[Standing],
    others: Mapping[str, str],
    effort: Effort,
    *,
    seeds: int,
    seed: int,
    folder: Path,
    clock: Clock,
    jobs: int | None,
    progress: bool,
) -> Confirmed:
    """Try the candidates of all questions until they are told apart, or time runs out.

    In the first rung of a table each trial asks all its questions at once: which candidates stand together is drawn at
    random in each round. It finds what is hopeless, and who leads. In the second one column at a time has another
    candidate than the leaders. An array has one question: each of its trials has one candidate.

    Args:
        data: on the grids of the questions.
        standings: of the questions, which are changed.
        others: the families of columns that no question is about.
        effort: of a trial.
        seeds: of each candidate in the second rung.
        seed: the first.
        folder: where the trials lie; those that have ended there are not done again.
        clock: which tells when to stop.
        jobs: processes side by side; None: one after another, in this process.
        progress: tell the plan, and show a bar.
    """
    work = _Work(data, effort, folder, clock, jobs, tqdm(unit="epoch", disable=None if progress else True), progress)
    by_name = {one.name: one for one in standings}
    first = list[Trial]()
    with work.bar:
        contested = {name: one.alive for name, one in by_name.items() if len(one.alive) > 1}
        swaps = sum(len(some) - 1 for some in contested.values())
        rounds = _ROUNDS if len(contested) > 1 else 0
        most = rounds * max(map(len, contested.values()), default=0) + seeds * (1 + swaps)
        work.plan(most, f"at most {most} trials of small VAEs")
        for turn in range(rounds):
            for i, asked in enumerate(crossed(contested, seed + turn)):
                families = {**others, **{name: one.leader for name, one in by_name.items()}, **asked}
                rows = {"validation": effort.rows["validation"]}
                first.append(work.trial(f"round-{turn}-{i}", families, tuple(asked), rows, seed + turn))
        if first:
            work.run(first)
            scores = collect(first, "validation")
            drop_hopeless(by_name, scores, AT_ONCE)
            order_by(by_name, against_best(scores))
        second = list[Trial]()
        for each in range(seed, seed + seeds):
            leaders = {name: one.leader for name, one in by_name.items()}
            alive = {name: one.alive for name, one in by_name.items()}
            baseline = {**others, **leaders}
            some = [work.trial(LEADERS, baseline, tuple(by_name), effort.rows, each)]
            some += [
                work.trial(f"{name} {families[name]}", {**others, **families}, (name,), effort.rows, each)
                for name, families in swapped(leaders, alive)
            ]
            work.plan(len(first) + len(second) + len(some) * (seed + seeds - each))
            work.run(some)
            second += some
            drop_failed(by_name, second)
            if each < seed + seeds - 1:
                drop_hopeless(by_name, collect(second, "validation"), f"by {each - seed + 1} seed", keep_leader=True)
    has_ended = all(done(one.out) for one in [*first, *second])
    if first and not has_ended:
        drop_untried(by_name, against_best(scores), collect(second, "validation"))
    return Confirmed(by_name, first, second, has_ended)


@dataclass
class _Work:
    """What all trials share, and how they are run."""

    data: Dataset
    effort: Effort
    folder: Path
    clock: Clock
    jobs: int | None
    bar: tqdm
    progress: bool
    tried: list[Trial] = field(default_factory=list)

    def trial(
        self, called: str, families: Mapping[str, str], scored: tuple[str, ...], rows: Mapping[str, int], seed: int
    ) -> Trial:
        """Return a trial, whose folder is named by all that decides its numbers."""
        what = json.dumps([sorted(families.items()), scored, sorted(rows.items()), seed])
        key = hashlib.sha256(what.encode()).hexdigest()[:8]
        name = re.sub(r"[^A-Za-z0-9.=-]+", "_", called).strip("_")[:60]
        return Trial(
            called=called,
            families=families,
            data=self.data,
            networks=self.effort.networks,
            training={**self.effort.training, "seed": seed},
            scored=scored,
            rows=rows,
            particles=self.effort.particles,
            device=self.effort.device,
            out=self.folder / f"{name}-seed-{seed}-{key}",
            seconds=self.clock.seconds / 2,
            threads=None if self.jobs is None else 1,
        )

    def plan(self, trials: int, words: str = "") -> None:
        """Say how many trials there will be."""
        self.bar.total = trials * self.effort.training["epochs"]
        if words and self.progress:
            print(f"{words}, {self.clock.seconds / 60:.3g} minutes at most", file=sys.stderr)

    def run(self, trials: Sequence[Trial]) -> None:
        """Run those that have not ended, while there is time for one that takes as long as the longest before."""
        self.tried += trials
        longest = max((float((read_result(one.out) or {}).get("wall_seconds", 0.0)) for one in self.tried), default=0.0)
        if self.clock.left > longest:
            run_jobs(trials, self.jobs, False, each=len(trials), until=self.clock.end, bar=self.bar)
