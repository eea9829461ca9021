"""How much the estimates of a likelihood cost, and how far they are from annealed importance sampling."""

import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.experiments.runs.run import Run, load_run
from obsvae.guides import Guide
from obsvae.inference import Amortised, Annealed, LogLikelihood, Proposal, Refined, log_likelihood
from obsvae.model import VAE

# The usual estimate with many particles, and the refined one with a tenth of them.
ESTIMATORS: Mapping[str, tuple[Proposal, int]] = {
    "amortised": (Amortised(), 5000),
    "refined": (Refined(), 500),
}
CHAINS = 16


def _without_conditions(run: Path) -> Run:
    """Return a run; refuse one that was trained with conditions."""
    loaded = load_run(run)
    if loaded.model.conditions:
        raise UsageError(f"{run} was trained with conditions, which this benchmark does not take; take a run without")
    return loaded


def compare_estimators(run: Path, timed: int, annealed: int, rounds: int, temperatures: int) -> list[dict[str, Any]]:
    """Return a row for each estimator: what it says of a run's first test data, and what it takes.

    Args:
        run: a run folder.
        timed: number of data that are timed, each estimator in turn.
        annealed: number of them that are annealed, too.
        rounds: how often each estimator is timed.
        temperatures: of the annealing.
    """
    loaded = _without_conditions(run)
    model, guide, x = loaded.model, loaded.guide, loaded.data.test[:timed]
    seconds: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    found: dict[str, LogLikelihood] = {}
    for proposal, particles in ESTIMATORS.values():  # warms up
        log_likelihood(model, guide, x[:2], particles, proposal=proposal, progress=False)
    for turn in range(rounds):
        order = list(ESTIMATORS) if turn % 2 == 0 else list(ESTIMATORS)[::-1]
        for name in order:
            proposal, particles = ESTIMATORS[name]
            start = time.perf_counter()
            found[name] = log_likelihood(model, guide, x, particles, proposal=proposal)
            seconds[name].append((time.perf_counter() - start) / len(x))
    start = time.perf_counter()
    few = min(annealed, len(x))
    found["ais"] = log_likelihood(model, guide, x[:few], CHAINS, proposal=Annealed(temperatures=temperatures))
    seconds["ais"] = [(time.perf_counter() - start) / few]
    ratios = [a / b for a, b in zip(seconds["refined"], seconds["amortised"], strict=True)]
    reference = found["ais"].weights.estimate
    rows = []
    for name, likelihood in found.items():
        same = likelihood.first(few)
        summary, distance = same.summary(), same.weights.estimate - reference
        rows.append(
            {
                "run": run.name,
                "observation": loaded.config["observation"],
                "estimator": name,
                "K": likelihood.particles,
                "log p": summary["nats_per_datum"],
                "to AIS": None if name == "ais" else distance.mean(),
                "± s.e.": None if name == "ais" else distance.std(ddof=1) / np.sqrt(few),
                "s.e. of a datum": float(np.median(same.weights.standard_error)),
                "ESS": summary["ess_median"],
                "k̂": None if np.isnan(summary["khat_median"]) else summary["khat_median"],
                "flagged": None if name == "ais" else summary["flagged"],
                "ms a datum": 1e3 * statistics.median(seconds[name]),
                "time / amortised": statistics.median(ratios) if name == "refined" else None,
            }
        )
    return rows


def throughput(run: Path, rounds: int, data: int = 20, particles: int = 5000) -> list[dict[str, Any]]:
    """Return rows of decoder passes a second: bare matrix products, the decoder, the amortised estimate, and a peer.

    The peer is pythae, where it is installed.
    """
    loaded = _without_conditions(run)
    model, guide, x = loaded.model, loaded.guide, loaded.data.test[:data]
    linear = [layer for layer in model.decoder.modules() if isinstance(layer, nn.Linear)]
    if not linear or len(linear) != sum(p.ndim > 1 for p in model.decoder.parameters()):
        raise UsageError(f"the throughput is that of fully connected decoders, but {run} has another")
    z = torch.randn(2000, linear[0].in_features)
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "matrix products of the decoder": (lambda: _products(linear, z), len(z)),
        "decoder": (lambda: model.decode(z), len(z)),
        "amortised estimate": (
            lambda: log_likelihood(model, guide, x, particles, proposal=Amortised(), progress=False),
            data * particles,
        ),
    }
    if has_peer():
        contestants["pythae, get_nll"] = (_peer(model, guide, x[:2], particles), 2 * particles)
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with torch.no_grad():
        for _ in range(rounds + 1):  # the first warms up
            for name, (compute, passes) in contestants.items():
                start = time.perf_counter()
                compute()
                rates[name].append(passes / (time.perf_counter() - start))
    bare = rates["matrix products of the decoder"][1:]
    return [
        {
            "what": name,
            "passes a second": statistics.median(found[1:]),
            "of the products": statistics.median(a / b for a, b in zip(found[1:], bare, strict=True)),
        }
        for name, found in rates.items()
    ]


def has_peer() -> bool:
    """Return whether pythae is installed."""
    return importlib.util.find_spec("pythae") is not None


def _products(layers: Sequence[nn.Linear], z: Tensor) -> Tensor:
    for layer in layers:
        z = z @ layer.weight.T
    return z


def _peer(model: VAE, guide: Guide, x: Tensor, particles: int) -> Callable[[], object]:
    """Return pythae's estimate for networks of the same sizes."""
    from pythae.models import VAE as Peer  # noqa: N811 - ours is a VAE, too
    from pythae.models import VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    latent = model.decoder.latent

    class Encoder(BaseEncoder):
        def forward(self, x: Tensor) -> ModelOutput:
            loc, raw = guide.encoder(x.squeeze(1)).chunk(2, -1)
            return ModelOutput(embedding=loc, log_covariance=raw)

    class Decoder(BaseDecoder):
        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=torch.sigmoid(model.decoder(z).squeeze(-1)))

    shape = (1, *x.shape[1:])
    peer = Peer(VAEConfig(input_dim=shape, latent_dim=latent, reconstruction_loss="bce"), Encoder(), Decoder()).eval()
    return lambda: peer.get_nll(x.clamp(0, 1).unsqueeze(1), n_samples=particles, batch_size=particles)
