"""Log-densities by mpmath, each in a coordinate in which its tails are exponential, and their integrals."""

import math

import mpmath as mp


def log_integral(log_density, low, high, mode, scale):
    """Return log ∫ exp(log_density) in 17 digits, cut where the density bends: at its mode and by its scale."""
    with mp.workdps(17):
        steps = [mp.mpf(scale) * s for s in (0.01, 0.1, 1, 3, 10, 30, 100, 300, 1000, 10_000)]
        cuts = [mode + side * s for s in steps for side in (-1, 1)]
        nearest = min(max(mode, low), high)
        # Far from the mode the density falls fast from the end nearest to it.
        cuts += [nearest + side * s * mp.mpf(10) ** -k for s in steps for k in range(4) for side in (-1, 1)]
        points = sorted({mp.mpf(low), mp.mpf(high), *(c for c in [mode, *cuts] if low < c < high)})
        top = log_density(nearest)
        return float(top + mp.log(mp.quad(lambda v: mp.exp(log_density(v) - top), points)))


# By family: its parameters, and a function from them to its log-density in some coordinate v, v of x, mode and scale.
def normal(loc, scale):
    return lambda v: -(((v - loc) / scale) ** 2) / 2 - mp.log(scale * mp.sqrt(2 * mp.pi)), lambda x: x, loc, scale


def laplace(loc, scale):
    return lambda v: -abs(v - loc) / scale - mp.log(2 * scale), lambda x: x, loc, scale


def logistic(loc, scale):
    def log_density(v):
        t = abs(v - loc) / scale
        return -t - 2 * mp.log1p(mp.exp(-t)) - mp.log(scale)

    return log_density, lambda x: x, loc, scale


def student_t(df, loc, scale):
    df = mp.mpf(df)
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(mp.pi) / 2

    # x = loc + scale √df sinh v, whose tails are exponential
    def coordinate(x):
        return mp.mpf(x) if math.isinf(x) else mp.asinh((mp.mpf(x) - loc) / scale / mp.sqrt(df))

    return lambda v: constant - df * mp.log(mp.cosh(v)), coordinate, mp.mpf(0), 1 / mp.sqrt(df)


def log_normal(loc, scale):
    log_density, _, mode, _ = normal(loc, scale)
    return log_density, lambda x: mp.log(x) if x > 0 else mp.mpf("-inf"), mode, scale


def gamma(concentration, rate):
    a, log_rate = mp.mpf(concentration), mp.log(rate)
    at = mp.log(a) - log_rate
    return (
        lambda v: a * (v + log_rate) - mp.exp(v + log_rate) - mp.loggamma(a),
        lambda x: mp.log(x) if x > 0 else mp.mpf("-inf"),
        at,
        1 / mp.sqrt(a),
    )


def weibull(scale, concentration):
    k = mp.mpf(concentration)
    return (
        lambda v: mp.log(k) + k * (v - mp.log(scale)) - mp.exp(k * (v - mp.log(scale))),
        lambda x: mp.log(x) if x > 0 else mp.mpf("-inf"),
        mp.log(scale),
        1 / k,
    )


def _logit(x):
    return mp.mpf("-inf") if x <= 0 else mp.mpf("inf") if x >= 1 else mp.log(mp.mpf(x) / (1 - mp.mpf(x)))


def beta(a, b):
    a, b = mp.mpf(a), mp.mpf(b)
    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    scale = mp.sqrt((a + b) / a / b)
    return lambda v: a * v - (a + b) * mp.log1p(mp.exp(v)) - log_beta, _logit, mp.log(a / b), scale


def logit_normal(loc, scale):
    log_density, _, mode, _ = normal(loc, scale)
    return log_density, _logit, mode, scale


def _unit(x):
    return min(max(mp.mpf(x), mp.mpf(0)), mp.mpf(1))


def continuous_bernoulli(eta):
    eta = mp.mpf(eta)
    constant = mp.log(eta / mp.expm1(eta)) if eta else mp.mpf(0)
    return lambda v: eta * v + constant, _unit, 1 if eta > 0 else 0, 1 / max(1, abs(eta))


def truncated_normal(loc, scale):
    with mp.workdps(60):
        # On the side where the tail keeps its digits.
        low, high = sorted(abs((mp.mpf(e) - loc) / scale) for e in (0, 1))
        tails = [mp.erfc(t / mp.sqrt(2)) / 2 for t in (low, high)]
        inside = 1 - sum(tails) if 0 <= loc <= 1 else tails[0] - tails[1]
        constant = -mp.log(scale * mp.sqrt(2 * mp.pi) * inside)
    return lambda v: -(((v - loc) / mp.mpf(scale)) ** 2) / 2 + constant, _unit, min(max(loc, 0), 1), scale


def kumaraswamy(a, b):
    a, b = mp.mpf(a), mp.mpf(b)

    # v = logit x
    def log_density(v):
        log_x, log_rest = -mp.log1p(mp.exp(-v)), -mp.log1p(mp.exp(v))
        return mp.log(a * b) + a * log_x + (b - 1) * mp.log(-mp.expm1(a * log_x)) + log_rest

    return log_density, _logit, mp.mpf(0), mp.mpf(1)


def von_mises(loc, kappa):
    constant = -mp.log(2 * mp.pi * mp.besseli(0, kappa)) + kappa
    turn = mp.pi
    return (
        lambda v: constant - 2 * mp.mpf(kappa) * mp.sin((v - loc) / 2) ** 2,
        lambda x: min(max(mp.mpf(x), -turn), turn),
        loc,
        1 / mp.sqrt(kappa),
    )
