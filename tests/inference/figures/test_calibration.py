"""The figure of simulation-based calibration."""

import numpy as np
import pytest

from obsvae.inference import Calibration, calibrate, diagnose, plot_calibration


def test_the_figure_names_how_many_leave_the_band(linear_gaussian):
    problem = linear_gaussian()
    figure = plot_calibration(calibrate(problem.model, problem.guide, 30, 9, particles=60, progress=False))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].startswith("guide: ")
    assert titles[1].startswith("refined: ")
    assert all("of 3 quantities leave the band (0.2 by chance)" in title for title in titles)
    assert "median ESS" in titles[1]


@pytest.mark.parametrize(("spread", "doubted"), [(0.1, False), (3.0, True)])
def test_curves_are_the_ranks_and_poor_particles_are_told(spread, doubted):
    n, L = 200, 99
    ranks = np.random.default_rng(0).integers(0, L + 1, (n, 3))
    ranks[:, 2] //= 2  # too low
    weights = diagnose(spread * np.random.default_rng(1).normal(size=(500, n)))
    calibration = Calibration({"refined": ranks}, L, {"refined": weights})
    assert calibration.outside("refined") == ["log p(x, z)"]
    (axes,) = plot_calibration(calibration).axes
    assert axes.get_title().startswith("refined: 1 of 3")
    assert f"particles: median ESS {np.median(weights.ess):.0f}, " in axes.get_title()
    assert ("perhaps at fault" in axes.get_title()) == (calibration.doubt() == ["refined"]) == doubted
    curves = {line.get_label(): line for line in axes.lines}
    at, height = curves["log p(x, z)"].get_data()
    np.testing.assert_allclose(height, [(calibration.transforms("refined")["log p(x, z)"] <= u).mean() - u for u in at])
