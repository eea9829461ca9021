"""The guide that is a mixture of Normals."""

from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.mixture_of_normals import MixtureOfNormals
from obsvae.options import WHOLE_NUMBER, Option


class AmortisedMixture(Guide):
    r"""A mixture of K diagonal Normals whose shares and parameters an encoder computes from x.

    .. math:: q(z \mid x) = \sum_{k=1}^{K} \pi_k(x) \prod_{d=1}^{D} \mathcal{N}\big(z_d;\; m_{kd}(x),\;
              s_{kd}(x)^2\big), \qquad s_{kd} = \text{floor} + \operatorname{softplus}(r_{kd})

    Args:
        encoder: a network with K (1 + 2 D) outputs: log π, m and r.
        components: K.
        floor: least standard deviation.

    Raises:
        UsageError: for fewer than one component, or where the encoder has another number of outputs.
    """

    options = (Option("components", WHOLE_NUMBER, 4),)

    def __init__(self, encoder: Encoder, components: int = 4, floor: float = 1e-4) -> None:
        self.outputs(1, components)
        D = latent_of(encoder, f"{components} (1 + 2 D) outputs", (encoder.outputs / components - 1) / 2)
        super().__init__(encoder)
        self.latent, self.components, self.floor = D, components, floor

    @staticmethod
    def outputs(latent: int, components: int = 4) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        if components < 1:
            raise UsageError(f"guide mixture needs components of at least 1, but got {components}")
        return components * (1 + 2 * latent)

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        K, D = self.components, self.latent
        logits, loc, raw = self.encoder(x, c).tensor_split((K, K + K * D), -1)
        scale = self.floor + F.softplus(raw).unflatten(-1, (K, D))
        return MixtureOfNormals(logits, loc.unflatten(-1, (K, D)), scale)
