"""Reproductions, and draws from the prior and from p(x | z)."""

import torch
from torch import Tensor

from obsvae.inference.conditions import batches, rows_of
from obsvae.inference.latents.location import location
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior, require_sites
from obsvae.modes import evaluating, seeded


def reproduce(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    batch_size: int = 500,
    *,
    c: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Return E[x | z] at the guide's location of z, ``(N, *event)`` in data units.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        batch_size: how many data at a time.
        c: conditions of the data ``(N, C)``; None where the model has none.
        seed: of the draws that locate a guide whose mean is not known.

    Raises:
        UsageError: for data of another shape than the model's, or outside the observation's support.
    """
    model.check(x, c=c)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        require_sites(model, guide, x[:2], rows_of(c, slice(2)))
        each = batches(x, c, batch_size)
        return torch.cat([model.mean(location(posterior(guide, batch, given)), given) for batch, given in each])


def draw(model: GenerativeModel, z: Tensor, c: Tensor | None = None) -> Tensor:
    """Draw x ~ p(x | z, c) ``(*batch, *event)`` for z ``(*batch, D)``, in its dtype; NaN where outputs are not finite.

    torch would refuse a whole batch for one parameter that is not.
    """
    eta = model.decode(z, c)
    known = torch.isfinite(eta).all(-1)
    # A family may work in double precision, or give whole numbers.
    x = model.observe(torch.where(known.unsqueeze(-1), eta, 0.0)).sample().to(eta)
    return torch.where(known, x, torch.nan)


def simulate(model: GenerativeModel, n: int, batch_size: int = 100, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Draw n latents from the prior ``(n, D)``, and a datum from each ``(n, *event)``, in the latents' dtype.

    Where the model has conditions, c ``(n, C)`` has those of each datum.

    Raises:
        UsageError: for conditions that are not the model's.
    """
    model.require_given(c, n)
    z = model.prior().sample(torch.Size((n,)))
    return z, torch.cat([draw(model, batch, given) for batch, given in batches(z, c, batch_size)])


def reproductions(
    model: GenerativeModel, guide: AmortisedGuide, x: Tensor, seed: int = 0, *, c: Tensor | None = None
) -> dict[str, Tensor]:
    """Return each kind of reproduction of the data ``(N, *event)``, by name: the kinds differ.

    ``mean`` is E[x | z] at the guide's location of z, ``sample`` a draw x ~ p(x | z) there, and ``parameter``,
    where people take it for the mean, the output of the link.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        seed: of the samples.
        c: conditions of the data ``(N, C)``; None where the model has none.

    Raises:
        UsageError: for data that are not the model's.
    """
    model.check(x, c=c)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, location(posterior(guide, x, c)), c)


def prior_draws(model: GenerativeModel, n: int, seed: int = 0, *, c: Tensor | None = None) -> dict[str, Tensor]:
    """Return pictures ``(n, *event)`` at n draws of z from the prior, by name as :func:`reproductions` does."""
    model.require_given(c, n)
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, model.prior().sample(torch.Size((n,))), c)


def prior_means(model: GenerativeModel, n: int, seed: int = 0, *, c: Tensor | None = None) -> Tensor:
    """Return the observation's mean at n draws of z from the prior, ``(n, *event)``; that of a loss, too."""
    model.require_given(c, n)
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return model.mean(model.prior().sample(torch.Size((n,))), c)


def _pictures(model: GenerativeModel, z: Tensor, c: Tensor | None) -> dict[str, Tensor]:
    found, parameter = {"mean": model.mean(z, c), "sample": draw(model, z, c)}, model.parameter(z, c)
    return found if parameter is None else {**found, "parameter": parameter}
