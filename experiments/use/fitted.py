"""An observation fitted to data without a latent: its outputs are constants, or linear in some inputs."""

import torch
from torch import Tensor, nn

from obsvae.inference.modes import unchecked
from obsvae.model import Observation

# Steps of Adam that bring a fit near, their size, and iterations of L-BFGS to its end.
_STEPS, _RATE, _ITERATIONS = 50, 0.05, 500


def outputs_at(eta: Tensor, weights: Tensor | None, inputs: Tensor | None, rows: int) -> Tensor:
    """Return the outputs of each of some rows, ``(rows, *event, outputs)``."""
    if weights is None or inputs is None:
        return eta.expand(rows, *eta.shape)
    return eta + torch.einsum("ndk,kdo->ndo", inputs, weights)


def fitted_outputs(
    made: Observation,
    x: Tensor,
    start: Tensor,
    inputs: Tensor | None = None,
    *,
    steps: int = _STEPS,
    iterations: int = _ITERATIONS,
    tolerance: float = 1e-9,
) -> Tensor:
    r"""Fit an observation to data, its own parameters in place, and return its outputs.

    .. math:: \hat\eta = \arg\max_\eta \sum_n \log p(x_n \mid \eta), \qquad \text{or} \qquad
              \hat W = \arg\max_W \sum_n \log p(x_n \mid \eta_0 + h_n W) - \tfrac12 \lVert W \rVert^2

    Args:
        made: initialised from the data.
        x: data ``(N, *event)``; with inputs ``(N, D)``.
        start: initial outputs ``(*event, outputs)``.
        inputs: h ``(N, D, K)`` of about unit spread, on which the outputs of each feature depend; None: they are
            constants.
        steps: of Adam, which bring it near.
        iterations: of L-BFGS, at most.
        tolerance: change of the mean log-probability at which these end.

    Returns:
        The outputs ``(*event, outputs)``; with inputs, those of h = 0 and then W: ``(1 + K, D, outputs)``.
    """
    with torch.enable_grad(), unchecked():
        eta = nn.Parameter(start.clone())
        weights = None if inputs is None else nn.Parameter(start.new_zeros(inputs.shape[2], *start.shape))
        outputs = [eta] if weights is None else [eta, weights]
        parameters = [*outputs, *made.parameters()]
        best, kept = float("inf"), ([p.detach().clone() for p in outputs], made.state_dict())

        def loss_of() -> Tensor:
            """Return minus the mean log-probability, of the columns where it is a number; and keep the best fit."""
            nonlocal best, kept
            of_columns = made(outputs_at(eta, weights, inputs, len(x))).log_prob(x).sum(0) / len(x)
            loss = -torch.where(torch.isfinite(of_columns), of_columns, 0.0).sum()
            if weights is not None:
                loss = loss + 0.5 * weights.square().sum() / len(x)
            if bool(torch.isfinite(of_columns).all()) and loss.item() < best:
                best = loss.item()
                state = {name: value.clone() for name, value in made.state_dict().items()}
                kept = [p.detach().clone() for p in outputs], state
            return loss

        def step() -> Tensor:
            adam.zero_grad()
            loss = loss_of()
            loss.backward()
            return loss

        adam = torch.optim.Adam(parameters, lr=_RATE, fused=True)
        for _ in range(steps):
            step()
            adam.step()
        # Adam would take thousands of steps to the maximum of a heavy-tailed family or a mixture; L-BFGS takes tens.
        lbfgs = torch.optim.LBFGS(
            parameters, max_iter=iterations, tolerance_change=tolerance, history_size=20, line_search_fn="strong_wolfe"
        )
        try:
            lbfgs.step(step)
        except RuntimeError as error:
            if "overflow" not in str(error):
                raise
        loss_of()  # where the search has left the numbers of float32, the best before stands
    made.load_state_dict(kept[1])
    return kept[0][0] if inputs is None else torch.cat([kept[0][0].unsqueeze(0), kept[0][1]])
