"""Reproductions, and draws from the prior and from p(x | z)."""

import torch
from torch import Tensor

from obsvae.inference.latents.location import location
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior, require_sites
from obsvae.modes import evaluating, seeded


def reproduce(
    model: GenerativeModel, guide: AmortisedGuide, x: Tensor, batch_size: int = 500, *, seed: int = 0
) -> Tensor:
    """Return E[x | z] at the guide's location of z, ``(N, *event)`` in data units.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        batch_size: how many data at a time.
        seed: of the draws that locate a guide whose mean is not known.

    Raises:
        UsageError: for data of another shape than the model's, or outside the observation's support.
    """
    model.check(x)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        require_sites(model, guide, x[:2])
        return torch.cat([model.mean(location(posterior(guide, batch))) for batch in x.split(batch_size)])


def draw(model: GenerativeModel, z: Tensor) -> Tensor:
    """Draw x ~ p(x | z) ``(*batch, *event)`` for z ``(*batch, D)``, in its dtype; NaN where the outputs are not finite.

    torch would refuse a whole batch for one parameter that is not.
    """
    eta = model.decode(z)
    known = torch.isfinite(eta).all(-1)
    # A family may work in double precision, or give whole numbers.
    x = model.observe(torch.where(known.unsqueeze(-1), eta, 0.0)).sample().to(eta)
    return torch.where(known, x, torch.nan)


def simulate(model: GenerativeModel, n: int, batch_size: int = 100) -> tuple[Tensor, Tensor]:
    """Draw n latents from the prior ``(n, D)``, and a datum from each ``(n, *event)``, in the latents' dtype."""
    z = model.prior().sample(torch.Size((n,)))
    return z, torch.cat([draw(model, batch) for batch in z.split(batch_size)])


def reproductions(model: GenerativeModel, guide: AmortisedGuide, x: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Return each kind of reproduction of the data ``(N, *event)``, by name: the kinds differ.

    ``mean`` is E[x | z] at the guide's location of z, ``sample`` a draw x ~ p(x | z) there, and ``parameter``,
    where people take it for the mean, the output of the link.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        seed: of the samples.

    Raises:
        UsageError: for data that are not the model's.
    """
    model.check(x)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, location(posterior(guide, x)))


def prior_draws(model: GenerativeModel, n: int, seed: int = 0) -> dict[str, Tensor]:
    """Return pictures ``(n, *event)`` at n draws of z from the prior, by name as :func:`reproductions` does."""
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, model.prior().sample(torch.Size((n,))))


def prior_means(model: GenerativeModel, n: int, seed: int = 0) -> Tensor:
    """Return the observation's mean at n draws of z from the prior, ``(n, *event)``; that of a loss, too."""
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return model.mean(model.prior().sample(torch.Size((n,))))


def _pictures(model: GenerativeModel, z: Tensor) -> dict[str, Tensor]:
    found, parameter = {"mean": model.mean(z), "sample": draw(model, z)}, model.parameter(z)
    return found if parameter is None else {**found, "parameter": parameter}
