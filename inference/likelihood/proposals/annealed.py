"""Annealed importance sampling with Hamiltonian transitions: the slow estimate that others are held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.proposals.base import Proposal, Sampler
from obsvae.inference.likelihood.proposals.chains import Chains, Start
from obsvae.inference.likelihood.proposals.refined import Refined
from obsvae.whole_numbers import require_number, whole


@dataclass(frozen=True)
class Annealed(Proposal):
    r"""Annealed importance sampling: K chains for each datum, from the prior to the posterior.

    .. math:: f_t(z) = q(z)^{1 - \beta_t}\, p(x, z)^{\beta_t}, \qquad
              \log w = \sum_{t=1}^{T} (\beta_t - \beta_{t-1}) \big[\log p(x, z_{t-1}) - \log q(z_{t-1})\big]

    z_0 is a draw from q, the prior, and z_t comes from z_{t−1} by Hamiltonian Monte Carlo that leaves f_t invariant.
    Pilot chains adapt the step sizes to each datum and temperature; where their log-weights do not agree, T is doubled
    for this datum. Then both are fixed, but for a jitter of the steps, so that E[w] = p(x).

    Chains from the prior know nothing of other proposals, and may judge them. Chains from a :class:`Refined` fit need
    fewer temperatures, but know the same mode: what both miss shows as agreement.

    Args:
        temperatures: T to begin with, at least 1; β follows a sigmoid, dense at both ends.
        most: greatest T.
        leapfrog: leapfrog steps of a transition.
        pilot: number of pilot chains, at least 2.
        spread: greatest standard deviation of the pilot chains' log-weights, in nats.
        start: what fits the Normal that, widened by a tenth, is q, and whose covariance preconditions the transitions;
            None for the prior, without preconditioning.

    References: Neal, *Annealed importance sampling*, Statistics and Computing 2001; Wu, Burda, Salakhutdinov and
    Grosse, *On the quantitative analysis of decoder-based generative models*, ICLR 2017.
    """

    name: ClassVar[str] = "ais"
    remedy: ClassVar[str] = "take more temperatures or more chains"
    temperatures: int = 200
    most: int = 3200
    leapfrog: int = 5
    pilot: int = 8
    spread: float = 1.0
    start: Refined | None = None

    def __post_init__(self) -> None:
        for name in ("temperatures", "leapfrog"):
            whole(name, getattr(self, name))
        whole("pilot", self.pilot, least=2)
        require_number("spread", self.spread, least=0)
        if whole("most", self.most) < self.temperatures:
            raise UsageError(
                f"most needs to be at least the {self.temperatures} temperatures to begin with, but got {self.most}; "
                "raise it, or begin with fewer temperatures"
            )
        if not (self.start is None or isinstance(self.start, Refined)):
            raise UsageError(f"start needs to be None, for the prior, or a Refined(), but got {self.start!r}")

    def __call__(self, joint: Joint) -> "Annealing":
        """Return a sampler of chains, adapted to each datum.

        Raises:
            UsageError: where log p(x, z) is itself random, as with dequantisation: no transition leaves it invariant.
        """
        if joint.model.is_bound:
            raise UsageError(
                "annealing needs a log-density without noise of its own, which dequantisation adds; take the refined "
                "proposal"
            )
        start = Start(joint, self.start)
        spent, parts = start.spent.clone(), list[tuple[Tensor, Chains]]()
        which, T = torch.arange(len(joint)), self.temperatures
        while len(which):
            chains = Chains(joint.select(which), start.select(which), T, self.leapfrog)
            spread = chains.adapt(self.pilot)
            spent[which] += self.pilot * chains.evaluations
            # Written so that a spread that is no number asks for more temperatures, too.
            again = ~(spread <= self.spread) if self.most >= 2 * T else torch.zeros_like(spread, dtype=torch.bool)
            done = (~again).nonzero().squeeze(-1)
            parts.append((which[done], chains.select(done)))
            which, T = which[again], 2 * T
        return Annealing(parts, spent)

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return the bytes of a datum's chains, step sizes and matrices."""
        fitting = self.start.state_bytes(latent, particles) if self.start else 0
        return max(particles, self.pilot) * latent * 4 * 12 + max(self.most, self.temperatures) * 4 + fitting


class Annealing(Sampler):
    """The chains of a batch of data, in groups with the same number of temperatures."""

    def __init__(self, parts: Sequence[tuple[Tensor, Chains]], spent: Tensor) -> None:
        self.parts, self.spent = [(which, chains) for which, chains in parts if len(which)], spent
        self.evaluations = torch.zeros_like(spent)
        for which, chains in self.parts:
            self.evaluations[which] = chains.evaluations

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        """Return the ends of k chains ``(k, B, D)`` and their log-weights ``(k, B)``."""
        ends, log_weights = zip(*(chains(k) for _, chains in self.parts), strict=True)
        return self._in_order(ends), self._in_order(log_weights)

    def reversed(self, z: Tensor, k: int) -> Tensor:
        r"""Return the log-weights ``(k, B)`` of k chains that start at draws z ``(B, D)`` of the posterior.

        Their inverse is unbiased: :math:`\operatorname{E}[1 / w] = 1 / p(x)`.
        """
        return self._in_order([chains.reversed(z[which], k) for which, chains in self.parts])

    def _in_order(self, values: Sequence[Tensor]) -> Tensor:
        """Return values ``(k, b, …)`` of the groups as those of the batch ``(k, B, …)``."""
        order = torch.cat([which for which, _ in self.parts]).argsort()
        return torch.cat(list(values), 1)[:, order]
