"""Objectives by name, for the command line and notebooks."""

from pyro.infer import ELBO, TraceMeanField_ELBO

from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.elbo import WeightedELBO
from obsvae.inference.training.objectives.iwae import ImportanceWeighted
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO
from obsvae.options import chosen

OBJECTIVES: dict[str, type[WeightedELBO] | type[ImportanceWeighted]] = {
    "elbo": WeightedELBO,
    "iwae": ImportanceWeighted,
}


def make_objective(objective: str | ELBO, model: GenerativeModel, guide: AmortisedGuide) -> Objective:
    """Return what training minimises.

    Args:
        objective: a name in ``OBJECTIVES``, with options where wanted, such as ``iwae:particles=10``; or a Pyro ELBO
            over traces. ``elbo`` by itself is :class:`pyro.infer.TraceMeanField_ELBO`, with its analytic KL.
        model: the generative model.
        guide: its guide.

    Raises:
        UsageError: for an unknown name, naming the nearest known one, options that do not fit, or an ELBO that is no
            sum over traces.
    """
    if isinstance(objective, ELBO):
        return PyroELBO(model, guide, objective)
    kind, options = chosen("objective", objective, OBJECTIVES)
    if kind is WeightedELBO and not options:
        return PyroELBO(model, guide, TraceMeanField_ELBO())
    return kind(model, guide, **options)
