"""Simulation-based calibration: whether a posterior is as wide as it ought to be, on data drawn from the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.checks.band import simultaneous_band
from obsvae.inference.export.arviz_tree import resampled
from obsvae.inference.latents.draws import simulate
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics
from obsvae.inference.likelihood.estimate import log_likelihood, prepared
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.inference.likelihood.proposals.refined import Refined
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior
from obsvae.modes import evaluating, seeded
from obsvae.whole_numbers import whole

if TYPE_CHECKING:
    import xarray as xr

# From this share of flagged data on, the particles may be at fault.
_FLAGGED = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    r"""Ranks of the truth among draws from a posterior, each uniform on 0 … L where that posterior is right.

    Attributes:
        ranks: ``(n, D + 1)`` by posterior: the rank of each latent, and of log p(x, z). Data whose particles have no
            usable weight are left out of the particles' posterior, and of no other.
        draws: L.
        weights: diagnostics of the importance weights, for each posterior whose draws are resampled by weight.
        seed: of all draws.
    """

    ranks: Mapping[str, np.ndarray]
    draws: int
    weights: Mapping[str, WeightDiagnostics]
    seed: int = 0

    def transforms(self, name: str) -> dict[str, np.ndarray]:
        """Return the ranks of a posterior as values in (0, 1), uniform within each, ``(n,)`` by quantity."""
        ranks = self.ranks[name]
        v = np.random.default_rng(self.seed).uniform(size=ranks.shape)
        names = [*(f"z[{d}]" for d in range(ranks.shape[1] - 1)), "log p(x, z)"]
        return dict(zip(names, ((ranks + v) / (self.draws + 1)).T, strict=True))

    def outside(self, name: str) -> list[str]:
        """Return the quantities whose distribution function leaves the simultaneous 95 % band."""
        band = simultaneous_band(len(self.ranks[name]))
        return [quantity for quantity, values in self.transforms(name).items() if band.is_left_by(values)]

    def doubt(self) -> list[str]:
        """Return the posteriors whose ranks may leave the band although the posterior is right.

        Resampled draws are no better than the particles. These are in doubt where their median ESS is below L, or where
        more than a tenth of the data are flagged. Particles that lie to one side of the posterior may bend the curves
        even without these signs.
        """
        return [
            name for name, w in self.weights.items() if np.median(w.ess) < self.draws or w.flagged.mean() > _FLAGGED
        ]

    def to_arviz(self, name: str) -> "xr.DataTree":
        """Return the transforms of a posterior as the group ``prior_sbc``, for ``az.plot_ecdf_pit``."""
        import xarray as xr  # takes half a second to load

        *latents, joint = self.transforms(name).values()
        variables = {
            "z": (("chain", "draw", "latent"), np.stack(latents, 1)[None]),
            "log_joint": (("chain", "draw"), joint[None]),
        }
        sizes = {"chain": 1, "draw": len(joint), "latent": len(latents)}
        coordinates = {dim: np.arange(size) for dim, size in sizes.items()}
        return xr.DataTree.from_dict({"prior_sbc": xr.Dataset(variables, coordinates)})


def calibrate(
    model: GenerativeModel,
    guide: AmortisedGuide,
    n: int = 200,
    draws: int = 99,
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    particles: int = 1000,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> Calibration:
    r"""Draw z and x from the model, and rank each z among draws from the guide, and from the weighted particles.

    .. math:: z \sim p(z), \quad x \sim p(x \mid z), \quad z_1, \dots, z_L \sim q(z \mid x), \qquad
              r = \#\{l : f(z_l, x) < f(z, x)\}, \qquad f \in \{z_d,\; \log p(x, z)\}

    A posterior that is too narrow puts too many ranks at the ends. log p(x, z) sees what no single latent does, such as
    a posterior that is as wide as the prior.

    Args:
        model: the generative model.
        guide: its guide; its draws are ranked as they are, under the name ``guide``.
        n: how many data to draw.
        draws: L, draws from each posterior.
        c: conditions of the data to draw ``(n, C)``, such as those of held-out ones; None where the model has none.
        proposal: whose particles, resampled by Pareto smoothed weights, are the other posterior, under its own name;
            :class:`Refined` by default.
        particles: K, large enough for an effective sample size of many times L.
        memory: bound in bytes, as that of :func:`log_likelihood`.
        seed: of all draws.
        progress: show a progress bar.

    Raises:
        UsageError: for n < 2 or draws < 1, simulated data that are not finite, fewer than 2 data with usable weights,
            and as :func:`log_likelihood` does.

    References: Talts, Betancourt, Simpson, Vehtari and Gelman, *Validating Bayesian inference algorithms with
    simulation-based calibration*, 2018; Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari,
    *Simulation-based calibration checking for Bayesian computation: the choice of test quantities shapes sensitivity*,
    Bayesian Analysis 2025 (log p(x, z)).
    """
    whole("n", n, least=2)
    whole("draws", draws)
    proposal = Refined() if proposal is None else proposal
    model.require_likelihood()
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        z, x = simulate(model, n, c=c)
        if wrong := int((~torch.isfinite(x)).flatten(1).any(1).sum()):
            raise UsageError(
                f"{wrong} of {n} simulated data hold values that are not finite: there is nothing to calibrate on; the "
                "decoder overflows, or its tails are heavier than the numbers can hold"
            )
        raw = posterior(guide, x, c).sample(torch.Size((draws,)))
        # The particles must not draw again what the data were drawn by.
        particle_seed = int(torch.randint(2**62, ()))
    likelihood = log_likelihood(
        model,
        guide,
        x,
        particles,
        c=c,
        proposal=proposal,
        memory=memory,
        keep_weights=n,
        keep_particles=n,
        seed=particle_seed,
        progress=progress,
    )
    usable = likelihood.weights.usable
    if usable.sum() < 2:
        raise UsageError(
            f"calibration needs at least 2 data with usable weights, but {usable.sum()} of {n} simulated data have: "
            "the model draws data to which the particles give no probability"
        )
    drawn = {"guide": raw, proposal.name: torch.from_numpy(resampled(likelihood, n, draws, particle_seed)).to(x)}
    ranked = {"guide": np.ones_like(usable), proposal.name: usable}
    ranks = {}
    with prepared(model, guide, x, draws, proposal, memory, seed, c) as (joint, _):
        truth = torch.cat([z, joint.log_prob(z[None])[0].unsqueeze(-1)], -1)
        for name, z_l in drawn.items():
            among = torch.cat([z_l, joint.log_prob(z_l).unsqueeze(-1)], -1)  # (L, n, D + 1)
            ranks[name] = (among < truth).sum(0).cpu().numpy()[ranked[name]]
    return Calibration(ranks, draws, {proposal.name: likelihood.weights}, seed)
