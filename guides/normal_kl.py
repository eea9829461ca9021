"""The KL from a Normal to independent Normals."""

from torch import Tensor
from torch.distributions import Independent, Normal


def normal_kl(loc: Tensor, variance: Tensor, log_det: Tensor, p: Independent) -> Tensor:
    """Return KL(q ‖ p) ``(N,)`` of a Normal q to Normals p that are independent over dimensions.

    Args:
        loc: mean of q ``(N, D)``.
        variance: of each dimension of z under q ``(N, D)``.
        log_det: log-determinant of the covariance of q ``(N,)``.
        p: with event shape ``(D,)``.

    Raises:
        NotImplementedError: for another p, which Pyro takes for a sign to estimate the KL by the draws.
    """
    if not isinstance(p.base_dist, Normal) or p.reinterpreted_batch_ndims != 1:
        raise NotImplementedError
    mu, sigma = p.base_dist.loc, p.base_dist.scale
    terms = (variance + (loc - mu).square()) / sigma.square() - 1.0 + 2.0 * sigma.log()
    return 0.5 * (terms.sum(-1) - log_det)
