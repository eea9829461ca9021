"""Chains of Hamiltonian transitions between a start and a posterior."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.proposals.refined import Refined

# How much wider than the fitted Normal the chains start.
_WIDENED = 1.1
# Steps grow where more than this is accepted, and shrink where less is, faster: they settle somewhat below.
_ACCEPTANCE, _LONGER, _SHORTER = 0.75, 1.05, 0.87
_FIRST_STEP = 0.3
# Greatest relative change of a trajectory's step size, at random: at some fixed sizes a chain returns to its start.
_JITTER = 0.2


class Start:
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

    def select(self, which: Tensor) -> "Start":
        """Return those of some of the data."""
        part = copy.copy(self)
        part.spent, part.loc, part.root = self.spent[which], self.loc[which], self.root[which]
        return part


@dataclass
class State:
    """Chains at u ``(k, B, D)``, with log p(x, z) and log q(z) ``(k, B)`` and their gradients in u."""

    u: Tensor
    log_p: Tensor
    log_q: Tensor
    p_slope: Tensor
    q_slope: Tensor

    def tempered(self, beta: float) -> tuple[Tensor, Tensor]:
        """Return log f and its gradient."""
        return (1 - beta) * self.log_q + beta * self.log_p, (1 - beta) * self.q_slope + beta * self.p_slope

    def where(self, accepted: Tensor, other: "State") -> "State":
        """Return the other state where it is accepted ``(k, B)``, and this one elsewhere."""
        values = {}
        for name, old in vars(self).items():
            new = getattr(other, name)
            values[name] = torch.where(accepted.unsqueeze(-1) if old.ndim > accepted.ndim else accepted, new, old)
        return State(**values)


class Chains:
    """Chains with T temperatures: forward from q, or, from a draw of the posterior, in reverse."""

    def __init__(self, joint: Joint, start: Start, temperatures: int, leapfrog: int) -> None:
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

    def _at(self, u: Tensor) -> State:
        log_p, slope = self.joint.gradient(self._z(u))
        slope = (self.root.mT @ slope.permute(1, 2, 0)).permute(2, 0, 1)
        if self.prior is None:
            log_det = self.root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
            log_q = -0.5 * u.square().sum(-1) - 0.5 * u.shape[-1] * math.log(2 * math.pi) - log_det
            return State(u, log_p, log_q, slope, -u)
        with torch.enable_grad():
            z = u.detach().requires_grad_()
            log_q = self.prior.log_prob(z)
            # A uniform prior has no slope.
            q_slope = torch.autograd.grad(log_q.sum(), z)[0] if log_q.requires_grad else torch.zeros_like(z)
        return State(u, log_p, log_q.detach(), slope, q_slope)

    def _gain(self, state: State, t: int) -> Tensor:
        """Return what the step from temperature t − 1 to t adds to the log-weights."""
        return (self.betas[t] - self.betas[t - 1]) * (state.log_p.double() - state.log_q)

    def _move(self, state: State, beta: float, step: Tensor) -> tuple[State, Tensor]:
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
