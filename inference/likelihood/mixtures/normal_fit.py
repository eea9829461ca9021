"""The Normal that is nearest to a posterior, for each datum of a batch."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.diagnostics import usable_or_zero

# Step lengths that are tried along the Gauss-Newton direction.
_LENGTHS = (1.0, 0.5, 0.25, 0.1, 0.03)
# A climb ends where a step gains less than this: a draw from the posterior itself lies D / 2 nats below the mode.
_GAIN_NATS = 1.0
# Latent dimensions up to which the decoder's own curvature is looked at, by as many second derivatives.
_BENT = 8
# Weight of the newest curvature and gradient in the running average, and how it falls.
_RATE, _DECAY = 1.0, 0.3


@dataclass
class NormalFit:
    """N(m, Λ⁻¹) for each of B data.

    Attributes:
        loc: m, ``(B, D)``.
        precision: Λ, ``(B, D, D)``, in double precision.
        root: R, upper triangular, with Λ⁻¹ = R Rᵀ, likewise.
        evaluations: how often p(x, z) was evaluated for each datum, ``(B,)``, a Jacobian counting once.
    """

    loc: Tensor
    precision: Tensor
    root: Tensor
    evaluations: Tensor

    def select(self, which: Tensor) -> "NormalFit":
        """Return the fits of some of the data, by index ``(b,)``."""
        return NormalFit(self.loc[which], self.precision[which], self.root[which], self.evaluations[which.cpu()])


def climb(joint: Joint, z: Tensor, steps: int) -> tuple[NormalFit, Tensor]:
    r"""Go up log p(x, z) by Gauss-Newton steps with a line search.

    Returns the end of the climb, with the curvature of the step before (the last step is short), and log p(x, z) at the
    end ``(B,)``. With few latents the curvature is that at the end, with the decoder's own, where the sum is positive
    definite.

    Args:
        joint: of B data.
        z: where to start, ``(B, D)``.
        steps: greatest number of steps; a datum that gains less than one nat by a step is done.

    Reference: Nocedal and Wright, *Numerical optimization*, 2006, section 10.3.
    """
    z = z.clone()
    log_p = usable_or_zero(joint.log_prob(z[None])[0])
    precision = z.new_zeros(*z.shape, z.shape[-1], dtype=torch.float64)
    root = torch.zeros_like(precision)
    evaluations = torch.ones(len(z), dtype=torch.long)
    lengths = torch.tensor(_LENGTHS, dtype=z.dtype, device=z.device).view(-1, 1, 1)
    active = torch.arange(len(z), device=z.device)
    for _ in range(steps):
        part = joint.select(active)
        gradient, curvature = part.linearise(z[active])
        precision[active], root[active] = _with_root(curvature.double())
        direction = _solve(root[active], gradient)
        tried = z[active] + lengths * direction  # (lengths, b, D)
        found, which = usable_or_zero(part.log_prob(tried)).max(0)
        gain = torch.where(found > log_p[active], found - log_p[active], 0.0)  # infinite from where nothing was known
        better = tried.gather(0, which.view(1, -1, 1).expand(1, *direction.shape))[0]
        z[active] = torch.where((gain > 0).unsqueeze(-1), better, z[active])
        log_p[active] = torch.where(gain > 0, found, log_p[active])
        evaluations[active.cpu()] += 1 + len(_LENGTHS)
        active = active[gain > _GAIN_NATS]
        if not len(active):
            break
    if z.shape[-1] <= _BENT:
        # The step before may have started where the decoder is flat.
        _, curvature = joint.linearise(z)
        bent = curvature + joint.bend(z)
        bent = torch.where(torch.linalg.cholesky_ex(bent.double())[1][:, None, None] == 0, bent, curvature)
        precision, root = _with_root(bent.double())
        evaluations += 2
    return NormalFit(z, precision, root, evaluations), log_p


def settle(joint: Joint, fit: NormalFit, steps: int) -> NormalFit:
    r"""Move a Normal towards the one with the least KL(q ‖ p), by natural gradient steps.

    .. math:: \Lambda \leftarrow (1 - \rho)\, \Lambda + \rho \operatorname{E}_q[H(z)], \qquad
              m \leftarrow m + \rho\, \Lambda^{-1} \operatorname{E}_q[\nabla \log p(x, z)]

    with H from :meth:`Joint.linearise` and the averages taken over a pair z = m ± R ε. Unlike the mode and the
    curvature there, they look at the whole width of q, over which the kinks of a ReLU network even out.

    Reference: Khan and Rue, *The Bayesian learning rule*, JMLR 2023, section 4.1; Opper and Archambeau, *The
    variational Gaussian approximation revisited*, Neural Computation 2009.
    """
    loc, precision, root = fit.loc, fit.precision, fit.root
    both = joint.select(torch.arange(len(joint), device=loc.device).repeat(2))
    for step in range(steps):
        rate = _RATE / (2.0 + step * _DECAY)
        noise = (root @ joint.streams.normal(1, loc)[0].double().unsqueeze(-1)).squeeze(-1).to(loc)
        gradient, curvature = both.linearise(torch.cat([loc + noise, loc - noise]))
        gradient, curvature = (t.nan_to_num(0.0, 0.0, 0.0).unflatten(0, (2, -1)).mean(0) for t in (gradient, curvature))
        precision, root = _with_root((1.0 - rate) * precision + rate * curvature.double())
        whitened = rate * (root.mT @ gradient.double().unsqueeze(-1))
        # A step as long as the Normal is wide would leave what it has just looked at.
        shortened = (math.sqrt(loc.shape[-1]) / whitened.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1.0)
        loc = loc + (root @ (shortened * whitened)).squeeze(-1).to(loc)
    return NormalFit(loc, precision, root, fit.evaluations + 2 * steps)


def _with_root(precision: Tensor) -> tuple[Tensor, Tensor]:
    """Return Λ and R, upper triangular, with Λ⁻¹ = R Rᵀ, in double precision.

    Where Λ is not positive definite, as it may be where the prior is not log-concave, its eigenvalues become so.
    """
    lower, failed = torch.linalg.cholesky_ex(precision)
    if failed.any():
        which = failed > 0
        precision, lower = precision.clone(), lower.clone()
        precision[which] = _raised(precision[which])
        lower[which] = torch.linalg.cholesky(precision[which])
    one = torch.eye(precision.shape[-1], dtype=torch.float64, device=precision.device).expand_as(precision)
    return precision, torch.linalg.solve_triangular(lower.mT, one, upper=True)


def _raised(matrix: Tensor) -> Tensor:
    """Return a matrix with the sizes of its eigenvalues, none of them near 0: a step along them goes up all the same.

    Reference: Nocedal and Wright, *Numerical optimization*, 2006, section 3.4.
    """
    # Entries that are not finite come from a decoder that overflows: the curvature is unknown, as weights will show.
    one = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    finite = torch.isfinite(matrix).all(-1).all(-1)[:, None, None]
    values, vectors = torch.linalg.eigh(torch.where(finite, matrix, one))
    sizes = values.abs()
    floor = 1e-6 * sizes.amax(-1, keepdim=True).clamp(min=1.0)
    raised = (vectors * torch.maximum(sizes, floor).unsqueeze(-2)) @ vectors.mT
    return (raised + raised.mT) / 2


def _solve(root: Tensor, gradient: Tensor) -> Tensor:
    """Return Λ⁻¹ g, ``(B, D)``, by the root of Λ⁻¹."""
    return (root @ (root.mT @ gradient.double().unsqueeze(-1))).squeeze(-1).to(gradient)
