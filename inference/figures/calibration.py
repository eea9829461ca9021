"""The figure of a calibration: ranks of the truth among draws from each posterior."""

import numpy as np
from matplotlib.figure import Figure

from obsvae.inference.checks.band import BAND
from obsvae.inference.checks.calibration import Calibration
from obsvae.inference.figures.predictive import draw_pit_differences


def plot_calibration(calibration: Calibration) -> Figure:
    """Draw the ranks of each posterior: the distribution functions less the uniform one, with the band of chance.

    Below the band at the left and above it at the right: the posterior is too wide; the other way round: too narrow.
    """
    names = list(calibration.ranks)
    figure = Figure(figsize=(6 * len(names), 4.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), sharey=True, squeeze=False)[0], names, strict=True):
        *latents, (joint_name, joint) = calibration.transforms(name).items()
        draw_pit_differences(axes, {joint_name: joint, **dict(latents)}, emphasised=1)
        n, outside, chance = len(joint), len(calibration.outside(name)), (1 - BAND) * (len(latents) + 1)
        title = f"{name}: {outside} of {len(latents) + 1} quantities leave the band ({chance:.1f} by chance)"
        if name in calibration.weights:
            w = calibration.weights[name]
            title += f"\nparticles: median ESS {np.median(w.ess):.0f}, {w.flagged.mean():.0%} of data flagged"
            title += ", perhaps at fault" if name in calibration.doubt() else ""
        axes.set_title(title, fontsize=10, pad=22)
        axes.set_xlabel(f"rank of the truth among {calibration.draws} draws, as a share")
        axes.set_ylabel(f"share of {n} data below, less u")
    return figure
