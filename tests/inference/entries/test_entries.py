"""Entries scored given the others, and filled where they are missing, against closed forms."""

import numpy as np
import pytest
import scipy.stats
import torch

from obsvae.errors import UsageError
from obsvae.inference import (
    Amortised,
    Direction,
    Mean,
    Median,
    Mode,
    Refined,
    conditional_scores,
    impute,
    log_likelihood,
)
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal
from tests.inference.test_missing import closed_form, holes, linear


def conditionals(model, x):
    """Return log p(x_d | the others) of a linear model with Normal noise in closed form."""
    found = np.full(x.shape, np.nan)
    whole = closed_form(model, x)
    for n, d in zip(*np.nonzero(~np.isnan(x.numpy())), strict=True):
        without = x[[n]].clone()
        without[0, d] = torch.nan
        found[n, d] = whole[n] - closed_form(model, without)[0]
    return found


def moments(model, datum, sigma=0.4):
    """Return mean and covariance of the missing entries given the others."""
    W, b = (t.detach().numpy() for t in (model.decoder.head.weight, model.decoder.head.bias))
    covariance = W @ W.T + sigma**2 * np.eye(len(b))
    missing = np.isnan(datum.numpy())
    seen = ~missing
    gain = covariance[np.ix_(missing, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
    mean = b[missing] + gain @ (datum.numpy()[seen] - b[seen])
    return mean, covariance[np.ix_(missing, missing)] - gain @ covariance[np.ix_(seen, missing)]


def data(n=30, share=0.3):
    model, guide = linear()
    torch.manual_seed(1)
    with torch.no_grad():
        x, _ = holes(model(n=n), share)
    return model, guide, x


# The guide is not trained: its particles are often too few, and say so.
@pytest.mark.parametrize(("proposal", "trusted", "off"), [(Refined(), 0.95, 0.03), (Amortised(), 0.5, 0.1)])
def test_conditional_scores_are_those_of_the_closed_form(proposal, trusted, off):
    model, guide, x = data()
    found = conditional_scores(model, guide, x, 2000, proposal=proposal, progress=False)
    expected = conditionals(model, x)
    assert np.array_equal(np.isnan(found.log_probability), np.isnan(expected))
    good = ~np.isnan(expected) & ~found.flagged
    assert good.sum() > trusted * (~np.isnan(expected)).sum()
    error = np.abs(found.log_probability - expected)[good]
    assert (error < 5 * found.standard_error[good] + 0.005).all()
    assert np.median(error) < off


def test_an_odd_entry_is_run_again_with_itself_hidden():
    model, guide, x = data(6, share=0.0)
    x[0, 1] += 6.0
    found = conditional_scores(model, guide, x, 500, progress=False)
    expected = conditionals(model, x)
    assert found.hidden[0, 1]
    assert not found.flagged[0, 1]
    np.testing.assert_allclose(found.log_probability[0, 1], expected[0, 1], atol=0.2)
    assert np.nanargmin(found.log_probability[0]) == 1


def test_some_features_have_the_scores_that_they_have_among_all():
    model, guide, x = data(6)
    every = conditional_scores(model, guide, x, 100, progress=False)
    some = conditional_scores(model, guide, x, 100, progress=False, features=[2, 0])
    np.testing.assert_array_equal(some.log_probability[:, [0, 2]], every.log_probability[:, [0, 2]])
    assert np.isnan(np.delete(some.log_probability, [0, 2], axis=1)).all()
    np.testing.assert_array_equal(some.whole.estimate, every.whole.estimate)


def test_features_of_which_nothing_is_seen_have_no_score():
    model, guide, x = data(10)
    x[:, 2] = torch.nan
    found = conditional_scores(model, guide, x, 200, progress=False).log_probability
    assert np.isnan(found[:, 2]).all()
    assert np.isfinite(np.nanmean(found[:, [0, 1, 3, 4]], 0)).all()


def test_a_model_that_takes_no_missing_entries_cannot_have_any_hidden():
    model = VAE(StandardNormal(2), MLPDecoder(2, (5,), 1, ()), Normal(scale=0.4)).double()
    _, guide, x = data(4, share=0.0)
    with pytest.raises(UsageError, match="normal needs x finite, but found nan"):
        conditional_scores(model, guide, x, progress=False)


def test_imputations_have_the_moments_of_the_closed_form():
    model, guide, x = data(8, 0.4)
    found = impute(model, guide, x, 4000, particles=4000, progress=False)
    for n, datum in enumerate(x):
        missing = np.isnan(datum.numpy())
        if not missing.any():
            continue
        mean, covariance = moments(model, datum)
        draws = found.draws[:, n, missing]
        spread = np.sqrt(np.diag(covariance))
        assert (np.abs(draws.mean(0) - mean) < 5 * spread / 4000**0.5 * 1.5).all()
        np.testing.assert_allclose(np.cov(draws.T).reshape(covariance.shape), covariance, atol=0.1 * spread.max() ** 2)
        np.testing.assert_allclose(found.point[n, missing], mean, atol=0.06 * spread.max())


def test_what_is_seen_stays_and_every_hole_is_filled():
    model, guide, x = data()
    found = impute(model, guide, x, 3, particles=100, progress=False)
    seen = ~np.isnan(x.numpy())
    assert np.isfinite(found.point).all()
    assert np.isfinite(found.draws).all()
    assert np.array_equal(found.point[seen], x.numpy()[seen])
    assert all(np.array_equal(one[seen], x.numpy()[seen]) for one in found.draws)
    again = impute(model, guide, x, 3, particles=100, progress=False)
    assert np.array_equal(found.draws, again.draws)
    assert not np.array_equal(*found.draws[:2])


def test_hidden_values_do_not_leak():
    model, guide, x = data()
    points = []
    for value in (0.0, 100.0):
        model.observation.elsewhere.fill_(value)
        points.append(impute(model, guide, x, 2, particles=100, progress=False).draws)
    assert np.array_equal(*points)


def test_data_without_holes_are_returned_as_they_are():
    model, guide, x = data(5, 0.0)
    found = impute(model, guide, x, 2, progress=False)
    assert np.array_equal(found.point, x.numpy())
    assert np.array_equal(found.draws, np.stack([x.numpy()] * 2))


def test_everywhere_reproduces_what_is_seen_too():
    model, guide, x = data(10, 0.0)
    found = impute(model, guide, x, 0, everywhere=True, particles=500, progress=False)
    assert found.draws.shape == (0, 10, 5)
    assert not np.array_equal(found.point, x.numpy())
    assert np.abs(found.point - x.numpy()).mean() < 0.4


def test_points_are_those_of_weighted_draws():
    generator = torch.Generator().manual_seed(0)
    draws = torch.exp(torch.randn(5000, 2, generator=generator))
    weights = torch.rand(5000, 2, generator=generator)
    weights = weights / weights.sum(0)
    np.testing.assert_allclose(Median()(draws, weights, draws), 1.0, atol=0.06)
    np.testing.assert_allclose(Mean()(draws, weights, draws), np.exp(0.5), atol=0.12)
    levels = torch.tensor([[0.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    shares = torch.tensor([[0.6, 0.2], [0.3, 0.2], [0.1, 0.6]])
    assert Mode()(levels, shares, levels).tolist() == [0.0, 0.0]
    angles = torch.tensor([[350.0], [10.0]])
    found = Direction(0.0, 360.0)(angles, torch.full((2, 1), 0.5), angles)
    assert min(found.item(), 360 - found.item()) == pytest.approx(0.0, abs=1e-3)


def test_each_feature_has_its_point():
    model, guide, x = data(10, 0.3)
    points = [Mean(), Median(), Median(), Mean(), Mean()]
    mixed = impute(model, guide, x, 0, points=points, particles=500, progress=False).point
    mean = impute(model, guide, x, 0, particles=500, progress=False).point
    np.testing.assert_allclose(mixed[:, [0, 3, 4]], mean[:, [0, 3, 4]], rtol=1e-12)
    holes_of = np.isnan(x.numpy())[:, [1, 2]]
    assert (mixed[:, [1, 2]][holes_of] != mean[:, [1, 2]][holes_of]).all()
    np.testing.assert_allclose(mixed, mean, atol=0.3)


def test_the_density_of_all_entries_is_that_of_one_given_those_before():
    model, guide, x = data(4, 0.0)
    found = log_likelihood(model, guide, x, 2000, progress=False).weights.estimate
    expected = scipy.stats.multivariate_normal(
        model.decoder.head.bias.detach(),
        (model.decoder.head.weight @ model.decoder.head.weight.T).detach() + 0.16 * torch.eye(5),
    ).logpdf(x)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_what_a_datum_is_filled_with_depends_on_nothing_but_itself():
    model, guide, x = data(40, 0.4)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    one = impute(model, guide, x, 4, points=Median(), particles=60, progress=False)
    other = impute(model, guide, x[order], 4, points=Median(), particles=60, progress=False, memory=2**18)
    np.testing.assert_allclose(one.point[order], other.point, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.draws[:, order], other.draws, rtol=0, atol=1e-9)


def test_imputations_of_different_rows_are_independent():
    model, guide, x = data(1, 0.0)
    x[0, 1] = torch.nan
    found = impute(model, guide, x.repeat(200, 1), 40, particles=60, progress=False, memory=2**20)
    draws = found.draws[:, :, 1]
    assert abs(np.corrcoef(draws[:, :100].ravel(), draws[:, 100:].ravel())[0, 1]) < 0.06
    # The mean over rows varies between imputations as a mean of independent draws does.
    assert draws.mean(1).std() == pytest.approx(draws.std() / 200**0.5, rel=0.5)


def test_an_entry_that_is_run_again_keeps_the_flag_of_its_datum():
    model, guide, x = data(20, share=0.0)
    found = conditional_scores(model, guide, x * 3, 50, proposal=Amortised(), progress=False)
    assert found.whole.flagged.any()
    assert found.flagged[found.whole.flagged].all()


def test_no_data_have_no_scores():
    model, guide, x = data(4, share=0.0)
    assert impute(model, guide, x[:0], 2, progress=False).point.shape == (0, 5)
    with pytest.raises(UsageError, match="with N ≥ 1"):
        conditional_scores(model, guide, x[:0], progress=False)
