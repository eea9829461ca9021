"""The continuous Bernoulli distribution in its natural parameter."""

import torch
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval

# With h = η/2 the log-normaliser, centred at x = ½, is S(η) = log(sinh h / h) = Σ B₂ₙ η²ⁿ / (2n (2n)!). The closed
# forms cancel near η = 0, so within |η| ≤ 1 this series takes over; what it leaves out of S and of its first two
# derivatives is below 2e-13 there.
_S = (
    1 / 24,
    -1 / 2880,
    1 / 181440,
    -1 / 9676800,
    1 / 479001600,
    -691 / 15692092416000,
    1 / 1046139494400,
    -3617 / 170729965486080000,
)
_SERIES_BELOW = 1.0
# The quantile's series has seven terms, so it holds on a smaller interval.
_QUANTILE_SERIES_BELOW = 0.1
# expm1(t) / t = Σ tⁿ / (n + 1)!
_PHI = tuple(1.0 / torch.arange(1, n + 2, dtype=torch.float64).prod().item() for n in range(14))


def _polynomial(t: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    value = torch.full_like(t, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * t + coefficient
    return value


class ContinuousBernoulli(UnitInterval):
    r"""The density on [0, 1] whose log is linear in x.

    .. math:: p(x \mid \eta) = \frac{\eta}{e^\eta - 1} e^{\eta x}, \qquad \eta = \operatorname{logit} \lambda

    :class:`torch.distributions.ContinuousBernoulli` clamps its probabilities, so that for \|logit\| > 16 the density
    is frozen and the gradient zero. This one works in η: exact for every η, by a series around η = 0 and by
    exponentials of −\|η\| elsewhere, so that nothing overflows; twice differentiable everywhere, without branches on
    data.

    Args:
        eta: natural parameter, any real number; shape ``(*batch,)``.
        validate_args: as in :class:`torch.distributions.Distribution`.

    Raises:
        ValueError: for x outside [0, 1], where arguments are validated.

    Reference: Loaiza-Ganem and Cunningham, *The continuous Bernoulli: fixing a pervasive error in variational
    autoencoders*, NeurIPS 2019, equations 5 to 8.
    """

    arg_constraints = {"eta": constraints.real}  # noqa: RUF012 - torch's own class attribute
    has_rsample = True

    def __init__(self, eta: Tensor, validate_args: bool | None = None) -> None:
        self.eta = eta
        super().__init__(eta.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "ContinuousBernoulli | None" = None) -> "ContinuousBernoulli":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(ContinuousBernoulli, _instance)
        new.eta = self.eta.expand(batch_shape)
        super(ContinuousBernoulli, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    @property
    def _is_small(self) -> Tensor:
        return self.eta.abs() <= _SERIES_BELOW

    @property
    def _a(self) -> Tensor:
        # |η|, and 1 where the series is taken: torch.where differentiates both of its arms, so neither may blow up.
        return torch.where(self._is_small, 1.0, self.eta.abs())

    @property
    def _t(self) -> Tensor:
        return torch.where(self._is_small, self.eta, 0.0)

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x | η) in nats, for x in [0, 1], from x and 1 − x."""
        a, t = self._a, self._t
        series = t * (value - 0.5) - t * t * _polynomial(t * t, _S)
        # The distance to the mode, not ηx, keeps the digits where two terms of size |η| would cancel.
        to_mode = torch.where(self.eta > 0, rest, value)
        closed = torch.log(a) - torch.log1p(-torch.exp(-a)) - a * to_mode
        return torch.where(self._is_small, series, closed)

    @property
    def _one_minus_mean_of_a(self) -> Tensor:
        # 1/a − 1/(eᵃ − 1): one minus the mean at η = a, the mean at η = −a.
        exp = torch.exp(-self._a)
        return 1.0 / self._a - exp / (1.0 - exp)

    @property
    def _centred_mean(self) -> Tensor:
        # S′(η) = mean − ½, by its series
        t = self._t
        return t * _polynomial(t * t, tuple(2 * (n + 1) * c for n, c in enumerate(_S)))

    @property
    def mean(self) -> Tensor:
        """E[x] = 1 / (1 − e^−η) − 1/η. It is not the sigmoid of η."""
        tail = self._one_minus_mean_of_a
        return torch.where(self._is_small, 0.5 + self._centred_mean, torch.where(self.eta > 0, 1.0 - tail, tail))

    @property
    def variance(self) -> Tensor:
        """Var[x] = 1/η² − e^η / (e^η − 1)²."""
        t, a = self._t, self._a
        series = _polynomial(t * t, tuple(2 * (n + 1) * (2 * n + 1) * c for n, c in enumerate(_S)))
        exp = torch.exp(-a)
        return torch.where(self._is_small, series, (1.0 / a) ** 2 - exp / (1.0 - exp) ** 2)

    def entropy(self) -> Tensor:
        """Return the differential entropy −E[log p(x)] in nats; at most 0, which it is at η = 0."""
        t, a = self._t, self._a
        # S(η) − η S′(η)
        series = t * t * _polynomial(t * t, tuple(c - 2 * (n + 1) * c for n, c in enumerate(_S)))
        exp = torch.exp(-a)
        closed = 1.0 - a * exp / (1.0 - exp) + torch.log1p(-exp) - torch.log(a)
        return torch.where(self._is_small, series, closed)

    def cdf(self, value: Tensor) -> Tensor:
        """Return P(X ≤ x) = (e^ηx − 1) / (e^η − 1), for x in [0, 1]."""
        if self._validate_args:
            self._validate_sample(value)
        a, t = self._a, self._t
        series = value * _polynomial(t * value, _PHI) / _polynomial(t, _PHI)
        ratio = torch.expm1(-a * value) / torch.expm1(-a)
        closed = torch.exp(-a * torch.where(self.eta > 0, 1.0 - value, 0.0)) * ratio
        return torch.where(self._is_small, series, closed)

    def icdf(self, value: Tensor) -> Tensor:
        """Return the u-quantile log(1 + u (e^η − 1)) / η, for u in [0, 1]."""
        u, eta = value, self.eta
        is_small = eta.abs() <= _QUANTILE_SERIES_BELOW
        t = torch.where(is_small, eta, 0.0)
        # log(1 + u (e^η − 1)) is the cumulant generating function of a Bernoulli variable with mean u.
        v, w = u * (1.0 - u), 1.0 - 2.0 * u
        k4, k5 = 1.0 - 6.0 * v, w * (1.0 - 12.0 * v)
        k6, k7 = 1.0 - 30.0 * v + 120.0 * v * v, w * (1.0 - 60.0 * v + 360.0 * v * v)
        series = u + t * v * (1 / 2 + t * (w / 6 + t * (k4 / 24 + t * (k5 / 120 + t * (k6 / 720 + t * k7 / 5040)))))
        a = torch.where(is_small, 1.0, eta.abs())
        # y, the distance to the mode, solves 1 − e^−ay = p (1 − e^−a); q = 1 − p keeps the digits of a small u.
        p = torch.where(eta > 0, 1.0 - u, u)
        q = torch.where(eta > 0, u, 1.0 - u)
        near = p < 0.5
        log_near = torch.log1p(torch.where(near, p, 0.25) * torch.expm1(-a))
        log_far = torch.logaddexp(torch.log(torch.where(near, 0.5, q)), torch.log(torch.where(near, 0.5, p)) - a)
        y = -torch.where(near, log_near, log_far) / a
        return torch.where(is_small, series, torch.where(eta > 0, 1.0 - y, y)).clamp(0.0, 1.0)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by the quantile of a uniform number, differentiable in η."""
        shape = self._extended_shape(sample_shape)
        return self.icdf(torch.rand(shape, dtype=self.eta.dtype, device=self.eta.device))


def natural_from_mean_logit(logits: Tensor) -> Tensor:
    r"""Return the η whose continuous Bernoulli has the mean ``sigmoid(logits)``.

    .. math:: \frac{1}{1 - e^{-\eta}} - \frac{1}{\eta} = \operatorname{sigmoid}(\ell)

    There is no closed form: Newton steps on the concave S′(η), from below, where they cannot overshoot; the last two
    are differentiated through, which makes the first two derivatives those of the solution (implicit function
    theorem). Above \|ℓ\| = 4 the term e^−η has vanished and η = ±(1 + e^\|ℓ\|).

    Args:
        logits: logit of the wanted mean, any shape; exp(\|ℓ\|) must be finite.

    Reference: Loaiza-Ganem and Cunningham 2019, section 5 (mean matching, μ⁻¹).
    """
    magnitude = torch.where(logits < 0, -logits, logits)
    is_large = magnitude > 4.0
    ell = torch.where(is_large, 0.0, magnitude)
    tail, centred = torch.sigmoid(-ell), 0.5 * torch.tanh(0.5 * ell)

    def newton(eta: Tensor) -> Tensor:
        at = ContinuousBernoulli(eta, validate_args=False)  # an iterate, not an argument
        excess = torch.where(at._is_small, at._centred_mean - centred, tail - at._one_minus_mean_of_a)
        return eta - excess / at.variance

    with torch.no_grad():
        eta = torch.where(ell > 1.0, torch.exp(ell), 12.0 * centred)
        for _ in range(6):
            eta = newton(eta)
    eta = newton(newton(eta))
    eta = torch.where(is_large, 1.0 + torch.exp(torch.where(is_large, magnitude, 0.0)), eta)
    return torch.where(logits < 0, -eta, eta)
