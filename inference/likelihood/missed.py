"""How much of log p(x) an estimate misses, measured on data whose latents are known."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.inference.conditions import rows_of
from obsvae.inference.latents.draws import simulate
from obsvae.inference.likelihood.estimate import batches_of, prepared
from obsvae.inference.likelihood.proposals.base import Proposal, in_blocks
from obsvae.inference.likelihood.proposals.refined import Refined
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.modes import evaluating, seeded

# A z counts as missed where it weighs this many times as much as the particles on average: it alone would raise the
# estimate of a thousand by a tenth.
_MISSED = math.log(100.0)


@dataclass(frozen=True)
class MissedMass:
    """Two bounds of log p(x) in nats for each of N data that were drawn from the model.

    Both are NaN for a datum that could not be drawn, since the decoder's outputs are not finite at its z.

    Attributes:
        lower: the estimate, a lower bound in expectation, ``(N,)``.
        upper: with the z that the datum was made from in the place of one particle, an upper bound in expectation.
        own: log weight of that z less ``lower``, ``(N,)``.
    """

    lower: np.ndarray
    upper: np.ndarray
    own: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """The upper bound less the lower, ``(N,)``: the mean is how much too low the estimate is at most."""
        return self.upper - self.lower

    @property
    def missed(self) -> np.ndarray:
        """Whether the z was missed, ``(N,)``: it weighs more than a hundred times as much as a particle on average."""
        return self.own > _MISSED

    def summary(self) -> dict[str, float | int]:
        """Return the mean gap with its standard error, the number of missed z, and of how many data.

        ``unusable`` counts data without a gap; the rest is of the ``n`` others.
        """
        gap = self.gap[~np.isnan(self.gap)]
        n = len(gap)
        return {
            "n": n,
            "unusable": len(self.gap) - n,
            "gap": float(gap.mean()) if n else float("nan"),
            "standard_error": float(gap.std(ddof=1) / np.sqrt(n)) if n > 1 and np.isfinite(gap).all() else float("nan"),
            "missed": int(self.missed.sum()),
        }

    def __str__(self) -> str:
        """Return it in a sentence."""
        found = self.summary()
        lost = f"{found['unusable']} of {len(self.gap)} data drawn from the model are not finite, or have no estimate"
        if not found["n"]:
            return lost
        missed = f"{found['missed']} of {found['n']} z were missed"
        if not found["missed"]:
            # Clopper and Pearson's bound where nothing was seen.
            missed += f" (95 %: fewer than {100 * (1 - 0.05 ** (1 / found['n'])):.1f} % of all data from the model)"
        gap = (
            f"on {found['n']} data drawn from the model the estimate is at most {found['gap']:.3f} ± "
            f"{found['standard_error']:.3f} nats too low; {missed}"
        )
        return f"{gap}; {lost}" if found["unusable"] else gap


def missed_mass(
    model: GenerativeModel,
    guide: AmortisedGuide,
    n: int = 200,
    particles: int = 1000,
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> MissedMass:
    r"""Bound log p(x) from both sides on n data that are drawn from the model.

    The z* that a datum was made from is an exact draw of its posterior. In the place of one of the particles,

    .. math:: \operatorname{E}\Big[\log \frac{1}{K} \sum_{k=1}^{K} w_k\Big] \le \log p(x) \le
              \operatorname{E}\Big[\log \frac{1}{K} \Big(w^* + \sum_{k=2}^{K} w_k\Big)\Big], \qquad
              w^* = \frac{p(x, z^*)}{q(z^* \mid x)}

    The upper bound is exact for independent particles. Those of :class:`Refined` are drawn systematically, so that
    their mean weight varies less; the bound is not proven for them.

    A z* in a mode that the proposal has not seen has a weight far above the others': what no diagnostic of the weights
    w_k can tell shows here. It tells of data like the model's own, and of the run as a whole; a single held-out datum
    is judged by :class:`Annealed`.

    Args:
        model: the generative model.
        guide: its guide.
        n: how many data to draw, at least 1.
        particles: K, at least 2.
        c: conditions of the data to draw ``(n, C)``, such as those of held-out ones; None where the model has none.
        proposal: whose particles: :class:`Refined` by default, or :class:`Amortised`.
        memory: as :func:`log_likelihood` takes it.
        seed: of the data and of the particles.
        progress: show a progress bar where standard error is a terminal.
        processes: that share the data, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some data at a time, so that interrupted work goes on.

    Raises:
        UsageError: for fewer than one datum or two particles, a proposal without a density, as that of annealing, a
            density that is itself random, or a model that draws data outside its own support.
        MeasureMismatch: where the observation is not a likelihood.

    Reference: Brekelmans, Huang, Ghassemi, Ver Steeg, Grosse and Makhzani, *Improving mutual information estimation
    with annealed and energy-based bounds*, ICLR 2022, section 3.
    """
    if n < 1 or particles < 2:
        raise UsageError(f"at least 1 datum and 2 particles are needed, but n={n} and particles={particles}")
    if model.is_bound:
        raise UsageError("log p(x) of a model with noise of its own, as dequantisation adds, is itself a bound")
    proposal = Refined() if proposal is None else proposal
    model.require_likelihood()
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        z, x = simulate(model, n, c=c)
        # The particles must not draw again what the data were drawn by.
        particle_seed = int(torch.randint(2**62, ()))
    known = torch.isfinite(x.flatten(1)).all(1).nonzero().squeeze(-1)
    lower, upper, excess = np.full((3, n), np.nan)
    if not len(known):
        return MissedMass(lower, upper, excess)
    K, own_rows, found = np.log(particles), processes.part(len(known)), list[Piece]()
    with (
        prepared(model, guide, x[known], particles, proposal, memory, particle_seed, rows_of(c, known)) as (
            whole,
            at_once,
        ),
        tqdm(
            total=own_rows.stop - own_rows.start, unit="datum", desc="missed mass", disable=None if progress else True
        ) as bar,
    ):
        batches = batches_of(own_rows, at_once)

        def bounded(number: int) -> Piece:
            which = batches[number]
            joint, place = whole.select(which), known[which]
            sampler, drawn = proposal(joint), z[place][None]
            log_w = torch.cat([log_w for _, log_w in in_blocks(sampler, particles)])
            own = (joint.log_prob(drawn) - sampler.log_density(drawn)).double()
            log_w = log_w.double()
            low = log_w.logsumexp(0).cpu().numpy() - K
            high = torch.cat([own, log_w[1:]]).logsumexp(0).cpu().numpy() - K
            return {"rows": place.cpu().numpy(), "lower": low, "upper": high, "excess": own[0].cpu().numpy() - low}

        for which, piece in zip(batches, pieces.each(len(batches), bounded), strict=True):
            found.append(piece)
            bar.update(len(which))
    for piece in (one for some in processes.gather(found) for one in some):
        rows = piece["rows"]
        lower[rows], upper[rows], excess[rows] = piece["lower"], piece["upper"], piece["excess"]
    return MissedMass(lower, upper, excess)
