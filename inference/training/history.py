"""The record of a training run."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from obsvae.errors import UsageError

RISE = 0.05  # nats by which the validation ELBO rises where training goes on
_LEAST = 10  # epochs that a trend is seen in
_CERTAIN = 5.0  # standard errors of a rise; neighbouring epochs are more alike than these allow for


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    Attributes:
        epoch: from 1.
        step: optimiser steps so far.
        elbo: mean over the epoch of the training objective, nats per datum (with ``kl_weight`` on its KL term).
        validation_elbo: ELBO on the validation data after the epoch, nats per datum. For a plain autoencoder and an
            unnormalised loss both are the objective that stands in its place.
        kl_weight: weight of the KL term at the end of the epoch.
        seconds: time in training since the start, validation left out.
    """

    epoch: int
    step: int
    elbo: float
    validation_elbo: float
    kl_weight: float
    seconds: float


@dataclass
class History:
    """What happened in training.

    Attributes:
        epochs: one :class:`Epoch` each.
        stopped: why training ended: ``finished``, ``patience``, ``callback``, ``interrupted`` or
            ``diverged at step N``.
        objective: what was maximised: ``ELBO``, or ``objective`` where it bounds no likelihood, as for a plain
            autoencoder and an unnormalised loss.
        averaging: the decay of the average of weights whose validation ELBO is told, and which is kept; None: the
            weights themselves. The ELBO of the training data is that of the weights.
    """

    epochs: list[Epoch] = field(default_factory=list)
    stopped: str = "finished"
    objective: str = "ELBO"
    averaging: float | None = None

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def best(self) -> Epoch | None:
        """The epoch with the highest validation ELBO, whose weights the model has; None where no epoch was finished."""
        return max(self.epochs, key=lambda epoch: epoch.validation_elbo, default=None)

    @property
    def is_improving(self) -> bool:
        """Whether training ended with its epochs while the validation ELBO still rose: more would be better.

        The last epoch was the best; or over the last fifth, where that is ten epochs or more, a straight line rises by
        more than :data:`RISE` nats and five times its standard error, and the best of these epochs is in its last
        third.
        """
        if self.stopped != "finished" or len(self) < 2:
            return False
        return self.best is self.epochs[-1] or self._rises()

    def _rises(self) -> bool:
        if len(self) // 5 < _LEAST:  # all begin with a rise
            return False
        last = np.array([epoch.validation_elbo for epoch in self.epochs[-(len(self) // 5) :]])
        t = np.linspace(-0.5, 0.5, len(last))
        rise = (t @ last) / (t @ t)
        rest = last - last.mean() - rise * t
        error = np.sqrt((rest @ rest) / (len(last) - 2) / (t @ t))
        third = len(last) // 3
        # A peak that is passed leaves a line that rises, too.
        goes_on = last[-third:].mean() >= last[third : 2 * third].mean() and last[-third:].max() >= last[:-third].max()
        return bool(goes_on and rise > max(RISE, _CERTAIN * error))

    @classmethod
    def from_csv(cls, text: str) -> "History":
        """Return the history that :meth:`to_csv` wrote; how training ended is not in it.

        Raises:
            UsageError: for another text.
        """
        names = [f.name for f in fields(Epoch)]
        rows = list(csv.DictReader(io.StringIO(text)))
        try:
            values = [[float(row[name]) for name in names] for row in rows]
            return cls([Epoch(int(epoch), int(step), *others) for epoch, step, *others in values])
        except (KeyError, TypeError, ValueError):
            raise UsageError("it does not hold the epochs of a training run") from None

    def to_csv(self) -> str:
        """Return the epochs as comma-separated text with a header."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [f.name for f in fields(Epoch)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in self.epochs)
        return text.getvalue()
