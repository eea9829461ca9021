"""Estimates of log p(x) beside the truth, and how many are wrong without a flag."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from obsvae.errors import UsageError
from obsvae.experiments.csv_files import columns_text
from obsvae.inference import LogLikelihood

# An estimate is wrong where it is further than this from log p(x).
WRONG_NATS = 0.1


@dataclass(frozen=True)
class Verdicts:
    """Estimates of log p(x) with the truth, a line for each estimate, as arrays ``(M,)``.

    Attributes:
        method: how it was estimated.
        family: of the observation.
        shape: of the decoder.
        guide: of the pair.
        is_unimodal: whether the shape gives posteriors of one mode.
        datum: its number among those of the model.
        truth: log p(x) by quadrature, in nats.
        estimate: in nats.
        standard_error: as the estimate tells it.
        ess: likewise.
        khat: likewise.
        is_flagged: whether the estimate tells that it is not to be trusted.
        particles: K.
        evaluations: of p(x, z).
    """

    method: np.ndarray
    family: np.ndarray
    shape: np.ndarray
    guide: np.ndarray
    is_unimodal: np.ndarray
    datum: np.ndarray
    truth: np.ndarray
    estimate: np.ndarray
    standard_error: np.ndarray
    ess: np.ndarray
    khat: np.ndarray
    is_flagged: np.ndarray
    particles: np.ndarray
    evaluations: np.ndarray

    @classmethod
    def of(cls, likelihood: LogLikelihood, truth: np.ndarray, datum: np.ndarray, **labels: Any) -> Self:
        """Return the verdicts on the estimates of one model's data.

        Args:
            likelihood: the estimates.
            truth: log p(x) ``(N,)``.
            datum: the number of each datum, ``(N,)``.
            labels: ``method``, ``family``, ``shape``, ``guide`` and ``is_unimodal``, the same for all of them.
        """
        n, w = len(truth), likelihood.weights
        return cls(
            **{name: np.full(n, value) for name, value in labels.items()},
            datum=datum,
            truth=truth,
            estimate=w.estimate,
            standard_error=w.standard_error,
            ess=w.ess,
            khat=w.khat,
            is_flagged=w.flagged,
            particles=np.full(n, likelihood.particles),
            evaluations=likelihood.evaluations,
        )

    @classmethod
    def joined(cls, parts: Sequence["Verdicts"]) -> Self:
        """Return all verdicts in one.

        Raises:
            UsageError: where there are none.
        """
        if not parts:
            raise UsageError("no estimate could be held against quadrature: it settled for none of the data; take more")
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def __len__(self) -> int:
        """Return M."""
        return len(self.truth)

    def select(self, which: np.ndarray) -> Self:
        """Return some of the verdicts, by mask ``(M,)``."""
        return type(self)(*(getattr(self, f.name)[which] for f in fields(self)))

    @property
    def posterior(self) -> np.ndarray:
        """What the shape makes of the posterior, in words, ``(M,)``."""
        return np.where(self.is_unimodal, "one mode", "several modes, or flat")

    @property
    def error(self) -> np.ndarray:
        """Estimate less truth in nats, ``(M,)``; NaN or infinite where there is no estimate."""
        return self.estimate - self.truth

    @property
    def is_missed(self) -> np.ndarray:
        """Whether an estimate is wrong and not flagged, ``(M,)``."""
        # Written so that an estimate that is no number counts as wrong.
        return ~self.is_flagged & ~(np.abs(self.error) <= WRONG_NATS)

    def counts(self) -> dict[str, float | int | None]:
        """Return how many estimates there are, and the shares, in per cent, that are missed and that are flagged."""
        trusted = self.error[~self.is_flagged]
        return {
            "estimates": len(self),
            "missed %": _percent(self.is_missed),
            "too low %": _percent(self.is_missed & (self.error < 0)),
            "too high %": _percent(self.is_missed & (self.error > 0)),
            "flagged %": _percent(self.is_flagged),
            "worst unflagged": float(trusted[np.abs(trusted).argmax()]) if len(trusted) else None,
            "evaluations": float(self.evaluations.mean()) if len(self) else None,
        }

    def text(self) -> str:
        """Return all of it as comma-separated text."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        return columns_text({name: c.astype(int) if c.dtype == bool else c for name, c in columns.items()})


def _percent(which: np.ndarray) -> float:
    return 100.0 * float(which.mean()) if len(which) else float("nan")
