"""What the guide says of z, and what the decoder makes of it."""

from collections.abc import Iterator

import torch
from pyro import poutine
from pyro.distributions.torch_distribution import TorchDistribution
from pyro.nn import PyroModule
from torch import Tensor

from inference.modes import device_of, evaluating, seeded, unchecked


def posterior(guide: PyroModule, x: Tensor) -> TorchDistribution:
    """Return the guide's q(z | x) for x ``(N, *event)``: batch shape ``(N,)``, event shape ``(latent,)``."""
    return poutine.trace(guide).get_trace(x).nodes["z"]["fn"]


def outputs(model: PyroModule, guide: PyroModule, x: Tensor, batch_size: int = 500) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pairs (eta, x), batch by batch, with eta the decoder's outputs at one draw of z from the guide."""
    for batch in x.split(batch_size):
        yield model.decoder(posterior(guide, batch).sample()), batch


def reproduce(model: PyroModule, guide: PyroModule, x: Tensor, batch_size: int = 500) -> Tensor:
    """Return the observation's mean at the guide's mean of z, ``(N, *event)`` in data units.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        batch_size: how many data at a time.

    Raises:
        ValueError: for data of another shape than the model's, or outside the observation's support.
    """
    model.check(x)
    with evaluating(model, guide), unchecked():
        means = [model.observation.mean(model.decoder(posterior(guide, b).mean)) for b in x.split(batch_size)]
    return torch.cat(means)


def draw(observation: PyroModule, eta: Tensor) -> Tensor:
    """Draw x ~ p(x | eta) ``(*batch, *event)`` for eta ``(*batch, *event, outputs)``, NaN where eta is not finite.

    torch would refuse a whole batch for one parameter that is not.
    """
    known = torch.isfinite(eta).all(-1)
    # A family may work in double precision, or give whole numbers.
    x = observation(torch.where(known.unsqueeze(-1), eta, 0.0)).sample().to(eta)
    return torch.where(known, x, torch.nan)


def simulate(model: PyroModule, n: int, batch_size: int = 100) -> tuple[Tensor, Tensor]:
    """Draw n latents from the prior ``(n, D)``, and a datum from each ``(n, *event)``, in the latents' dtype."""
    z = model.prior().sample(torch.Size((n,)))
    return z, torch.cat([draw(model.observation, model.decoder(batch)) for batch in z.split(batch_size)])


def reproductions(model: PyroModule, guide: PyroModule, x: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Return pictures ``(N, *event)`` of what the decoder makes of data, by name: they are not the same.

    ``mean`` is E[x | z] at the guide's mean of z, ``sample`` a draw x ~ p(x | z) there, and ``parameter``, where people
    take it for the mean, the output of the link.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        seed: of the samples.

    Raises:
        ValueError: for data that are not the model's.
    """
    model.check(x)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, posterior(guide, x).mean)


def prior_draws(model: PyroModule, n: int, seed: int = 0) -> dict[str, Tensor]:
    """Return pictures ``(n, *event)`` at n draws of z from the prior, by name as :func:`reproductions` does."""
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return _pictures(model, model.prior().sample(torch.Size((n,))))


def prior_means(model: PyroModule, n: int, seed: int = 0) -> Tensor:
    """Return the observation's mean at n draws of z from the prior, ``(n, *event)``; that of a loss, too."""
    with evaluating(model), unchecked(), seeded(seed, device_of(model)):
        return model.observation.mean(model.decoder(model.prior().sample(torch.Size((n,)))))


def _pictures(model: PyroModule, z: Tensor) -> dict[str, Tensor]:
    eta = model.decoder(z)
    found = {"mean": model.observation.mean(eta), "sample": draw(model.observation, eta)}
    parameter = model.observation.parameter(eta)
    return found if parameter is None else {**found, "parameter": parameter}
