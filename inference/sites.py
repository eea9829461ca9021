"""The sites of model and guide: traced, and held against each other."""

from typing import cast

import torch
from pyro import poutine
from pyro.distributions import Delta
from pyro.poutine.trace_struct import Trace
from pyro.poutine.util import site_is_subsample
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.inference.conditions import present
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel, Program
from obsvae.local import local_parameters


def traced(program: Program, x: Tensor, c: Tensor | None = None) -> Trace:
    """Return the trace of a Pyro program on x ``(N, *event)`` and conditions, with its parameters its own."""
    with local_parameters(program):
        return poutine.trace(program).get_trace(*present(x, c))


def posterior(guide: Program, x: Tensor, c: Tensor | None = None) -> Distribution:
    """Return the guide's q(z | x, c) for x ``(N, *event)``: batch shape ``(N,)``, event shape ``(latent,)``."""
    return distribution_at(traced(guide, x, c), "z")


def distribution_at(trace: Trace, site: str) -> Distribution:
    """Return the distribution of a sample site, for which Pyro's types have any callable."""
    return cast(Distribution, trace.nodes[site]["fn"])


def require_pair(model: object, guide: object) -> None:
    """Refuse what is no model or no guide, by what it lacks.

    Raises:
        UsageError: naming it, and what it is derived from.
    """
    needed = {
        "model": (model, ("check", "given", "prior", "require_likelihood"), "take an obsvae.VAE"),
        "guide": (guide, ("has_density", "initialised", "initialise"), "derive it from obsvae.Guide"),
    }
    for what, (part, names, remedy) in needed.items():
        if lacking := [name for name in names if not hasattr(part, name)]:
            raise UsageError(f"the {what} {type(part).__name__} lacks {', '.join(lacking)}; {remedy}")


def require_data(model: object, guide: object, x: object) -> None:
    """Refuse what is no pair, and what is no tensor, before anything is done with them; the pair looks at x itself.

    Raises:
        UsageError: as :func:`require_pair` does, and naming what arrived in place of a tensor.
    """
    require_pair(model, guide)
    if not isinstance(x, Tensor):
        raise UsageError(f"the model needs a tensor, but got {type(x).__name__}; take torch.as_tensor(x)")


@torch.no_grad()
def require_sites(model: GenerativeModel, guide: AmortisedGuide, x: Tensor, c: Tensor | None = None) -> None:
    """Refuse a guide or a model whose latent sites are others than ``z``, or a ``z`` of another shape.

    Raises:
        UsageError: naming the sites of both, or their shapes.
    """
    require_pair(model, guide)
    proposed, needed = _latents(guide, x, c), _latents(model, x, c)
    if not proposed == needed == ["z"]:
        raise UsageError(
            f"the guide samples {proposed}, but the model's latents are {needed}; both must be ['z'], in the plate "
            "'data'"
        )
    q, shapes = posterior(guide, x, c), ((len(x),), tuple(model.prior().event_shape))
    is_point = isinstance(getattr(q, "base_dist", q), Delta)
    if is_point is guide.has_density:
        raise UsageError(
            f"the guide {type(guide).__name__} says has_density = {guide.has_density}, but its 'z' is of type "
            f"{type(getattr(q, 'base_dist', q)).__name__}; set has_density = {not guide.has_density} in the class"
        )
    if (tuple(q.batch_shape), tuple(q.event_shape)) != shapes:
        raise UsageError(
            f"the guide's 'z' has batch shape {tuple(q.batch_shape)} and event shape {tuple(q.event_shape)}, but the "
            f"model needs {shapes[0]} for {len(x)} data, and {shapes[1]}; sample z in the plate 'data', by to_event(1)"
        )


def _latents(program: Program, x: Tensor, c: Tensor | None) -> list[str]:
    """Return the names of a program's latent sites."""
    nodes = traced(program, x, c).nodes.items()
    sites = ((name, site) for name, site in nodes if site["type"] == "sample" and not site["is_observed"])
    return sorted(name for name, site in sites if not site_is_subsample(site))
