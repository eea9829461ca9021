"""A trial: one small VAE, trained and scored."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from obsvae.data import Dataset
from obsvae.experiments.comparison.acceptance import on_scale, scored_as
from obsvae.experiments.csv_files import columns_text, read_columns
from obsvae.experiments.evaluation.scoring import score
from obsvae.experiments.files import load_weights, save_history, save_json, save_text, save_weights
from obsvae.experiments.given import given
from obsvae.experiments.jobs.job import OUT_OF_TIME, Job, done, read_result
from obsvae.experiments.pair import make_pair
from obsvae.experiments.recommendation.confirming.split_scores import SplitScores
from obsvae.guides import Guide
from obsvae.inference import Callback, Curve, History, Refined, StopTraining, conditional_scores, fit
from obsvae.inference.conditions import present, rows_of
from obsvae.inference.modes import unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior
from obsvae.model import VAE, by_column_text
from obsvae.modes import evaluating, seeded

# The validation rows whose ELBO is looked at after each epoch on the common scale.
_CURVE_ROWS = 500
# Numbers of the data, and data at least, that are scored before the next look at the clock.
_NUMBERS, _FEWEST = 2**13, 50
# A search for modes as thorough as small networks need: at the full one the scores are the same, and cost four times.
PROPOSAL = Refined(starts=1, steps=2, rounds=2, pilot=50)


@dataclass(frozen=True, eq=False)
class Trial(Job):
    """A small VAE whose scores tell of some questions; it leaves weights, ``curve.csv`` and a file of scores a split.

    Attributes:
        called: what it is called.
        families: by column the text of its family; by the empty name that of an array's observation.
        data: on the grids of the questions.
        networks: arguments of :func:`make_pair`.
        training: arguments of :func:`fit`, with the seed.
        scored: the names of the questions that it tells of.
        rows: by split, ``validation`` and ``test``, how many of the first rows are scored at most.
        particles: K, for each row.
        device: where.
        out: the folder.
        seconds: after which training is cut; None: never.
        end: when time runs out, in seconds since the epoch of :func:`time.time`; None: never. A trial that has not been
            trained by then tells nothing; of one that has, as many rows are scored as there is time for.
        threads: how many torch may use; None: as it is set.
    """

    called: str
    families: Mapping[str, str]
    data: Dataset
    networks: Mapping[str, Any]
    training: Mapping[str, Any]
    scored: tuple[str, ...]
    rows: Mapping[str, int]
    particles: int
    device: str
    out: Path
    seconds: float | None = None
    end: float | None = None
    threads: int | None = None

    @property
    def name(self) -> str:
        """What it is called, and its seed."""
        return f"{self.called}, seed {self.training['seed']}"

    @property
    def epochs(self) -> int:
        """The number of epochs at most."""
        return int(self.training["epochs"])

    def has_ended(self) -> bool:
        """Return whether there is nothing more to do: what was cut is done anew with more time than before."""
        result = read_result(self.out) or {}
        return done(self.out) and not (result.get("was_cut") and result["allowed"] < (self.seconds or math.inf))

    def moved(self, out: Path, threads: int, later: float) -> Self:
        """Return the same trial as a worker does it, with its end by the worker's clock."""
        there = super().moved(out, threads, later)
        return there if self.end is None else replace(there, end=self.end + later)

    @property
    def observation(self) -> str:
        """The text of p(x | z)."""
        return self.families[""] if self.data.columns is None else by_column_text(self.families)

    def work(self, callbacks: Sequence[Callback]) -> dict[str, Any]:
        """Train and score."""
        start = time.perf_counter()
        save_json(self.out / "trial.json", {"observation": self.observation, "training": dict(self.training)})
        data = self.data.to(self.device)
        model, guide = self.pair()
        model, guide = model.to(self.device), guide.to(self.device)
        keeper = _Keeper(self, data)
        history = fit(model, guide, data, **self.training, callbacks=[keeper, *callbacks], progress=False)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt  # a model that was trained for less would be compared unfairly
        if keeper.is_out_of_time:
            return {"status": OUT_OF_TIME}
        assert history.best is not None
        save_weights(self.out, model, guide)
        splits = {split: data.split(split)[:rows] for split, rows in self.rows.items()}
        each = [given(data, split, slice(rows)) for split, rows in self.rows.items()]
        found = self._scores(model, guide, splits, torch.cat(present(*each)) if data.given else None)
        scored_as = max(found["validation"], key=lambda name: found["validation"][name].mean)
        for split, scores in found.items():
            save_text(self.out / f"{split}.csv", columns_text(scores[scored_as].columns))
        return {
            "status": history.stopped,
            "allowed": self.seconds,
            "was_cut": history.stopped == "callback" or any(scores[scored_as].is_cut for scores in found.values()),
            "scored_as": scored_as,
            "flagged": {split: scores[scored_as].flagged for split, scores in found.items()},
            "seconds": history.epochs[-1].seconds,
            "epochs": len(history),
            "best_epoch": history.best.epoch,
            "wall_seconds": time.perf_counter() - start,
        }

    def pair(self) -> tuple[VAE, Guide]:
        """Return the pair as it is before training, on the CPU."""
        return make_pair(self.observation, self.data, **self.networks, seed=self.training["seed"])

    def trained(self) -> tuple[VAE, Guide]:
        """Return the trained pair on the common scale, in evaluation mode, on the CPU; the trial has ended well."""
        model, guide = self.pair()
        load_weights(self.out, model, guide)
        result = read_result(self.out)
        assert result is not None
        return self.under(model)[result["scored_as"]].eval(), guide.eval()

    def under(self, model: VAE) -> dict[str, VAE]:
        """Return the model under all that it is scored as: a loss that is no likelihood has several corrections."""
        scales = {name: on_scale(one, self.data) for name, one in scored_as(model.observation).items()}
        return {
            name: model if one is model.observation else model.with_observation(one) for name, one in scales.items()
        }

    def _is_late(self) -> bool:
        return self.end is not None and time.time() > self.end

    def _scores(
        self, model: VAE, guide: Guide, splits: Mapping[str, Tensor], c: Tensor | None
    ) -> dict[str, dict[str, SplitScores]]:
        """Return the scores of each split under all that the model is scored as, of as many rows as there is time for.

        The splits are scored together, since a few rows cost as much as many, and in turns, a row of each.
        """
        x = torch.cat(list(splits.values()))
        order = torch.cat([torch.arange(len(rows)) for rows in splits.values()]).argsort(stable=True)
        some = max(_FEWEST, _NUMBERS // x[0].numel())
        parts = list[dict[str, SplitScores]]()
        for rows in order.split(some):
            if not parts or not self._is_late():
                of_rows = x[rows], rows_of(c, rows)
                parts.append({name: self._score(one, guide, *of_rows) for name, one in self.under(model).items()})
        places = order.argsort().split([len(rows) for rows in splits.values()])
        joined = {name: SplitScores.joined([part[name] for part in parts], len(x)) for name in parts[0]}
        return {
            split: {name: scores.at(where.numpy()) for name, scores in joined.items()}
            for split, where in zip(splits, places, strict=True)
        }

    def _score(self, scale: VAE, guide: Guide, x: Tensor, c: Tensor | None) -> SplitScores:
        seed = int(self.training["seed"])
        if self.data.columns is None:
            found = score(scale, guide, x, self.particles, PROPOSAL, c=c, seed=seed, progress=False)
            weights = found.likelihood.weights
            return SplitScores({"": weights.estimate}, {"": weights.flagged})
        places = {column.name: d for d, column in enumerate(self.data.columns)}
        scores = conditional_scores(
            scale,
            guide,
            x,
            self.particles,
            c=c,
            proposal=PROPOSAL,
            seed=seed,
            progress=False,
            features=[places[column] for column in self.scored],
        )
        return SplitScores(
            {column: scores.log_probability[:, places[column]] for column in self.scored},
            {column: scores.flagged[:, places[column]] for column in self.scored},
        )


class _Keeper(Callback):
    """Scores validation rows after each epoch on the common scale, keeps the records, and cuts training in time."""

    def __init__(self, trial: Trial, data: Dataset) -> None:
        self.trial, self.x = trial, data.validation[:_CURVE_ROWS]
        self.c = given(data, "validation", slice(_CURVE_ROWS))
        self.seconds: list[float] = []
        self.scores: list[float] = []
        self.is_out_of_time = False

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        assert isinstance(model, VAE)
        self.guide = guide
        # Of several corrections the first: their curves differ little but in height.
        self.scale = next(iter(self.trial.under(model).values()))

    def on_epoch(self, history: History) -> None:
        self.seconds.append(history.epochs[-1].seconds)
        self.scores.append(self._elbo())
        save_history(self.trial.out, history)
        save_text(self.trial.out / "curve.csv", columns_text({"seconds": self.seconds, "score": self.scores}))
        self.is_out_of_time = self.trial.end is not None and time.time() > self.trial.end
        if self.is_out_of_time or (self.trial.seconds is not None and history.epochs[-1].seconds > self.trial.seconds):
            raise StopTraining

    def _elbo(self) -> float:
        """Return the mean ELBO by a draw of z for each row, with the same randomness after each epoch."""
        seed = int(self.trial.training["seed"])
        with evaluating(self.scale, self.guide), unchecked(), seeded(seed, self.x.device):
            q = posterior(self.guide, self.x, self.c)
            z = q.sample()
            log_p = self.scale.given(z, self.c).log_prob(self.x).flatten(1).sum(1) + self.scale.prior().log_prob(z)
            return float((log_p - q.log_prob(z)).mean())


def read_scores(folder: Path, split: str) -> dict[str, np.ndarray]:
    """Return the scores of the rows of a split ``(N,)`` by question."""
    return read_columns(folder / f"{split}.csv")


def read_curve(folder: Path) -> Curve:
    """Return the validation curve of a trial: its ELBO on the common scale."""
    columns = read_columns(folder / "curve.csv")
    return Curve(columns["seconds"], columns["score"])
