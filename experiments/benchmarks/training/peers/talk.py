"""What a training program is told, and what it answers: lines of JSON on standard input and output."""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

# softplus(raw + SHIFT) is 1 at raw = 0, where a learned σ starts.
SHIFT = math.log(math.e - 1)


@dataclass(frozen=True)
class Group:
    """Neighbouring features that share a family.

    Attributes:
        number: of the group, which ends the names of its arrays in the start.
        family: normal, log-normal, poisson, bernoulli or categorical.
        seen: what the encoder sees of x: it is standardised as it is (``plain``), or its log or log (1 + x) is, with
            whether x is 0 behind (``log``, ``log1p``), or it is shown as ``one-hot`` levels.
        features: how many they are.
        levels: of a categorical; else 1, the outputs of a feature.
        first: the number of the first one.
        first_output: the number of its first output of the decoder.
    """

    number: int
    family: str
    seen: str
    features: int
    levels: int
    first: int
    first_output: int

    @property
    def columns(self) -> slice:
        """Its features in x."""
        return slice(self.first, self.first + self.features)

    @property
    def outputs(self) -> slice:
        """Its outputs in eta."""
        return slice(self.first_output, self.first_output + self.features * self.levels)


class Job:
    """What to train, on which data.

    Args:
        file: of the job.

    Attributes:
        x: the data ``(N, D)`` in float32.
        start: initial weights ``encoder.0.weight``, ``encoder.0.bias``, ``decoder.0.weight``, …, each ``(outputs,
            inputs)``, and the constants of each group.
        groups: of features.
        batch_size: data in a minibatch; N is a multiple of it.
        threads: of the processor.
        floor: least standard deviation of q(z | x).
        scale_floor: least learned σ, in multiples of its start.
        evaluated: number of data that the ELBO is told of at the end, a multiple of the batch size.
    """

    def __init__(self, file: Path) -> None:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.x: np.ndarray = np.load(file.parent / "data.npy")
        self.start: dict[str, np.ndarray] = dict(np.load(file.parent / "start.npz"))
        self.groups = [Group(**group) for group in told["groups"]]
        self.batch_size: int = told["batch_size"]
        self.threads: int = told["threads"]
        self.lr: float = told["lr"]
        self.floor: float = told["floor"]
        self.scale_floor: float = told["scale_floor"]
        self.evaluated: int = told["evaluated"]
        self._random = np.random.default_rng(told["seed"])

    @property
    def latent(self) -> int:
        """The size of z."""
        return int(self.start["decoder.0.weight"].shape[1])

    def layers(self, network: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the initial weights ``(outputs, inputs)`` and biases of the layers of ``encoder`` or ``decoder``."""
        number = sum(name.startswith(f"{network}.") and name.endswith(".weight") for name in self.start)
        return [(self.start[f"{network}.{i}.weight"], self.start[f"{network}.{i}.bias"]) for i in range(number)]

    def epochs(self, steps: int) -> Iterator[tuple[np.ndarray, int]]:
        """Return for each pass over the data its minibatches' rows ``(N / B, B)``, and how many of them to take."""
        most = len(self.x) // self.batch_size
        while steps > 0:
            yield self._random.permutation(len(self.x)).reshape(most, self.batch_size), min(steps, most)
            steps -= most


class Trained(Protocol):
    """A pair in training."""

    def train(self, steps: int) -> None:
        """Take steps, and return when all are done."""

    def elbo(self) -> float | None:
        """Return the ELBO of the first data in nats per datum; None where it minimises another loss."""


def serve(make: Callable[[Job], Trained]) -> None:
    """Read the job that the program's argument names, and do what it is asked to do.

    ``{"steps": N}`` is answered by ``{"seconds": S}``, where the first ones include all that comes before a step, such
    as compiling; ``{"elbo": true}`` by ``{"elbo": E}``. It ends with its input.
    """
    job, trained = Job(Path(sys.argv[1])), None
    # Packages may write to standard output, too.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        start = time.perf_counter()
        if trained is None:
            trained = make(job)
        if "steps" in asked:
            trained.train(asked["steps"])
            told: dict[str, float | None] = {"seconds": time.perf_counter() - start}
        else:
            told = {"elbo": trained.elbo()}
        print(json.dumps(told), file=answers, flush=True)
