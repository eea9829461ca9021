"""How numbers are drawn: of any sign, positive, between bounds, counts and angles."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.view import ENDS, View, Which

# Cells of a histogram at most, and the room beside points as a share of the axis.
_CELLS, _ROOM = 30, 0.03
# Number of steps of a lattice up to which each has a cell.
_EACH = 20
# Numbers are drawn by their logarithms where they are positive and skewed by more than this.
_SKEWED = 1.0


class Numbers(View):
    """Numbers: on a logarithmic axis where they are positive and skewed, with a place of its own for 0."""

    def __init__(self, column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> None:
        super().__init__(column, observed, drawn)
        self.step = _lattice(self.seen) if column.grid is None else column.grid.step
        positive = self.seen[self.seen > 0]
        is_few = self.step > 0 and (self.high - self.low) / self.step <= _EACH
        self.is_log = len(positive) > 2 and not is_few and bool((self.seen >= 0).all()) and _is_skewed(positive)
        self.has_zero = self.is_log and len(positive) < len(self.seen)
        known = np.zeros(0) if drawn is None else drawn[np.isfinite(drawn) & (drawn > 0)]
        if self.is_log and len(known):
            positive = np.append(positive, np.quantile(known, ENDS[0]))
        self.least = float(positive.min()) if self.is_log else 0.0

    @property
    def edges(self) -> np.ndarray:
        """Cells of equal width, or of equal ratio, each with as many steps of the lattice as the next where it may."""
        if not self.is_log:
            return self._of_equal_width(_number_of_cells(self.seen))
        edges = self._of_equal_ratio(_number_of_cells(np.log(self.seen[self.seen > 0])))
        return np.concatenate([[-0.5 * edges[0]], edges]) if self.has_zero else edges

    def agreement(self, observed: np.ndarray, reproduced: np.ndarray) -> str:
        """Return R², of logarithms where these are drawn."""
        if self.is_log and not self.has_zero and (reproduced > 0).all():
            return f"R² of logarithms {r_squared(np.log(observed), np.log(reproduced)):.2f}"
        return f"R² {r_squared(observed, reproduced):.2f}"

    @property
    def centres(self) -> np.ndarray:
        """The middle of each cell as it is drawn."""
        edges = self.edges
        middles = (edges[:-1] + edges[1:]) / 2
        return np.where(edges[:-1] > 0, np.sqrt(np.abs(edges[:-1] * edges[1:])), middles) if self.is_log else middles

    def _of_equal_width(self, cells: int) -> np.ndarray:
        low, high = (self.low, self.high) if self.high > self.low else (self.low - 0.5, self.high + 0.5)
        if self.step <= 0:
            return np.linspace(low, high, cells + 1)
        # A step more in one cell than in the next would look like a peak.
        steps = (high - low) / self.step
        width = self.step * (max(1, round(steps / cells)) if steps > _EACH else 1)
        return np.arange(low - self.step / 2, high + width, width)

    def _of_equal_ratio(self, cells: int) -> np.ndarray:
        low, high = self.least, max(self.high, 1.01 * self.least)
        if self.step <= 0 or self.step > low:
            return np.geomspace(low * 0.999, high * 1.001, cells + 1)
        steps = np.round(np.geomspace(low, high, cells + 1) / self.step)
        return (np.append(np.unique(steps), steps[-1] + 1) - 0.5) * self.step

    @property
    def padded(self) -> tuple[float, float]:
        """The ends of an axis, with room beside the outer cells."""
        low, high = float(self.edges[0]), float(self.edges[-1])
        if self.is_log:
            room = (high / self.edges[-2]) ** 0.5
            return low if self.has_zero else low / room, high * room
        return low - _ROOM * (high - low), high + _ROOM * (high - low)

    def _tick(self, axes: Axes, which: Which) -> None:
        axis = axes.xaxis if which == "x" else axes.yaxis
        set_scale: Callable[..., None] = axes.set_xscale if which == "x" else axes.set_yscale
        formatter = FuncFormatter(lambda value, _: f"{value:.6g}".replace("e+0", "e").replace("e+", "e"))
        if not self.is_log:
            axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=self.step >= 1))
        elif self.has_zero:
            set_scale("symlog", linthresh=self.edges[1], linscale=0.3)
            first = int(np.floor(np.log10(2 * self.edges[1]))) + 1  # a tick nearer to 0 would touch its own
            last = int(np.floor(np.log10(self.edges[-1])))
            each = 1 + (last - first) // 3
            axis.set_major_locator(FixedLocator([0.0, *(10.0**power for power in range(first, last + 1, each))]))
            axis.set_minor_locator(NullLocator())
        else:
            set_scale("log")
            decades = np.log10(self.edges[-1] / self.edges[0])
            subs: Sequence[float] = (1, 1.5, 2, 3, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 1.7 else (1,)
            axis.set_major_locator(LogLocator(subs=subs, numticks=5))
            axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(formatter)
        axis.set_minor_formatter(NullFormatter())


class Counts(Numbers):
    """Counts: a cell for each number where there are few."""

    def __init__(self, column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> None:
        super().__init__(column, observed, drawn)
        self.step = 1.0
        if self.high - self.low <= 2 * _CELLS:
            self.is_log = self.has_zero = False


class Angles(Numbers):
    """Angles, over one turn."""

    def __init__(self, column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> None:
        super().__init__(column, observed, drawn)
        self.is_log = self.has_zero = False
        if column.bounds is not None:
            self.low, self.high = column.bounds

    def agreement(self, observed: np.ndarray, reproduced: np.ndarray) -> str:
        """Return R² on the circle: of 1 − cos of the difference, against the mean direction."""
        turn = 2 * np.pi / (self.high - self.low)
        mean = np.angle(np.exp(1j * turn * observed).mean()) / turn
        known = np.where(np.isfinite(reproduced), reproduced, np.nan)
        error, total = (float((1 - np.cos(turn * (observed - of))).sum()) for of in (known, mean))
        return f"R² on the circle {1 - error / total if total > 0 else np.nan:.2f}"

    @property
    def padded(self) -> tuple[float, float]:
        """One turn."""
        return self.low, self.high

    @property
    def edges(self) -> np.ndarray:
        """24 cells of a turn."""
        return np.linspace(self.low, self.high, 25)

    def _tick(self, axes: Axes, which: Which) -> None:
        ticks = np.linspace(self.low, self.high, 5)
        axes.set(**{f"{which}ticks": ticks, f"{which}ticklabels": [f"{tick:.3g}" for tick in ticks]})


def r_squared(observed: np.ndarray, reproduced: np.ndarray) -> float:
    """Return 1 − Σ (x − x̂)² / Σ (x − x̄)²; NaN for values that are all equal."""
    total = float(np.square(observed - observed.mean()).sum())
    return 1 - float(np.square(observed - reproduced).sum()) / total if total > 0 else np.nan


def _number_of_cells(x: np.ndarray) -> int:
    """Return the number of cells by the rule of Freedman and Diaconis, from 8 to 30."""
    width = 2 * np.subtract(*np.quantile(x, (0.75, 0.25))) / np.cbrt(len(x)) if len(x) else 0.0
    return int(np.clip(np.ptp(x) / width, 8, _CELLS)) if width > 0 else 8


def _is_skewed(x: np.ndarray) -> bool:
    """Return whether the skewness of positive values is large, and that of their logarithms is less."""
    values = [(of - of.mean()) / of.std() if of.std() > 0 else np.zeros_like(of) for of in (x, np.log(x))]
    skewness, of_logarithms = (float((of**3).mean()) for of in values)
    return skewness > _SKEWED and abs(of_logarithms) < skewness


def _lattice(x: np.ndarray) -> float:
    """Return the step of the lattice that values seem to lie on, such as 0.1 for one decimal; 0 for none."""
    distinct = np.unique(x.astype(np.float32)).astype(np.float64)
    if len(distinct) < 3 or len(distinct) > 0.8 * len(x):
        return 0.0
    gaps = np.diff(distinct)
    steps = gaps / gaps.min()
    return float(np.median(gaps / np.round(steps))) if (np.abs(steps - np.round(steps)) < 0.05).all() else 0.0
