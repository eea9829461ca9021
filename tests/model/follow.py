"""Whether samples follow a mass."""

import scipy.stats


def assert_levels_follow(observed, expected):
    """Check counts of levels by chi-square, those that are rare together."""
    assert observed.sum() == round(expected.sum())
    rare = expected < 5  # chi-square is no approximation there
    assert observed[rare].sum() <= 5 * rare.sum() + 15
    if (~rare).sum() > 1:
        f = expected[~rare] * observed[~rare].sum() / expected[~rare].sum()
        assert scipy.stats.chisquare(observed[~rare], f).pvalue > 1e-4
