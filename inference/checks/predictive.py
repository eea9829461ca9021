"""Predictive checks: held-out data beside what the model draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.conditions import alike
from obsvae.inference.latents.draws import simulate
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import GenerativeModel
from obsvae.modes import evaluating, seeded

_DRAWS_PER_DATUM = 20
# Fewer data fill no histogram.
_FEWEST = 20


@dataclass(frozen=True, eq=False)
class Predictive:
    """Held-out data beside draws from the model, both in data units.

    Attributes:
        observed: ``(N, *event)``; NaN where an entry is missing.
        simulated: ``(S, *event)``, independent draws x̃ ~ p(x) = ∫ p(x | z) p(z) dz.
        seed: of the randomised ranks, and of the feature that is taken of each datum.
    """

    observed: np.ndarray
    simulated: np.ndarray
    seed: int = 0

    @cached_property
    def pit(self) -> np.ndarray:
        r"""Randomised probability integral transforms of the observed values among the simulated ones, ``(N, *event)``.

        .. math:: u = \frac{\#\{s : \tilde x_s < x\} + v\, (1 + \#\{s : \tilde x_s = x\})}{S + 1}, \qquad
                  v \sim \mathcal{U}(0, 1)

        Uniform for each feature where the model is right, whether values are continuous, counts, or both. NaN for a
        missing entry; where entries are missing for what they are, those that are seen need not be uniform.

        Reference: Czado, Gneiting and Held, *Predictive model assessment for count data*, Biometrics 2009, section 2.
        """
        N, S = len(self.observed), len(self.simulated)
        ordered = np.sort(self.simulated.reshape(S, -1), 0)
        x = self.observed.reshape(N, -1)
        below, up_to = (
            np.stack([np.searchsorted(ordered[:, f], x[:, f], side) for f in range(x.shape[1])], 1)
            for side in ("left", "right")
        )
        v = self._generators[0].uniform(size=x.shape)
        ranks = (below + v * (1 + up_to - below)) / (S + 1)
        return np.where(np.isnan(x), np.nan, ranks).reshape(self.observed.shape)

    @cached_property
    def _generators(self) -> list[np.random.Generator]:
        """Two that are independent, and that are not the one that a caller may have drawn the data by."""
        return np.random.default_rng(self.seed).spawn(2)

    @cached_property
    def varies(self) -> np.ndarray:
        """Whether a feature takes more than one value, in the data or in the draws ``(*event)``."""
        seen = ~np.isnan(self.observed)
        low, high = (f(self.observed, 0, where=seen, initial=-s) for f, s in ((np.min, -np.inf), (np.max, np.inf)))
        return (high > low) | (np.ptp(self.simulated, 0) > 0)

    @cached_property
    def one_of_each_datum(self) -> np.ndarray:
        """The transform of a feature of each datum that is chosen at random among those that vary, ``(N,)``.

        One feature only, as the features of a datum depend on one another, and one that is seen; data without any are
        left out.

        Raises:
            UsageError: where none varies.
        """
        if not self.varies.any():
            raise UsageError("no feature varies, neither in the data nor in what the model draws: nothing to check")
        candidates = self.pit.reshape(len(self.pit), -1)[:, self.varies.flatten()]
        seen = ~np.isnan(candidates)
        some = seen.any(1)
        which = self._generators[1].integers(np.maximum(seen.sum(1), 1))  # the number of one among those that are seen
        chosen = (seen.cumsum(1) == which[:, None] + 1) & seen
        return candidates[some][chosen[some]]

    def coverage(self, levels: Sequence[float]) -> np.ndarray:
        """Return the share of data within the central intervals of these levels, feature by feature ``(L, *event)``."""
        width = np.abs(2.0 * self.pit - 1.0)
        number = np.maximum((~np.isnan(width)).sum(0), 1)
        return np.stack([(width <= level).sum(0) / number for level in levels])

    def beyond(self, levels: Sequence[float]) -> np.ndarray:
        """Return the share of all values below (levels < ½) or above the model's quantiles, ``(L,)``."""
        pit = self.pit[:, self.varies]
        pit = pit[~np.isnan(pit)]
        return np.array([(pit < level).mean() if level < 0.5 else (pit > level).mean() for level in levels])

    def share_at(self, value: float) -> tuple[float, float]:
        """Return the share of values that are exactly this one, observed and simulated."""
        seen = self.observed[~np.isnan(self.observed)]
        return float((seen == value).mean()), float((self.simulated == value).mean())


def check_predictive(
    model: GenerativeModel, x: Tensor, draws: int | None = None, seed: int = 0, *, c: Tensor | None = None
) -> Predictive:
    """Draw from the model, to be held against held-out data.

    Where there are conditions, the draws have those of the data, each as often as any other.

    Args:
        model: the generative model; no guide takes part.
        x: held-out data ``(N, *event)`` in data units.
        draws: S, by default 20 N. All data are ranked among the same draws, whose noise widens the band of
            :func:`plot_predictive`: by 2.5 % with 20 N, by two fifths with N. Where the data are spread over many
            features the noise is less, and a right model leaves the band less often than one time in twenty. The draws
            are held in memory, ``(S, *event)``, and several times while they are ranked and drawn: of 10,000 images
            look at the first 1000.
        seed: of the draws.
        c: conditions of the data ``(N, C)``; None where the model has none.

    Raises:
        UsageError: for data that are not the model's, or draws < 1.
        MeasureMismatch: where the observation is a loss, from which nothing can be drawn.

    Reference: Gelman, Meng and Stern, *Posterior predictive assessment of model fitness via realized discrepancies*,
    Statistica Sinica 1996.
    """
    model.require_likelihood()
    model.check(x, c=c)
    draws = _DRAWS_PER_DATUM * len(x) if draws is None else draws
    if draws < 1:
        raise UsageError(f"draws must be at least 1, but got {draws}")
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        _, simulated = simulate(model, draws, c=alike(c, draws))
    return Predictive(x.cpu().numpy(), simulated.cpu().numpy(), seed)


def require_enough(check: Predictive) -> None:
    """Refuse fewer than 20 data or draws, and draws that are not finite."""
    fewest = min(len(check.observed), len(check.simulated))
    if fewest < _FEWEST:
        raise UsageError(f"predictive checks need at least {_FEWEST} data and draws, but there are {fewest}")
    if wrong := int((~np.isfinite(check.simulated)).reshape(len(check.simulated), -1).any(1).sum()):
        raise UsageError(
            f"{wrong} of {len(check.simulated)} draws from the model hold values that are not finite: nothing can be "
            "held against them; its scale overflows, or its tails are heavier than the numbers can hold"
        )
