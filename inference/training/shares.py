"""How much of the ELBO each feature makes up, after each epoch."""

import torch
from torch import Tensor

from obsvae.inference.conditions import batches
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior
from obsvae.inference.training.callbacks import Callback
from obsvae.inference.training.history import History
from obsvae.modes import evaluating, seeded


def elbo_shares(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    c: Tensor | None = None,
    *,
    seed: int = 0,
    batch: int = 500,
) -> Tensor:
    r"""Return the share of each feature in the mean ELBO of data, ``(*event)`` in nats per datum.

    .. math:: \frac{1}{N} \sum_{n=1}^{N} \log p(x_{nd} \mid z_n), \qquad z_n \sim q(z \mid x_n)

    They add up to the ELBO and its KL term together; a missing entry counts 0.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        c: their conditions ``(N, C)``; None where there are none.
        seed: of z.
        batch: how many data at a time.
    """
    total = torch.zeros(x.shape[1:], dtype=torch.float64, device=x.device)
    with torch.no_grad(), evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        for some, given in batches(x, c, batch):
            total += model.given(posterior(guide, some, given).sample(), given).log_prob(some).double().sum(0)
    return total / len(x)


class Shares(Callback):
    """Keeps the share of each feature in the ELBO of validation data, epoch by epoch.

    Args:
        x: validation data ``(N, *event)`` in data units.
        c: their conditions ``(N, C)``; None where there are none.
        seed: of z.

    Attributes:
        epochs: the shares after each epoch, ``(*event)`` each.
    """

    def __init__(self, x: Tensor, c: Tensor | None = None, *, seed: int = 0) -> None:
        self.x, self.c, self.seed = x, c, seed
        self.epochs: list[Tensor] = []

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        """Remember the pair."""
        self.model, self.guide = model, guide

    def on_epoch(self, history: History) -> None:
        """Take the shares that the weights give now."""
        self.epochs.append(elbo_shares(self.model, self.guide, self.x, self.c, seed=self.seed).cpu())
