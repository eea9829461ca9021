"""What each column says by itself: the family of its observation, fitted to it alone."""

import numpy as np
import torch
from torch import Tensor

from obsvae.data import Dataset
from obsvae.experiments.use.fitted import fitted_outputs
from obsvae.inference.modes import unchecked
from obsvae.model import make_observation, on_grid
from obsvae.modes import seeded

# About how many values the fit looks at.
_VALUES = 2_000_000


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
    with seeded(seed, torch.device("cpu")):
        train = data.train.cpu()
        some = train[torch.randperm(len(train))[: max(100, _VALUES // max(1, train[0].numel()))]]
    with torch.no_grad():
        start = made.initialise(train)
    eta = fitted_outputs(made, some, start)
    with torch.no_grad(), unchecked():
        scored = on_grid(made, data.grids)
        log_p = scored(eta.expand(len(x), *eta.shape)).log_prob(x.cpu()).double()
    return torch.where(torch.isnan(x.cpu()), torch.nan, log_p).numpy()
