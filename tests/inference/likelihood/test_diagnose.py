"""What importance weights say of themselves, by hand, by ArviZ and by simulation."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from obsvae.inference import diagnose, estimates_by_particles
from obsvae.inference.likelihood.pareto import MIN_PARTICLES


def generator(seed=0):
    return np.random.default_rng(seed)


def test_by_hand():
    w = np.array([[1.0, 4.0], [2.0, 4.0], [3.0, 1.0]])
    found = diagnose(np.log(w))
    np.testing.assert_allclose(found.estimate, np.log([2.0, 3.0]))
    np.testing.assert_allclose(found.ess, [36 / 14, 81 / 33])
    # The delta method: the standard error of the mean weight over the mean weight
    np.testing.assert_allclose(found.standard_error, w.std(0, ddof=1) / np.sqrt(3) / w.mean(0))
    assert np.isnan(found.khat).all()


def test_any_magnitude():
    log_w = generator().normal(size=(50, 3))
    shift = np.array([-1e5, 0.0, 1e5])
    one, other = diagnose(log_w), diagnose(log_w + shift)
    np.testing.assert_allclose(other.estimate - shift, one.estimate, atol=1e-9)
    np.testing.assert_allclose(other.ess, one.ess, rtol=1e-9)
    np.testing.assert_allclose(other.standard_error, one.standard_error, rtol=1e-9)
    np.testing.assert_allclose(other.khat, one.khat, rtol=1e-6)


def test_one_particle_has_no_standard_error():
    found = diagnose(np.array([[-3.0, 2.0]]))
    np.testing.assert_allclose(found.estimate, [-3.0, 2.0])
    np.testing.assert_allclose(found.ess, 1.0)
    assert np.isnan(found.standard_error).all()
    assert np.isnan(found.khat).all()


def test_ess_lies_between_one_and_all():
    log_w = generator().normal(size=(100, 4)) * np.array([0.0, 1e-3, 1.0, 300.0])
    ess = diagnose(log_w).ess
    assert (ess >= 1 - 1e-9).all()
    assert (ess <= 100 + 1e-9).all()
    assert ess[0] == pytest.approx(100)
    assert ess[3] == pytest.approx(1)
    assert (np.diff(ess) < 0).all()


def pareto(k, K, seed):
    """Draw from the generalised Pareto distribution with shape k, scale 1 and location 0."""
    return np.expm1(-k * np.log1p(-generator(seed).random(K))) / k


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_khat_is_near_the_shape_of_a_pareto_tail(k):
    log_w = np.log(np.stack([pareto(k, 100_000, seed) for seed in range(4)], 1))
    assert diagnose(log_w).khat == pytest.approx(k, abs=0.15)
    assert diagnose(log_w).khat.mean() == pytest.approx(k, abs=0.08)


def test_a_light_and_a_heavy_tail_fall_on_either_side_of_the_limit():
    K = 5000
    # 1 / w has a heavy tail where w is near 0: taken the wrong way round these two would change places.
    light = np.log(generator().random(K))
    heavy = -light
    found = diagnose(np.stack([light, heavy], 1)).khat
    assert found[0] < 0
    assert found[1] == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("K", [40, 100, 1000])
@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_khat_is_that_of_arviz(K, spread):
    log_w = spread * generator(K).standard_normal((K, 5)) - 100.0
    expected = [float(array_stats.psislw(-column)[1]) for column in log_w.T]
    np.testing.assert_allclose(diagnose(log_w).khat, expected, rtol=1e-6)
    assert np.isfinite(expected).all()


@pytest.mark.parametrize(("K", "known"), [(2, False), (MIN_PARTICLES - 1, False), (MIN_PARTICLES, True)])
def test_khat_is_known_from_the_stated_number_of_particles_on(K, known):
    assert (np.isfinite(diagnose(generator().normal(size=(K, 5))).khat) == known).all()


@pytest.mark.parametrize("level", [0.0, -700.0, 900.0])
def test_constant_weights(level):
    found = diagnose(np.full((100, 2), level))
    np.testing.assert_allclose(found.estimate, level, atol=1e-9)
    np.testing.assert_allclose(found.ess, 100)
    np.testing.assert_allclose(found.standard_error, 0, atol=1e-7)
    assert (found.khat == -np.inf).all()


def test_weights_of_zero_are_allowed():
    log_w = generator().normal(size=(200, 2))
    log_w[::2, 0] = -np.inf
    found = diagnose(log_w)
    w = np.exp(log_w)
    np.testing.assert_allclose(found.estimate, np.log(w.mean(0)))
    np.testing.assert_allclose(found.standard_error, w.std(0, ddof=1) / np.sqrt(200) / w.mean(0))
    assert np.isfinite(found.khat).all()


@pytest.mark.parametrize("usable", [1, 3, 5, 6, 20])
def test_few_weights_above_zero_have_no_khat_that_passes(usable):
    # All the mass on a handful of a thousand particles: whatever k̂ says, it must not say that this is fine.
    log_w = np.full((1000, 1), -np.inf)
    log_w[:usable, 0] = generator().normal(size=usable)
    found = diagnose(log_w)
    assert np.isfinite(found.estimate).all()
    assert found.ess[0] <= usable + 1e-9
    assert not found.khat[0] <= 0.7


@pytest.mark.parametrize("spread", [30.0, 300.0, 3000.0, 30_000.0])
def test_a_hopeless_proposal_is_said_to_be_one(spread):
    # Far-out weights underflow beside the greatest; a k̂ that is NaN for it would drop out of every summary.
    found = diagnose(spread * generator().normal(size=(1000, 100)))
    assert (found.ess < 10).all()
    assert (found.khat > 0.7).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_weight_costs_its_datum_the_estimate_and_no_other(bad):
    log_w = generator().normal(size=(40, 7))
    whole = diagnose(log_w)
    log_w[3, 4] = bad
    found = diagnose(log_w)
    others = np.arange(7) != 4
    assert np.isnan(found.estimate[4])
    assert np.isnan(found.khat[4])
    assert found.ess[4] == 0
    assert not found.usable[4]
    assert found.flagged[4]
    for name in ("estimate", "standard_error", "ess", "khat", "smoothed", "jackknife"):
        assert np.array_equal(getattr(found, name)[others], getattr(whole, name)[others])


def test_nothing_but_zero_weights_is_log_zero():
    log_w = generator().normal(size=(40, 7))
    log_w[:, [2, 5]] = -np.inf
    found = diagnose(log_w)
    assert np.isneginf(found.estimate[[2, 5]]).all()
    assert found.flagged[[2, 5]].all()
    assert found.usable.sum() == 5


def test_the_jackknife_by_hand():
    w = generator().gamma(1.0, size=(6, 3))
    w[2, 1] = 1e9  # without it, the others must not be lost to rounding
    without = np.array([np.log(np.delete(w, k, 0).mean(0)) for k in range(6)])
    expected = 6 * np.log(w.mean(0)) - 5 * without.mean(0)
    np.testing.assert_allclose(diagnose(np.log(w)).jackknife, expected, rtol=1e-6)


def test_the_jackknife_takes_away_most_of_the_bias():
    sigma, K = 1.0, 20  # too few for k̂, which takes long
    log_w = sigma * generator(2).standard_normal((K, 20_000))
    found = diagnose(log_w)
    bias = [(values - sigma**2 / 2).mean() for values in (found.estimate, found.jackknife)]
    assert bias[0] < -0.01
    assert abs(bias[1]) < 0.3 * abs(bias[0])


@pytest.mark.parametrize("K", [200, 2000])
def test_the_smoothed_estimate_is_that_of_arvizs_weights(K):
    log_w = np.log(pareto(0.6, K, 3))
    smoothed, khat = array_stats.psislw(-log_w)
    found = diagnose(log_w[:, None])
    # ArviZ gives weights that add up to one; the bulk of them is left as it was.
    bulk = np.argsort(log_w)[: K // 2]
    shift = (log_w - smoothed)[bulk]
    assert np.ptp(shift) < 1e-9
    assert found.smoothed[0] == pytest.approx(shift[0] - np.log(K))
    assert found.khat[0] == pytest.approx(float(khat))


def test_the_standard_error_covers():
    sigma = 0.5
    log_w = sigma * generator(1).standard_normal((1000, 2000))
    found = diagnose(log_w)
    z_scores = (found.estimate - sigma**2 / 2) / found.standard_error
    assert abs(z_scores.mean()) < 0.15
    assert 0.9 < z_scores.std() < 1.1
    assert np.mean(np.abs(z_scores) < 1.96) == pytest.approx(0.95, abs=0.02)


def test_the_standard_error_shrinks_with_the_root_of_the_particles():
    log_w = 0.5 * generator(2).standard_normal((8000, 50))
    assert (diagnose(log_w[:500]).standard_error / diagnose(log_w).standard_error).mean() == pytest.approx(4, rel=0.05)


def test_single_precision_is_raised_to_double():
    log_w = generator().normal(size=(100, 3)).astype(np.float32) + np.float32(1e4)
    found = diagnose(log_w)
    assert found.estimate.dtype == found.ess.dtype == np.float64
    np.testing.assert_allclose(found.estimate, diagnose(log_w.astype(np.float64)).estimate)


def test_estimates_by_particles_by_hand():
    with np.errstate(divide="ignore"):
        log_weights = np.log([[1.0, 0.0], [3.0, 2.0], [5.0, 2.0], [7.0, 4.0], [9.0, 4.0]])
    found = estimates_by_particles(log_weights, [1, 2, 5])
    assert found[0, 0] == pytest.approx(np.log([1, 3, 5, 7, 9]).mean())
    assert found[1, 0] == pytest.approx(np.log([2, 6]).mean())  # the fifth is in no block
    assert found[2] == pytest.approx(np.log([5.0, 12 / 5]))
    assert found[0, 1] == -np.inf
    assert found[1, 1] == pytest.approx(np.log([1, 3]).mean())
