"""Training by this project, as a program that answers as the peers do; arguments: JOB, COMPILED, PRECISION, IMAGES."""

import json
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from obsvae.experiments.benchmarks.training.families import FAMILIES
from obsvae.experiments.benchmarks.training.peers.talk import Job
from obsvae.inference import Callback, History, StopTraining, fit, flushing_denormals
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.objectives.products import Precision


@dataclass
class Asked:
    """The training data, of which an epoch takes as many as are asked for.

    Attributes:
        train: all of them.
        validation: those that the ELBO is told of.
        given: conditions: none.
        rows: to take in the next epoch.
    """

    train: Tensor
    validation: Tensor
    given: Mapping[str, Tensor] = field(default_factory=dict)
    rows: int = 0

    def epoch(self, generator: torch.Generator) -> Tensor:
        """Return the data of an epoch."""
        return self.train[: self.rows]


class Answers(Callback):
    """Answers what is asked for after an epoch, and waits for what is asked next.

    Args:
        data: that :func:`fit` trains on.
        batch_size: data in a minibatch.
    """

    def __init__(self, data: Asked, batch_size: int) -> None:
        self.data, self.batch_size = data, batch_size
        self.asked = self._asked()
        self.steps, self.told, self.before = next(self.asked), 0.0, 0.0
        self.start = time.perf_counter()
        self._next()

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        """Count what comes before the first step: a negative time before it."""
        self.told = self.start - time.perf_counter()

    def on_epoch(self, history: History) -> None:
        """Answer, or go on with an epoch more."""
        self.elbo = history.epochs[-1].validation_elbo
        if self.steps == 0:
            seconds = history.epochs[-1].seconds
            print(json.dumps({"seconds": seconds - self.told}), flush=True)
            self.told = seconds
            self.steps = next(self.asked, 0)
            if self.steps == 0:
                raise StopTraining
        self._next()

    def _next(self) -> None:
        taken = min(self.steps, len(self.data.train) // self.batch_size)
        self.steps -= taken
        self.data.rows = taken * self.batch_size

    def _asked(self) -> Iterator[int]:
        for line in sys.stdin:
            asked = json.loads(line)
            if "steps" in asked:
                yield asked["steps"]
            else:
                print(json.dumps({"elbo": self.elbo}), flush=True)


def main() -> None:
    """Train what the job says."""
    file, compiled, precision, images = sys.argv[1:]
    job, told = Job(Path(file)), json.loads(Path(file).read_text(encoding="utf-8"))
    # Uncompiled steps must not be taken for compiled ones.
    warnings.filterwarnings("error", "the step could not be compiled")
    torch.set_num_threads(job.threads)
    family = FAMILIES[told["family"]]
    of_family = family.data(images)
    x = torch.from_numpy(job.x).unflatten(1, of_family.event_shape)
    data = Asked(x, x[: job.evaluated])
    answers = Answers(data, job.batch_size)
    with flushing_denormals():
        fit(
            *family.pair(of_family),
            data,
            epochs=10**9,
            batch_size=job.batch_size,
            lr=job.lr,
            compiled=compiled == "true",
            precision=cast(Precision, precision),
            progress=False,
            callbacks=[answers],
        )


if __name__ == "__main__":
    main()
