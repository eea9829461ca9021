"""The probability of an interval under each family, on the log scale."""

from functools import singledispatch

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.model.exact.continuous.continuous_bernoulli import ContinuousBernoulli
from obsvae.model.exact.continuous.kumaraswamy import Kumaraswamy
from obsvae.model.exact.continuous.logistic import Logistic
from obsvae.model.exact.continuous.logit_normal import LogitNormal
from obsvae.model.exact.continuous.truncated_normal import TruncatedNormal
from obsvae.model.exact.continuous.weibull import Weibull
from obsvae.model.exact.interval_mass.differences import (
    log1mexp,
    log1mexpexp,
    log_logistic_interval,
    log_minus_log1mexp,
    log_normal_interval,
    log_tail_integral,
)
from obsvae.model.exact.interval_mass.interval import Interval

_LOG_2 = 0.6931471805599453
_SERIES_BELOW = 0.1
_LARGE = 700.0  # its exponential is finite in double precision, and minus that is −∞ in float32


class UnknownIntervalMass(TypeError):  # noqa: N818 - it names what is unknown
    """Raised where no function is registered for the mass of an interval under a distribution."""


@singledispatch
def log_interval_mass(p: Distribution, interval: Interval) -> Tensor:
    r"""Return log P(low < X ≤ high) = log(F(high) − F(low)), elementwise.

    A difference of distribution functions cancels in the tails and for narrow intervals; each family has its own way
    round that. It is finite and has the right gradient in the family's parameters tens of scales out on either side,
    though not in the ends of the interval, which are data.

    Args:
        p: an elementwise distribution with a density.
        interval: broadcastable to the batch shape of p; ends outside the support stand for its bounds.

    Raises:
        UnknownIntervalMass: for a distribution that has no such function.
    """
    raise UnknownIntervalMass(f"that under {type(p).__name__} is not known")


@log_interval_mass.register
def _(p: dist.Normal, interval: Interval) -> Tensor:
    return log_normal_interval(*interval.standardised(p.loc, p.scale))


@log_interval_mass.register
def _(p: Logistic, interval: Interval) -> Tensor:
    return log_logistic_interval(*interval.standardised(p.loc, p.scale))


@log_interval_mass.register
def _(p: dist.Laplace, interval: Interval) -> Tensor:
    a, b, width = interval.standardised(p.loc, p.scale)
    left, right = b <= 0, a >= 0
    across = ~(left | right)
    # On one side the tail at the nearer end, less the part beyond the farther one.
    nearer = torch.where(left, b, torch.where(right, -a, 0.0))
    side = nearer - _LOG_2 + log1mexp(-torch.where(across, 1.0, width))
    both = -torch.expm1(torch.where(across, a, -1.0)) - torch.expm1(-torch.where(across, b, 1.0))
    return torch.where(across, torch.log(0.5 * both), side)


@log_interval_mass.register
def _(p: dist.LogNormal, interval: Interval) -> Tensor:
    return log_interval_mass(dist.Normal(p.loc, p.scale, validate_args=False), logarithm(interval)).to(p.loc.dtype)


@log_interval_mass.register
def _(p: LogitNormal, interval: Interval) -> Tensor:
    return log_interval_mass(dist.Normal(p.loc, p.scale, validate_args=False), logit(interval)).to(p.loc.dtype)


@log_interval_mass.register
def _(p: TruncatedNormal, interval: Interval) -> Tensor:
    inside = interval.within(0.0, 1.0)
    # As in its density: where μ lies beyond a bound, from that bound.
    is_low, tail, beyond = p._beyond
    distance = (torch.where(is_low, inside.low, 1.0 - inside.high) / p.scale).to(p.scale.dtype)
    width = (inside.width / p.scale).to(p.scale.dtype)
    from_bound = log_tail_integral(tail + distance, width) - log_tail_integral(tail, 1.0 / p.scale)
    from_bound = from_bound - distance * (tail + 0.5 * distance)
    within = TruncatedNormal(torch.where(beyond, 0.5, p.loc), torch.where(beyond, 1.0, p.scale), False)
    whole = log_normal_interval(*inside.standardised(within.loc, within.scale))
    return torch.where(beyond, from_bound, whole - within._log_inside)


@log_interval_mass.register
def _(p: ContinuousBernoulli, interval: Interval) -> Tensor:
    # The density at the end nearer to the mode, times ∫₀ʷ e^−|η|s ds; in double precision, for the digits of 1 − x.
    low, high, width = interval.double().within(0.0, 1.0)
    eta = p.eta.double()
    end = torch.where(eta > 0, high, low)
    at_end = ContinuousBernoulli(eta, validate_args=False).log_density(end, 1.0 - end)
    t = torch.where(eta > 0, eta, -eta) * width  # not abs(), whose derivative at 0 is 0
    small = t < _SERIES_BELOW
    s, large = torch.where(small, t, 0.0), torch.where(small, 1.0, t)
    series = -0.5 * s + s * s * (1 / 24 - s * s * (1 / 2880 - s * s / 181440))
    mass = at_end + torch.log(width) + torch.where(small, series, log1mexp(-large) - torch.log(large))
    return mass.to(p.eta.dtype)


@log_interval_mass.register
def _(p: Weibull, interval: Interval) -> Tensor:
    # With H(x) = (x / λ)ᵏ it is e^−H(low) (1 − e^−(H(high) − H(low))), and what H grows by is known without cancelling.
    low, high, width = interval.double().within(0.0, torch.inf)
    log_scale, k = p.log_scale.double(), p.concentration.double()
    has_low, has_high = low > 0, high.isfinite()

    def log_hazard(x: Tensor) -> Tensor:
        return k * (torch.log(x) - log_scale)

    at_low = log_hazard(torch.where(has_low, low, 1.0))
    ratio = k * torch.log1p(torch.where(has_low & has_high, width / low, 1.0))  # log H(high) / H(low)
    growth = torch.where(has_low, at_low + _log_expm1(ratio), log_hazard(torch.where(has_high, high, 1.0)))
    hazard = torch.exp(torch.where(has_low, at_low, -torch.inf).clamp(max=_LARGE))
    mass = torch.where(has_high, log1mexpexp(growth), 0.0) - hazard
    return mass.to(p.scale.dtype)


@log_interval_mass.register
def _(p: Kumaraswamy, interval: Interval) -> Tensor:
    # As above with H(x) = −b log(1 − xᵃ), all from log(−log x), for xᵃ may be as near to 1 as to 0.
    low, high, width = interval.double().within(0.0, 1.0)
    log_a, b = p.log_a.double(), p.b.double()
    has_low, has_high = low > 0, high < 1

    def log_rest(x: Tensor) -> Tensor:  # log(1 − xᵃ)
        return log1mexpexp(log_a + torch.log(-torch.log(x)))

    rest_low = torch.where(has_low, log_rest(torch.where(has_low, low, 0.5)), 0.0)
    rest_high = log_rest(torch.where(has_high & (high > 0), high, 0.5))
    # The share of 1 − lowᵃ that lies below high: near 0 by its own logarithm, near 1 by the two rests.
    size = log_a + torch.log(-torch.log(torch.where(has_high & (high > 0), high, 0.5)))
    ratio = log_a + torch.log(torch.log1p(torch.where(has_low & has_high, width / low, 1.0)))  # log(a log(high / low))
    share = torch.where(has_low, log1mexpexp(ratio) - rest_low, 0.0) - torch.exp(size.clamp(max=_LARGE))
    is_little = share < -_LOG_2
    little = log_minus_log1mexp(torch.where(is_little, share, -1.0))
    growth = torch.log(b) + torch.where(is_little, little, torch.log(torch.where(is_little, 1.0, rest_low - rest_high)))
    mass = torch.where(has_high, log1mexpexp(growth), 0.0) + b * rest_low
    return mass.to(p.a.dtype)


@log_interval_mass.register
def _(p: dist.TransformedDistribution, interval: Interval) -> Tensor:
    for transform in reversed(p.transforms):
        if not hasattr(transform, "pull"):
            raise UnknownIntervalMass(
                f"that under {type(p).__name__} by {type(transform).__name__} is not known (take the transform from "
                "obsvae.model.exact)"
            )
        interval = transform.pull(interval)
    return log_interval_mass(p.base_dist, interval)


def _log_expm1(t: Tensor) -> Tensor:
    """Return log(eᵗ − 1) for t > 0, elementwise, near 0 and far from it alike."""
    return t + log1mexp(-t)


def logarithm(interval: Interval) -> Interval:
    """Return the interval of log x, in double precision; ends below 0 stand for 0."""
    low, high, width = interval.double().within(0.0, torch.inf)
    return Interval(torch.log(low), torch.log(high), torch.log1p(width / low))


def logit(interval: Interval) -> Interval:
    """Return the interval of logit x, in double precision; ends outside [0, 1] stand for its bounds."""
    low, high, width = interval.double().within(0.0, 1.0)
    return Interval(torch.logit(low), torch.logit(high), torch.log1p(width / low) + torch.log1p(width / (1.0 - high)))
