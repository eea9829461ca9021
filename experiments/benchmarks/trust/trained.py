"""Trained models with few latents, whose log p(x) quadrature can tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from obsvae.data import load
from obsvae.experiments.benchmarks.trust.adversarial import PROPOSALS, Proposals, Tried, try_all
from obsvae.experiments.benchmarks.trust.families import seed_of
from obsvae.experiments.benchmarks.trust.quadrature import integrate
from obsvae.experiments.benchmarks.trust.verdicts import Verdicts
from obsvae.experiments.pair import make_pair
from obsvae.inference import fit

# Observations that the digits take, and how the data are seen for them. Not categorical, whose latents collapse.
TRAINED: Mapping[str, Mapping[str, Any]] = {
    "bernoulli": {"binarise": "threshold"},
    "continuous-bernoulli": {},
    "truncated-normal": {},
    "normal": {},
    "laplace": {},
    "student-t": {},
    "poisson": {},
    "negative-binomial": {},
    "binomial": {},
    "ordinal": {},
    "discretised:inner=logistic,scale=decoder": {},
}
LATENTS = (1, 2, 3)
HIDDEN = (64, 64)
# At 0.001, the default of fit, some have hardly begun to use their latents after as few epochs.
EPOCHS, LR = 25, 3e-3
# These decoders stay in float32, and have kinks, to which the rule converges slowly.
TOLERANCE_NATS = 5e-3


def trained(
    *,
    observations: Sequence[str] = tuple(TRAINED),
    latents: Sequence[int] = LATENTS,
    data: int = 200,
    epochs: int = EPOCHS,
    lr: float = LR,
    proposals: Proposals = PROPOSALS,
    matched: str | None = "refined",
    seed: int = 0,
    progress: bool = True,
) -> Tried:
    """Hold estimates of log p(x) of digits against quadrature, for pairs that were trained on digits.

    Each is scored by the measure that it was trained by: a density or a mass.

    Args:
        observations: names in ``TRAINED``.
        latents: sizes of z, from 1 to 3.
        data: the first test data.
        epochs: of the training, as :func:`fit` takes it.
        lr: likewise.
        proposals: by name, with the number of particles.
        matched: one of these, whose cost amortised sampling gets, too; None: it does not.
        seed: of the weights, the training and the particles.
        progress: show a progress bar where standard error is a terminal.
    """
    found, left_out = list[Verdicts](), 0
    models = [(observation, latent) for latent in latents for observation in observations]
    for observation, latent in tqdm(models, unit="model", desc="trained", disable=None if progress else True):
        digits = load("digits", **TRAINED[observation])
        model, guide = make_pair(observation, digits, latent=latent, hidden=HIDDEN, seed=seed)
        fit(model, guide, digits, epochs=epochs, lr=lr, seed=seed, progress=False)
        x = digits.test[:data]
        posteriors = integrate(model, x, TOLERANCE_NATS)
        left_out += int((~posteriors.is_resolved).sum())
        datum = np.flatnonzero(posteriors.is_resolved.numpy())
        if not len(datum):
            continue
        truth, size = posteriors.log_p.numpy()[datum], f"{latent} latent{'s' if latent > 1 else ''}"
        own = seed_of(seed, observation, size)
        for method, likelihood in try_all(model, guide, x[datum], proposals, matched, own).items():
            labels = {"method": method, "family": observation, "shape": size, "guide": "trained", "is_unimodal": False}
            found.append(Verdicts.of(likelihood, truth, datum, **labels))
    return Tried(Verdicts.joined(found), left_out)
