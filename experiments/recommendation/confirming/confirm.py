"""Candidates tried in small VAEs: many at first, then one question at a time."""

import hashlib
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from obsvae.data import Dataset
from obsvae.experiments.jobs.job import done, read_result
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import Workers
from obsvae.experiments.recommendation.confirming.clock import Clock
from obsvae.experiments.recommendation.confirming.effort import Effort
from obsvae.experiments.recommendation.confirming.plan import crossed, swapped
from obsvae.experiments.recommendation.confirming.scores import against, collect, collect_trials, leaders_of
from obsvae.experiments.recommendation.confirming.standings import (
    AT_ONCE,
    BEHIND,
    LEADERS,
    Standing,
    drop_behind,
    drop_failed,
    drop_untried,
    order_by,
)
from obsvae.experiments.recommendation.confirming.trial import Trial
from obsvae.experiments.recommendation.confirming.unpaired import best_of_trials, surely_behind
from obsvae.experiments.verdicts.rules import DECLARED, is_worse
from obsvae.experiments.verdicts.words import counted
from obsvae.inference import Difference

# Rounds of the first rung, in which all questions are asked at once, and the share of the time that they may take.
_ROUNDS, _SHARE = 4, 0.6


@dataclass(frozen=True)
class Confirmed:
    """What the trials have shown.

    Attributes:
        standings: by question.
        first: trials of the first rung, in which all questions were asked at once.
        second: trials with one column swapped, or none, or of arrays with one candidate each.
    """

    standings: Mapping[str, Standing]
    first: Sequence[Trial]
    second: Sequence[Trial]

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
    workers: Workers | None,
    progress: bool,
) -> Confirmed:
    """Try the candidates of all questions until they are told apart, or time runs out.

    In the first rung of a table each trial asks all its questions at once: which candidates stand together is drawn at
    random in each round. It finds what is behind, and who leads; further rounds follow within 60 % of the time. In the
    second one column at a time has another candidate than the leaders. An array has one question: each of its trials
    has one candidate.

    Args:
        data: on the grids of the questions.
        standings: of the questions, which are changed.
        others: the families of columns that no question is about.
        effort: of a trial.
        seeds: of each candidate in the second rung.
        seed: the first.
        folder: where the trials lie; those that have ended there are not done again.
        clock: which tells when to stop.
        workers: which do the trials; None: one after another, in this process.
        progress: tell the plan, and show a bar.
    """
    by_name = {one.name: one for one in standings}
    work = _Work(
        data=data,
        effort=effort,
        folder=folder,
        clock=clock,
        limit=_limit(by_name, clock, 1 if workers is None else workers.number),
        workers=workers,
        bar=tqdm(unit="epoch", disable=None if progress else True),
        progress=progress,
    )
    with work.bar:
        first = _all_at_once(work, by_name, others, seed, seeds)
        second = _one_at_a_time(work, by_name, others, range(seed, seed + seeds), len(first))
    if first and not all(is_complete(one) for one in [*first, *second]):
        drop_untried(by_name, _to_best(by_name, [], first, DECLARED), collect(second, "validation"))
    return Confirmed(by_name, first, second)


def _limit(by_name: Mapping[str, Standing], clock: Clock, at_once: int) -> float:
    """Return the seconds after which training is cut: half of all, and less where one question has many candidates.

    Those of an array are large, and of all candidates none is to take the time of the others: each has a share, and as
    much again for what follows its training.
    """
    if len(by_name) > 1:
        return clock.seconds / 2
    (only,) = by_name.values()
    return clock.seconds / 2 / math.ceil(len(only.alive) / at_once)


def _all_at_once(
    work: "_Work", by_name: Mapping[str, Standing], others: Mapping[str, str], seed: int, seeds: int
) -> list[Trial]:
    """Run the first rung: rounds in which each trial asks all questions that are still open, while they tell more."""
    trials = list[Trial]()
    rounds = _ROUNDS if sum(len(one.alive) > 1 for one in by_name.values()) > 1 else 0
    open_ones = _open(by_name)
    longest = max(map(len, open_ones.values()), default=0)
    work.plan(
        rounds * longest + seeds * (1 + sum(len(some) - 1 for some in open_ones.values())),
        "at most {} trials of small VAEs",
    )
    rows = {"validation": work.effort.rows["validation"]}
    for turn in range(rounds):
        some = [
            work.trial(
                f"round-{turn}-{i}",
                {**others, **{name: one.leader for name, one in by_name.items()}, **asked},
                tuple(asked),
                rows,
                seed + turn,
            )
            for i, asked in enumerate(crossed(open_ones, seed + turn))
        ]
        trials += some
        work.run(some)
        scores = collect_trials(trials, "validation")
        for name, of_question in scores.items():
            alive = {one: found for one, found in of_question.items() if one in by_name[name].alive}
            if len(alive) > 1:  # of one alone the screen knows more
                by_name[name].leader = best_of_trials(alive)
            drop_behind(by_name, {name: surely_behind(alive, BEHIND)}, AT_ONCE)
        order_by(by_name, _to_best(by_name, [], trials, DECLARED))
        open_ones = _open(by_name)
        # By the trials and not by the clock, so that one that goes on has the same rounds.
        if len(open_ones) < 2 or work.took(trials) + work.took(some) > _SHARE * work.clock.seconds:
            break
    return trials


def _one_at_a_time(
    work: "_Work", by_name: Mapping[str, Standing], others: Mapping[str, str], seeds: range, before: int
) -> list[Trial]:
    """Run the second rung: the leaders together, and with one of them swapped for another candidate."""
    trials = list[Trial]()
    for each in seeds:
        leaders = {name: one.leader for name, one in by_name.items()}
        some = [work.trial(LEADERS, {**others, **leaders}, tuple(by_name), work.effort.rows, each)]
        some += [
            work.trial(f"{name} {families[name]}", {**others, **families}, (name,), work.effort.rows, each)
            for name, families in swapped(leaders, _alive(by_name))
        ]
        work.plan(before + len(trials) + len(some) * (seeds.stop - each))
        work.run(some)
        trials += some
        drop_failed(by_name, trials)
        if each + 1 < seeds.stop:
            found = _to_best(by_name, trials, [], BEHIND)
            # What was cut might have come further.
            cut = {(name, one.families[name]) for one in trials if not is_complete(one) for name in one.scored}
            behind = {
                name: {one: by for one, by in of_question.items() if is_worse(by, BEHIND) and (name, one) not in cut}
                for name, of_question in found.items()
            }
            drop_behind(by_name, behind, f"by {counted(each + 1 - seeds.start, 'seed')}")
    return trials


def _open(by_name: Mapping[str, Standing]) -> dict[str, list[str]]:
    """Return the candidates of the questions that are not settled."""
    return {name: one.alive for name, one in by_name.items() if len(one.alive) > 1}


def _alive(by_name: Mapping[str, Standing]) -> dict[str, list[str]]:
    return {name: one.alive for name, one in by_name.items()}


def _to_best(
    by_name: Mapping[str, Standing], second: Sequence[Trial], first: Sequence[Trial], errors: float
) -> dict[str, dict[str, Difference]]:
    """Return the difference of each candidate to the best that is left, on validation rows."""
    scores, before = collect(second, "validation"), collect_trials(first, "validation")
    return against(leaders_of(_alive(by_name), scores, before), scores, before, errors)


def is_complete(trial: Trial) -> bool:
    """Return whether a trial has ended, well or not, with all the time that it wanted."""
    result = read_result(trial.out)
    return result is not None and done(trial.out) and not result.get("was_cut")


@dataclass
class _Work:
    """What all trials share, and how they are run."""

    data: Dataset
    effort: Effort
    folder: Path
    clock: Clock
    limit: float
    workers: Workers | None
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
            seconds=self.limit,
            end=self.clock.end,
            threads=None if self.workers is None else 1,
        )

    def plan(self, trials: int, words: str = "") -> None:
        """Say how many trials there will be."""
        self.bar.total = trials * self.effort.training["epochs"]
        if words and self.progress:
            print(f"{words.format(trials)}, {self.clock.seconds / 60:.3g} minutes at most", file=sys.stderr)

    def run(self, trials: Sequence[Trial]) -> None:
        """Run those that have not ended, while there is time for one that takes as long as the longest before."""
        self.tried += trials
        longest = max(map(_seconds_of, self.tried), default=0.0)
        if self.clock.left > longest:
            run_jobs(trials, self.workers, False, until=self.clock.end, bar=self.bar)

    def took(self, trials: Sequence[Trial]) -> float:
        """Return the seconds that trials took, side by side."""
        return sum(map(_seconds_of, trials)) / (1 if self.workers is None else self.workers.number)


def _seconds_of(trial: Trial) -> float:
    return float((read_result(trial.out) or {}).get("wall_seconds", 0.0))
