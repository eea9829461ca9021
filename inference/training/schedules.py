"""How the learning rate and the weight of the KL term change in training.

Each depends on the step, the number of steps asked for and the history alone, so that a training that goes on with as
many epochs as before has what it would have had.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from obsvae.errors import UsageError
from obsvae.options import NUMBER, WHOLE_NUMBER, Option, chosen


class Schedule(ABC):
    """The learning rate over the steps, in multiples of what it is at first.

    Attributes:
        options: keyword arguments that a text such as ``plateau:patience=5`` may give.
    """

    options: ClassVar[tuple[Option, ...]] = ()

    @abstractmethod
    def factor(self, step: int, most: int, steps: int, bounds: Sequence[float]) -> float:
        """Return the factor of a step.

        Args:
            step: counted from 0.
            most: number of steps at most.
            steps: number of them in an epoch.
            bounds: validation bounds of the epochs before.
        """


class Constant(Schedule):
    """The same at all steps."""

    def factor(self, step: int, most: int, steps: int, bounds: Sequence[float]) -> float:
        """Return 1."""
        return 1.0


class Cosine(Schedule):
    r"""From 1 to 0 along half a cosine: :math:`(1 + \cos(\pi t / T)) / 2` of T steps at most.

    Training that ends earlier ends at a higher rate, and one that goes on for more epochs than were asked for at first
    rises to the rate of the longer one.

    Reference: Loshchilov and Hutter, *SGDR: Stochastic gradient descent with warm restarts*, ICLR 2017.
    """

    def factor(self, step: int, most: int, steps: int, bounds: Sequence[float]) -> float:
        """Return the factor of a step."""
        return 0.5 * (1.0 + math.cos(math.pi * step / most))


class Plateau(Schedule):
    """Less after each number of epochs in a row without a better validation bound.

    Args:
        patience: that number.
        factor: by which the rate is multiplied, between 0 and 1.

    Raises:
        UsageError: for values out of range.
    """

    options = (Option("patience", WHOLE_NUMBER, 5), Option("factor", NUMBER, 0.5))

    def __init__(self, patience: int = 5, factor: float = 0.5) -> None:
        if patience < 1 or not 0.0 < factor < 1.0:
            raise UsageError(
                f"schedule plateau needs patience of at least 1 and a factor between 0 and 1, but got {patience} and "
                f"{factor:g}"
            )
        self.patience, self.by = patience, factor

    def factor(self, step: int, most: int, steps: int, bounds: Sequence[float]) -> float:
        """Return the factor of a step."""
        best, waited, found = -math.inf, 0, 1.0
        for bound in bounds:
            waited = 0 if bound > best else waited + 1
            best = max(best, bound)
            if waited == self.patience:
                found, waited = found * self.by, 0
        return found


class Stages(Schedule):
    r"""Stages of 3⁰, 3¹, 3², … epochs, each with 10^(−1/7) times the rate of the one before, and no less than 10⁻¹.

    In the paper the rate is 0.001, Adam's ε 10⁻⁴, and the eight stages have 3280 epochs in all.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016, section 5.
    """

    LAST = 7

    def factor(self, step: int, most: int, steps: int, bounds: Sequence[float]) -> float:
        """Return the factor of a step."""
        epoch, stage = step // steps, 0
        while stage < self.LAST and epoch >= (3 ** (stage + 1) - 1) // 2:
            stage += 1
        return 10.0 ** (-stage / self.LAST)


SCHEDULES: dict[str, type[Schedule]] = {"constant": Constant, "cosine": Cosine, "plateau": Plateau, "stages": Stages}


def make_schedule(text: str) -> Schedule:
    """Return the schedule that a text describes.

    Args:
        text: a name in ``SCHEDULES``, with options where wanted, such as ``plateau:patience=10``.

    Raises:
        UsageError: for an unknown name, naming the nearest known one, or options that do not fit.
    """
    kind, options = chosen("schedule", text, SCHEDULES)
    return kind(**options)


def kl_weight(step: int, steps: int, warmup: int, cycles: int) -> float:
    """Return the weight of the KL term at a step.

    It rises linearly from 0 to 1 over the warm-up. Of several cycles each but the last takes twice as long: the weight
    stays at 1 for as long as it rose, and starts anew.

    Args:
        step: counted from 1.
        steps: number of them in an epoch.
        warmup: epochs of the rise; 0 for none.
        cycles: number of rises.

    Reference: Fu et al., *Cyclical annealing schedule*, NAACL 2019.
    """
    if not warmup:
        return 1.0
    rise = warmup * steps
    before = min((step - 1) // (2 * rise), cycles - 1)
    return min(1.0, (step - before * 2 * rise) / rise)
