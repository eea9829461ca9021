"""What guide, prior, objective and observation are each worth, the others held: the same networks on the same data."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from obsvae.data import Dataset, load
from obsvae.experiments.pair import make_pair
from obsvae.experiments.published.not_miwae import TABLES
from obsvae.inference import elbo, fit, log_likelihood


@dataclass(frozen=True)
class Choice:
    """A pair and how it is trained.

    Attributes:
        what: which of its parts is another than that of the first choice.
        observation: p(x | z) as a text.
        guide: as a text.
        prior: as a text.
        objective: as a text.
    """

    what: str
    observation: str
    guide: str = "normal"
    prior: str = "standard-normal"
    objective: str = "elbo"

    @property
    def value(self) -> str:
        """The part that is another."""
        return self.observation if self.what == "–" else str(getattr(self, self.what))


@dataclass(frozen=True)
class Study:
    """Data, networks, and the observation that the other parts are tried with.

    Attributes:
        data: loads them.
        latent: size of z.
        hidden: sizes of the hidden layers.
        observation: of all choices but those of the observation; all are of one measure.
        observations: the others.
    """

    data: Callable[[], Dataset]
    latent: int
    hidden: tuple[int, ...]
    observation: str
    observations: tuple[str, ...]


STUDIES: Mapping[str, Study] = {
    "digits": Study(
        partial(load, "digits"), 8, (128, 128), "binomial", ("ordinal", "discretised:inner=logistic,scale=decoder")
    ),
    "banknote": Study(
        lambda: load(TABLES["banknote"]()), 2, (64, 64), "normal:scale=decoder", ("normal", "student-t:scale=decoder")
    ),
}
GUIDES = ("full-rank", "low-rank", "mixture", "flow")
PRIORS = ("mixture", "vamp", "flow")
OBJECTIVES = ("iwae:particles=5", "iwae:particles=50")


def choices_of(study: Study, *, quick: bool = False) -> list[Choice]:
    """Return the first choice, and behind it those that are another in one part; if quick, one of each part."""
    first = Choice("–", study.observation)
    parts = {"guide": GUIDES, "prior": PRIORS, "objective": OBJECTIVES, "observation": study.observations}
    if quick:
        parts = {what: ones[:1] for what, ones in parts.items()}
    others: list[Choice] = [replace(first, what=what, **{what: one}) for what, ones in parts.items() for one in ones]
    return [first, *others]


def choices(
    name: str, *, epochs: int | None, limit: int, particles: int, seed: int, quick: bool = False
) -> Iterator[dict[str, Any]]:
    """Train and score each choice on the data of a study; return each row as soon as it is there.

    Args:
        name: of the study.
        epochs: passes over the data; None: until validation has stopped improving.
        limit: score the first test data only.
        particles: K, refined for each datum.
        seed: of all that is random.
        quick: try the first choice and one of each part.
    """
    study = STUDIES[name]
    data, first = study.data(), None
    x = data.test[:limit]
    for choice in choices_of(study, quick=quick):
        start = time.perf_counter()
        pair = make_pair(
            choice.observation,
            data,
            latent=study.latent,
            hidden=study.hidden,
            guide=choice.guide,
            prior=choice.prior,
            seed=seed,
        )
        history = fit(*pair, data, epochs=epochs, objective=choice.objective, seed=seed, progress=False)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt  # a choice that was trained for less would be compared unfairly
        seconds = time.perf_counter() - start
        found = log_likelihood(*pair, x, particles, seed=seed, progress=False)
        scores, bound = found.weights.estimate, elbo(*pair, x, seed=seed)
        first = scores if first is None else first
        difference = scores - first
        yield {
            "data": name,
            "part": choice.what,
            "choice": choice.value,
            "log p": float(scores.mean()),
            "to the first": float(difference.mean()),
            "± s.e. (paired)": float(difference.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else float("nan"),
            "ELBO": float(bound.mean()),
            "gap": float((scores - bound).mean()),
            "flagged": float(found.weights.flagged.mean()),
            "epochs": len(history),
            "seconds of training": seconds,
        }
