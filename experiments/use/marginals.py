"""What each column says by itself: the family of its observation, fitted to it alone."""

import numpy as np
import torch
from torch import Tensor, nn

from obsvae.data import Dataset
from obsvae.inference.modes import unchecked
from obsvae.model import make_observation, on_grid
from obsvae.modes import seeded

# About how many values the fit looks at; steps of Adam that bring it near, their size, and iterations to its end.
_VALUES, _STEPS, _RATE, _ITERATIONS = 2_000_000, 50, 0.05, 500


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
            eta = nn.Parameter(made.initialise(train).clone())
        parameters = [eta, *made.parameters()]
        best, kept = float("inf"), (eta.detach().clone(), made.state_dict())

        def loss_of() -> Tensor:
            """Return minus the mean log-probability, of the columns where it is a number; and keep the best fit."""
            nonlocal best, kept
            of_columns = made(eta.expand(len(some), *eta.shape)).log_prob(some).sum(0) / len(some)
            loss = -torch.where(torch.isfinite(of_columns), of_columns, 0.0).sum()
            if bool(torch.isfinite(of_columns).all()) and loss.item() < best:
                best = loss.item()
                kept = eta.detach().clone(), {name: value.clone() for name, value in made.state_dict().items()}
            return loss

        def step() -> Tensor:
            adam.zero_grad()
            loss = loss_of()
            loss.backward()
            return loss

        adam = torch.optim.Adam(parameters, lr=_RATE, fused=True)
        for _ in range(_STEPS):
            step()
            adam.step()
        # Adam would take thousands of steps to the maximum of a heavy-tailed family or a mixture; L-BFGS takes tens.
        torch.optim.LBFGS(
            parameters, max_iter=_ITERATIONS, tolerance_change=1e-9, history_size=20, line_search_fn="strong_wolfe"
        ).step(step)
        loss_of()
    made.load_state_dict(kept[1])
    with torch.no_grad(), unchecked():
        scored = on_grid(made, data.grids)
        log_p = scored(kept[0].expand(len(x), *eta.shape)).log_prob(x.cpu()).double()
    return torch.where(torch.isnan(x.cpu()), torch.nan, log_p).numpy()
