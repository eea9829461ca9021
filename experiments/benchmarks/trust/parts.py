"""The two parts of the benchmark by name, as the command runs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from obsvae.experiments.benchmarks.trust.adversarial import PROPOSALS, Tried, adversarial
from obsvae.experiments.benchmarks.trust.tables import report
from obsvae.experiments.benchmarks.trust.trained import trained
from obsvae.inference import Refined


@dataclass(frozen=True)
class Part:
    """A part of the benchmark.

    Attributes:
        run: the function that runs it.
        quick: arguments with which it takes less than a minute.
        title: of its table.
        by: columns by which estimates are told apart, with words for them.
        crossed: two of them, whose every combination is told.
    """

    run: Callable[..., Tried]
    quick: Mapping[str, Any]
    title: str
    by: Mapping[str, str]
    crossed: tuple[str, str]

    def report(self, tried: Tried) -> str:
        """Return what a run has found as text."""
        return report(tried, self.title, self.by, self.crossed)


PARTS: Mapping[str, Part] = {
    "adversarial": Part(
        adversarial,
        {
            "families": ("bernoulli", "normal", "gamma", "poisson"),
            "shapes": ("|z|", "sin 3z", "ring", "steps", "linear"),
            "guides": ("moments", "prior", "one mode", "elsewhere"),
            "data": 5,
        },
        "small models made to mislead",
        {
            "posterior": "By what the decoder's shape makes of posteriors",
            "shape": "By the decoder's shape",
            "guide": "By the guide",
            "family": "By the observation",
        },
        ("shape", "guide"),
    ),
    "trained": Part(
        trained,
        {"observations": ("bernoulli", "normal", "poisson"), "latents": (1, 2), "data": 40},
        "models trained on digits",
        {"shape": "By the size of z", "family": "By the observation"},
        ("family", "shape"),
    ),
}


def run_part(
    name: str, *, particles: int | None = None, data: int | None = None, quick: bool = False, seed: int = 0
) -> Tried:
    """Run a part of the benchmark.

    Args:
        name: in ``PARTS``.
        particles: of the refined proposal; None: as many as by default.
        data: of each model; None: as many as by default.
        quick: take few models, and few data where ``data`` is None.
        seed: of the models, the data and the particles.
    """
    arguments = dict(PARTS[name].quick) if quick else {}
    if data is not None:
        arguments["data"] = data
    if particles is not None:
        arguments["proposals"] = {**PROPOSALS, "refined": (Refined(), particles)}
    return PARTS[name].run(**arguments, seed=seed)
