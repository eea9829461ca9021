"""What each column says by itself: the family of its observation, fitted to it alone."""

import numpy as np
import torch
from torch import Tensor, nn

from obsvae.data import Dataset
from obsvae.inference.modes import unchecked
from obsvae.model import make_observation, on_grid
from obsvae.modes import seeded

# Steps of the fit, their size, and about how many values are looked at in each.
_STEPS, _RATE, _VALUES = 150, 0.03, 2_000_000


def marginal_scores(observation: str, data: Dataset, x: Tensor, *, seed: int = 0) -> np.ndarray:
    r"""Score each entry by its feature's own marginal: the same family, with outputs that do not depend on z.

    .. math:: \log p_d(x_d \mid \hat\eta_d), \qquad
              \hat\eta = \arg\max_\eta \sum_{n \in \text{train}} \log p(x_n \mid \eta)

    What a model says of an entry beyond that it has learned from the other entries of a datum.

    Args:
        observation: of the model, as a text.
        data: what it was trained on.
        x: data ``(N, *event)`` in data units.
        seed: of the choice of training data, where there are many.

    Returns:
        ``(N, *event)`` in nats, NaN where an entry is missing, by the measure that evaluations have.
    """
    made = make_observation(observation, data)
    with torch.enable_grad(), unchecked(), seeded(seed, torch.device("cpu")):
        train = data.train.cpu()
        some = train[torch.randperm(len(train))[: max(100, _VALUES // max(1, train[0].numel()))]]
        with torch.no_grad():
            start = made.initialise(train)
        eta = nn.Parameter(start.clone())
        optimiser = torch.optim.Adam([eta, *made.parameters()], lr=_RATE, fused=True)
        best, kept = float("inf"), (eta.detach().clone(), made.state_dict())
        for _ in range(_STEPS):
            loss = -made(eta.expand(len(some), *eta.shape)).log_prob(some).sum() / len(some)
            if not torch.isfinite(loss):
                break
            if loss.item() < best:
                best = loss.item()
                kept = eta.detach().clone(), {name: value.clone() for name, value in made.state_dict().items()}
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    made.load_state_dict(kept[1])
    with torch.no_grad(), unchecked():
        scored = on_grid(made, data.grids)
        log_p = scored(kept[0].expand(len(x), *eta.shape)).log_prob(x.cpu()).double()
    return torch.where(torch.isnan(x.cpu()), torch.nan, log_p).numpy()
