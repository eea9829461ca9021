"""The categorical mass, normalised in one pass."""

import pyro.distributions as dist
import torch
from torch import Size, Tensor
from torch.nn import functional as F

from obsvae.distribution import Shape


class Categorical(dist.Categorical):
    r"""The categorical mass, from logits.

    .. math:: \log p(x = k) = \ell_k - \log \sum_{j < C} e^{\ell_j}

    It differs from torch's in the normalisation, for which torch copies the logits several times: with 256 levels that
    took a fifth of a training step of the output layer.

    Args:
        logits: ℓ, shape ``(*batch, C)``.
    """

    def __init__(self, logits: Tensor, validate_args: bool | None = None) -> None:
        self._param = self.logits = F.log_softmax(logits, -1)
        self._num_events = logits.shape[-1]
        torch.distributions.Distribution.__init__(self, logits.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "Categorical | None" = None) -> "Categorical":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(Categorical, _instance)
        new._param = new.logits = self.logits.expand((*batch_shape, self._num_events))
        new._num_events = self._num_events
        torch.distributions.Distribution.__init__(new, Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new
