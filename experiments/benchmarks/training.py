"""Time an epoch of training against a hand-written PyTorch loop with the same networks, in turn."""

import statistics
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from obsvae.data import Dataset, load
from obsvae.experiments.pair import make_pair
from obsvae.inference import fit

BATCH, LATENT, HIDDEN = 100, 40, (300, 300)


def compare_loops(name: str, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each loop: the seconds of its second epoch, on a dataset by name, binarised by threshold.

    The first epoch includes the tracing of this project's objective, once a run; validation is left out.

    Args:
        name: of the data.
        rounds: how often each loop is timed.
    """
    data = load(name, binarise="threshold")
    contestants = {
        "this project": lambda: epoch_of_fit(data),
        "by hand, fused Adam": lambda: epoch_by_hand(data, fused=True),
        "by hand, default Adam": lambda: epoch_by_hand(data, fused=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds):
        order = list(contestants)[turn % 3 :] + list(contestants)[: turn % 3]
        for name in order:
            seconds[name].append(contestants[name]())
    ours = seconds["this project"]
    return [
        {
            "loop": name,
            "seconds per epoch, median": statistics.median(times),
            "this project's time / its time, median of rounds": statistics.median(
                a / b for a, b in zip(ours, times, strict=True)
            ),
        }
        for name, times in seconds.items()
    ]


def epoch_of_fit(data: Dataset) -> float:
    """Return the seconds of the second epoch: the first includes the tracing of the objective."""
    model, guide = make_pair("bernoulli", data, latent=LATENT, hidden=HIDDEN)
    first, second = fit(model, guide, data, epochs=2, batch_size=BATCH, progress=False)
    return second.seconds - first.seconds


def epoch_by_hand(data: Dataset, fused: bool) -> float:
    """Return the seconds of the second epoch of a loop as tutorials write it."""
    torch.manual_seed(0)
    x = data.train.flatten(1)
    width = x.shape[1]
    encoder = nn.Sequential(
        nn.Linear(width, 300), nn.ReLU(), nn.Linear(300, 300), nn.ReLU(), nn.Linear(300, 2 * LATENT)
    )
    decoder = nn.Sequential(nn.Linear(LATENT, 300), nn.ReLU(), nn.Linear(300, 300), nn.ReLU(), nn.Linear(300, width))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3, fused=fused)
    for _ in range(2):  # the second is timed, as it is of fit
        start = time.perf_counter()
        _epoch_by_hand(x, encoder, decoder, optimiser)
    return time.perf_counter() - start


def _epoch_by_hand(x: Tensor, encoder: nn.Module, decoder: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    for index in torch.randperm(len(x)).split(BATCH):
        batch = x[index]
        mean, log_variance = encoder(batch).chunk(2, -1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        cross_entropy = F.binary_cross_entropy_with_logits(decoder(z), batch, reduction="sum")
        kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        optimiser.zero_grad()
        ((cross_entropy + kl) / len(batch)).backward()
        optimiser.step()
