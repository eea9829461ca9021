"""The weights that a training keeps."""

import torch
from torch import Tensor

from obsvae.inference.training.history import History
from obsvae.inference.training.listeners import Listeners
from obsvae.inference.training.objectives.base import Objective


def snapshot(module: torch.nn.Module) -> dict[str, Tensor]:
    """Return copies of all parameters and buffers by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def finish(objective: Objective, weights: dict[str, Tensor], history: History, listeners: Listeners) -> None:
    """Give model and guide the weights that are kept, in evaluation mode, and tell those who wait for the end."""
    objective.load_state_dict(weights)
    objective.eval()
    listeners.end(history)
