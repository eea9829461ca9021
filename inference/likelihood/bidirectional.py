"""Lower and upper bounds of log p(x) on data drawn from the model, by annealing there and back."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.inference.latents.draws import simulate
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, diagnose
from obsvae.inference.likelihood.estimate import prepared
from obsvae.inference.likelihood.proposals.annealed import Annealed
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.modes import evaluating, seeded


@dataclass(frozen=True)
class Bracket:
    """Data drawn from the model, and bounds of their log p(x) in nats.

    Attributes:
        x: the data, ``(N, *event)``.
        lower: the weights of the forward chains; ``estimate`` is a lower bound in expectation.
        upper: the inverse weights of the reverse chains; minus ``estimate`` is an upper bound in expectation. Its
            standard error takes them for independent, though all start at the same z: it is too small.
    """

    x: Tensor
    lower: WeightDiagnostics
    upper: WeightDiagnostics

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper bound of each datum, ``(N,)``."""
        return self.lower.estimate, -self.upper.estimate


def bidirectional(
    model: GenerativeModel,
    guide: AmortisedGuide,
    n: int,
    particles: int = 16,
    *,
    c: Tensor | None = None,
    proposal: Annealed | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> Bracket:
    r"""Bracket log p(x) of n data that are drawn from the model.

    The z that a datum was made from is an exact draw of its posterior. Chains that run from it to q, in reverse, give
    an upper bound where chains from q give a lower one:

    .. math:: \operatorname{E}\Big[\log \frac{1}{K} \sum_k w_k\Big] \le \log p(x) \le
              \operatorname{E}\Big[-\log \frac{1}{K} \sum_k \frac{1}{w'_k}\Big]

    Args:
        model: the generative model.
        guide: its guide.
        n: how many data to draw, at least 1.
        particles: K, chains of each datum in each direction.
        c: conditions of the data to draw ``(n, C)``, such as those of held-out ones; None where the model has none.
        proposal: the annealing, by default ``Annealed()``.
        memory: as :func:`log_likelihood` takes it.
        seed: of the data and of the chains.
        progress: show a progress bar where standard error is a terminal.

    Raises:
        UsageError, MeasureMismatch: as :func:`log_likelihood` does.

    Reference: Grosse, Ghahramani and Adams, *Sandwiching the marginal likelihood using bidirectional Monte Carlo*,
    2015.
    """
    if n < 1:
        raise UsageError(f"at least 1 datum must be drawn, but n={n}")
    proposal = Annealed() if proposal is None else proposal
    model.require_likelihood()
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        z, x = simulate(model, n, c=c)
        # The chains must not draw again what the data were drawn by.
        chain_seed = int(torch.randint(2**62, ()))
    there, back = list[WeightDiagnostics](), list[WeightDiagnostics]()
    with (
        prepared(model, guide, x, particles, proposal, memory, chain_seed, c) as (whole, at_once),
        tqdm(total=n, unit="datum", disable=None if progress else True) as bar,
    ):
        for which in torch.arange(n).split(at_once):
            chains = proposal(whole.select(which))
            there.append(diagnose(chains(particles)[1].double().cpu().numpy()))
            back.append(diagnose(-chains.reversed(z[which], particles).double().cpu().numpy()))
            bar.update(len(which))
    return Bracket(x, _joined(there), _joined(back))


def _joined(pieces: list[WeightDiagnostics]) -> WeightDiagnostics:
    return WeightDiagnostics(
        **{f.name: np.concatenate([getattr(p, f.name) for p in pieces]) for f in fields(WeightDiagnostics)}
    )
