"""Log-densities and distribution functions by scipy and mpmath, which know nothing of the code under test."""

import mpmath as mp
import numpy as np
import scipy.special
import scipy.stats


def softplus(a):
    return np.logaddexp(0.0, a)


def normal(observation, eta):
    """Return scipy's Normal with the location and scale that DESIGN and the docstrings promise."""
    scale, spread = observation.scale, observation.spread.item()  # one for all, for a datum is an image here
    link = observation.spec.partition("link=")[2] or "identity"
    loc = {
        "identity": lambda e: observation.centre.item() + spread * e,
        "sigmoid": scipy.special.expit,
        "softplus": lambda e: spread * softplus(e),
    }[link](eta[..., 0])
    kind = observation.spec.partition("scale=")[2].partition(",")[0] or "per-unit"

    def positive(raw):
        return spread * (1e-3 + softplus(raw + np.log(np.e - 1)))

    match kind:
        case "shared" | "per-unit" | "per-feature":
            sigma = positive(scale.raw.detach().numpy())
        case "decoder":
            sigma = positive(eta[..., 1])
        case "optimal":
            sigma = scale.value.item() * spread
        case _:
            sigma = float(kind)
    return scipy.stats.norm(loc, np.broadcast_to(sigma, loc.shape))


@np.vectorize
def matched(logit):
    """Return the natural parameter whose mean is the sigmoid of the logit."""
    with mp.workdps(50):
        small, size = 1 / (1 + mp.exp(abs(logit))), mp.mpf(abs(logit))
        if size == 0:
            return 0.0
        start = 1 + mp.exp(size) if size > 1 else 3 * size
        root = mp.findroot(lambda t: (1 / t - 1 / mp.expm1(t) - small) * mp.exp(size), (start, 1.001 * start))
        return float(mp.sign(logit) * root)


@np.vectorize
def continuous_bernoulli_log_density(eta, u):
    with mp.workdps(50):
        eta, u = mp.mpf(float(eta)), mp.mpf(float(u))
        return float(eta * u + mp.log(eta / mp.expm1(eta))) if eta else 0.0


def continuous_bernoulli_cdf(eta, u):
    return np.exp(-np.maximum(eta, 0) * (1 - u)) * np.expm1(-np.abs(eta) * u) / np.expm1(-np.abs(eta))


def natural(observation, eta):
    return matched(eta[..., 0]) if "matched=true" in observation.spec else eta[..., 0]


def categorical_log_mass(_, eta, u):
    shape = np.broadcast_shapes(eta.shape[:-1], np.shape(u))
    log_p = np.broadcast_to(scipy.special.log_softmax(eta, -1), (*shape, eta.shape[-1]))
    level = np.broadcast_to(u, shape).astype(int)
    return np.take_along_axis(log_p, level[..., None], -1)[..., 0]


@np.vectorize
def ordered_log_mass(low, high):
    with mp.workdps(50):
        s = [mp.mpf(0) if np.isneginf(t) else 1 / (1 + mp.exp(-mp.mpf(float(t)))) for t in (low, high)]
        return float(mp.log((mp.mpf(1) if np.isposinf(high) else s[1]) - s[0]))


def ordinal_log_mass(observation, eta, u):
    cuts = np.concatenate([[-np.inf], observation.cutpoints.detach().double().numpy(), [np.inf]])
    level = np.asarray(u).astype(int)
    return ordered_log_mass(cuts[level] - eta[..., 0], cuts[level + 1] - eta[..., 0])


@np.vectorize
def kumaraswamy_log_density(logit, b, u):
    with mp.workdps(60):
        b, u = mp.mpf(float(b)), mp.mpf(float(u))
        log_m = -mp.log1p(mp.exp(-mp.mpf(float(logit))))
        a = mp.log(1 - mp.power(2, -1 / b)) / log_m
        return float(mp.log(a) + mp.log(b) + (a - 1) * mp.log(u) + (b - 1) * mp.log1p(-mp.power(u, a)))


def kumaraswamy_cdf(logit, b, u):
    a = np.log(-np.expm1(-np.log(2) / b)) / -np.logaddexp(0.0, -logit)
    return -np.expm1(b * np.log1p(-(u**a)))


@np.vectorize
def truncated_normal_log_density(loc, sigma, u):
    with mp.workdps(60):
        loc, sigma, u = (mp.mpf(float(v)) for v in (loc, sigma, u))
        # The upper tail keeps its digits where a difference of two cumulative shares near one has none.
        side = 1 if loc < mp.mpf("0.5") else -1
        low, high = sorted([side * (0 - loc) / sigma, side * (1 - loc) / sigma])
        inside = (mp.erfc(low / mp.sqrt(2)) - mp.erfc(high / mp.sqrt(2))) / 2
        return float(-(((u - loc) / sigma) ** 2) / 2 - mp.log(sigma * mp.sqrt(2 * mp.pi) * inside))


def location_of(observation, eta):
    """Return centre + spread · η of a location-scale family."""
    return observation.centre.numpy() + observation.spread.numpy() * eta[..., 0]


def value_of(parameter, eta, at):
    """Return what the docstring of ``Positive`` promises, with the parameter's outputs at an index of eta."""
    start = parameter.start.numpy()
    if hasattr(parameter, "value"):
        return np.full(eta.shape[:-1], parameter.value)
    raw = eta[..., at] if parameter.outputs else parameter.raw.detach().double().numpy()
    return np.broadcast_to(start * (parameter.floor + softplus(raw + np.log(np.e - 1))), eta.shape[:-1])


def scaled(family):
    """Return scipy's location-scale family at spread · η and σ, as a function of the observation and eta."""

    def at(observation, eta):
        return family(location_of(observation, eta), value_of(observation.scale, eta, 1))

    return at


def student(observation, eta):
    scale, df = value_of(observation.scale, eta, 1), value_of(observation.df, eta, 1 + observation.scale.outputs)
    return scipy.stats.t(df, location_of(observation, eta), scale)


def negative_binomial(observation, eta):
    r = 1 / value_of(observation.dispersion, eta, 1)
    return scipy.stats.nbinom(r, 1 / (1 + np.exp(eta[..., 0] - np.log(r))))


def binomial_log_mass(n, logit, u):
    choose = scipy.special.gammaln(n + 1) - scipy.special.gammaln(u + 1) - scipy.special.gammaln(n - u + 1)
    return choose + u * scipy.special.log_expit(logit) + (n - u) * scipy.special.log_expit(-logit)


def log_normal(observation, eta):
    normal = location_of(observation, eta)
    return scipy.stats.lognorm(value_of(observation.scale, eta, 1), scale=np.exp(normal))


def beta(observation, eta):
    kappa = value_of(observation.concentration, eta, 1)
    return scipy.stats.beta(kappa * scipy.special.expit(eta[..., 0]), kappa * scipy.special.expit(-eta[..., 0]))


def gamma(observation, eta):
    a = value_of(observation.concentration, eta, 1)
    return scipy.stats.gamma(a, scale=np.exp(observation.spread.numpy() * eta[..., 0]) / a)


def weibull(observation, eta):
    scale = np.exp(observation.spread.numpy() * eta[..., 0])
    return scipy.stats.weibull_min(value_of(observation.concentration, eta, 1), scale=scale)


def von_mises(observation, eta):
    return scipy.stats.vonmises(value_of(observation.concentration, eta, 2), np.arctan2(eta[..., 1], eta[..., 0]))


def truncated(observation, eta):
    loc, sigma = eta[..., 0], value_of(observation.scale, eta, 1)
    return scipy.stats.truncnorm((0 - loc) / sigma, (1 - loc) / sigma, loc, sigma)


def logit_normal_log_density(observation, eta, u):
    normal = scaled(scipy.stats.norm)(observation, eta)
    return normal.logpdf(np.log(u) - np.log1p(-u)) - np.log(u) - np.log1p(-u)
