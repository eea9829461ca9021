"""Annealed importance sampling with Hamiltonian transitions: the slow estimate that others are held against."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.joint import Joint
from obsvae.inference.likelihood.proposals import Proposal, Sampler, at_least
from obsvae.inference.likelihood.refined import Refined

# How much wider than the fitted Normal the chains start.
_WIDENED = 1.1
# Steps grow where more than this is accepted, and shrink where less is, faster: they settle somewhat below.
_ACCEPTANCE, _LONGER, _SHORTER = 0.75, 1.05, 0.87
_FIRST_STEP = 0.3
# Greatest relative change of a trajectory's step size, at random: at some fixed sizes a chain returns to its start.
_JITTER = 0.2


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
        at_least(1, temperatures=self.temperatures, leapfrog=self.leapfrog)
        at_least(2, pilot=self.pilot)
        at_least(0, spread=self.spread)

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
        start = _Start(joint, self.start)
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

    def __init__(self, parts: "Sequence[tuple[Tensor, Chains]]", spent: Tensor) -> None:
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


class _Start:
    """Where chains start: the prior, or a Normal N(loc, root rootᵀ) for each datum, and how to precondition them."""

    def __init__(self, joint: Joint, fitted_by: Refined | None) -> None:
        self.is_prior = fitted_by is None
        if fitted_by is None:
            prior = joint.model.prior()
            self.spent = torch.zeros(len(joint), dtype=torch.long)
            self.loc = torch.zeros_like(prior.sample(torch.Size((len(joint),))))
            one = torch.eye(self.loc.shape[-1], dtype=self.loc.dtype, device=self.loc.device)
            self.root = one.expand(len(joint), -1, -1)
        else:
            fit = fitted_by.fit(joint)
            self.spent, self.loc, self.root = fit.evaluations, fit.loc, _WIDENED * fit.root.to(fit.loc)

    def select(self, which: Tensor) -> "_Start":
        """Return those of some of the data."""
        part = copy.copy(self)
        part.spent, part.loc, part.root = self.spent[which], self.loc[which], self.root[which]
        return part


@dataclass
class _State:
    """Chains at u ``(k, B, D)``, with log p(x, z) and log q(z) ``(k, B)`` and their gradients in u."""

    u: Tensor
    log_p: Tensor
    log_q: Tensor
    p_slope: Tensor
    q_slope: Tensor

    def tempered(self, beta: float) -> tuple[Tensor, Tensor]:
        """Return log f and its gradient."""
        return (1 - beta) * self.log_q + beta * self.log_p, (1 - beta) * self.q_slope + beta * self.p_slope

    def where(self, accepted: Tensor, other: "_State") -> "_State":
        """Return the other state where it is accepted ``(k, B)``, and this one elsewhere."""
        values = {}
        for name, old in vars(self).items():
            new = getattr(other, name)
            values[name] = torch.where(accepted.unsqueeze(-1) if old.ndim > accepted.ndim else accepted, new, old)
        return _State(**values)


class Chains:
    """Chains with T temperatures: forward from q, or, from a draw of the posterior, in reverse."""

    def __init__(self, joint: Joint, start: _Start, temperatures: int, leapfrog: int) -> None:
        self.joint, self.leapfrog = joint, leapfrog
        self.prior = joint.model.prior() if start.is_prior else None
        self.loc, self.root = start.loc, start.root
        sigmoid = torch.linspace(-4.0, 4.0, temperatures + 1, dtype=torch.float64).sigmoid()
        self.betas = ((sigmoid - sigmoid[0]) / (sigmoid[-1] - sigmoid[0])).tolist()
        self.steps = [torch.full_like(self.loc[:, 0], _FIRST_STEP)]
        self.evaluations = (temperatures - 1) * leapfrog + 1

    def select(self, which: Tensor) -> "Chains":
        """Return those of some of the data ``(b,)``."""
        part = copy.copy(self)
        part.joint, part.loc, part.root = self.joint.select(which), self.loc[which], self.root[which]
        part.steps = [step[which] for step in self.steps]
        return part

    def adapt(self, pilot: int) -> Tensor:
        """Set the step sizes by pilot chains, and return the spread of their log-weights, ``(B,)``."""
        state = self._at(self._start(pilot))
        log_w = self._gain(state, 1)
        for t, beta in enumerate(self.betas[1:-1], 1):
            step = self.steps[-1]
            state, acceptance = self._move(state, beta, step)
            log_w += self._gain(state, t + 1)
            self.steps.append(step * torch.where(acceptance > _ACCEPTANCE, _LONGER, _SHORTER))
        return log_w.std(0).cpu()

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        """Return the ends of k chains ``(k, B, D)`` and their log-weights ``(k, B)``."""
        state = self._at(self._start(k))
        log_w = self._gain(state, 1)
        for t in range(1, len(self.betas) - 1):
            state, _ = self._move(state, self.betas[t], self.steps[t])
            log_w += self._gain(state, t + 1)
        return self._z(state.u), log_w

    def reversed(self, z: Tensor, k: int) -> Tensor:
        """Return the log-weights ``(k, B)`` of k chains that start at draws z ``(B, D)`` of the posterior."""
        away = (z - self.loc).unsqueeze(-1)
        u = torch.linalg.solve_triangular(self.root.double(), away.double(), upper=True).squeeze(-1).to(z)
        state = self._at(u.expand(k, *u.shape))
        T = len(self.betas) - 1
        log_w = self._gain(state, T)
        for t in range(T - 1, 0, -1):
            state, _ = self._move(state, self.betas[t], self.steps[t])
            log_w += self._gain(state, t)
        return log_w

    def _start(self, k: int) -> Tensor:
        if self.prior is not None:
            return torch.stack(self.joint.from_prior(torch.full((len(self.loc),), k)), 1)
        return self.joint.streams.normal(k, self.loc)

    def _z(self, u: Tensor) -> Tensor:
        return self.loc + (self.root @ u.permute(1, 2, 0)).permute(2, 0, 1)

    def _at(self, u: Tensor) -> _State:
        log_p, slope = self.joint.gradient(self._z(u))
        slope = (self.root.mT @ slope.permute(1, 2, 0)).permute(2, 0, 1)
        if self.prior is None:
            log_det = self.root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
            log_q = -0.5 * u.square().sum(-1) - 0.5 * u.shape[-1] * math.log(2 * math.pi) - log_det
            return _State(u, log_p, log_q, slope, -u)
        with torch.enable_grad():
            z = u.detach().requires_grad_()
            log_q = self.prior.log_prob(z)
            # A uniform prior has no slope.
            q_slope = torch.autograd.grad(log_q.sum(), z)[0] if log_q.requires_grad else torch.zeros_like(z)
        return _State(u, log_p, log_q.detach(), slope, q_slope)

    def _gain(self, state: _State, t: int) -> Tensor:
        """Return what the step from temperature t − 1 to t adds to the log-weights."""
        return (self.betas[t] - self.betas[t - 1]) * (state.log_p.double() - state.log_q)

    def _move(self, state: _State, beta: float, step: Tensor) -> tuple[_State, Tensor]:
        """Return the chains after a Hamiltonian transition, and the share that was accepted ``(B,)``."""
        momentum = self.joint.streams.normal(len(state.u), state.u)
        log_f, slope = state.tempered(beta)
        before = log_f - 0.5 * momentum.square().sum(-1)
        jitter, level = self.joint.streams.uniform(2 * len(state.u), state.u).unflatten(0, (2, -1))  # (k, B) each
        length = (step * (1.0 + _JITTER * (2.0 * jitter - 1.0))).unsqueeze(-1)  # (k, B, 1)
        moved = state
        for _ in range(self.leapfrog):
            momentum = momentum + 0.5 * length * slope
            moved = self._at(moved.u + length * momentum)
            log_f, slope = moved.tempered(beta)
            momentum = momentum + 0.5 * length * slope
        # A trajectory that overflows is rejected.
        ratio = (log_f - 0.5 * momentum.square().sum(-1) - before).exp().clamp(max=1.0).nan_to_num(0.0)
        accepted = level < ratio
        return state.where(accepted, moved), ratio.mean(0)
