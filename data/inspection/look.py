"""What the values of a variable look like."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """What the values of a column look like, or those of an array as a whole, over all splits.

    Args:
        name: of the column; empty for an array as a whole.
        features: number of features: 1 for a column.
        present: number of values that are not missing.
        missing: number of values that are.
        distinct: number of distinct values.
        low: the least value.
        high: the greatest value.
        is_whole: whether all values are whole numbers.
        step: the greatest distance of which all differences are whole multiples; None where there is none of at most
            six decimals.
        phase: a value of that lattice, from 0 to below the step; None without a step.
        share_zero: share of the values that are exactly 0.
        share_one: share that are exactly 1.
        share_low: share that are the least.
        share_high: share that are the greatest.
        mean: of the values.
        variance: of the values.
        skew: the third standardised moment.
        tail: distance between the quantiles at 2.5 and 97.5 %, in units of that between the quartiles: 2.9 for a
            Normal; infinite where the quartiles agree.
        dispersion: variance over mean of whole numbers from 0, 1 for a Poisson; None for others.
        heaped: a coarser lattice on which many more values lie than by chance, as its step and their share; or None.
        period: of circular data, as declared; or None.
        levels: number of levels, as declared or guessed; None for numbers.
        scales: greatest over least spread of the features, 1 for one feature; constant features left out.

    """

    name: str
    features: int
    present: int
    missing: int
    distinct: int
    low: float
    high: float
    is_whole: bool
    step: float | None
    phase: float | None
    share_zero: float
    share_one: float
    share_low: float
    share_high: float
    mean: float
    variance: float
    skew: float
    tail: float
    dispersion: float | None
    heaped: tuple[float, float] | None
    period: float | None
    levels: int | None
    scales: float
