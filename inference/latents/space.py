"""The latent space of a trained pair: active dimensions, KL, maps, traversals and neighbours."""

import importlib.util
from collections.abc import Sequence

import numpy as np
import torch
from pyro.distributions import Normal
from torch import Tensor
from torch.distributions import kl_divergence

from obsvae.errors import UsageError
from obsvae.inference.conditions import batches, rows_of
from obsvae.inference.latents.location import location
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior, require_sites
from obsvae.modes import evaluating, seeded

# A map by UMAP takes at least as many data as the neighbours that it looks at.
UMAP_DATA = 15
# A latent is active where its posterior mean varies by more than this over data.
ACTIVE_VARIANCE = 0.01


def posterior_means(
    guide: AmortisedGuide, x: Tensor, batch_size: int = 500, *, c: Tensor | None = None, seed: int = 0
) -> Tensor:
    """Return the guide's means of z ``(N, D)`` for x ``(N, *event)``.

    Where a mean is not known, as that of a normalising flow, the median of draws stands in its place.

    Args:
        guide: a guide.
        x: data ``(N, *event)`` in data units.
        batch_size: how many data at a time.
        c: conditions of the data ``(N, C)``; None where the guide has none.
        seed: of those draws.
    """
    with evaluating(guide), unchecked(), seeded(seed, device_of(guide)):
        return torch.cat([location(posterior(guide, batch, given)) for batch, given in batches(x, c, batch_size)])


def active_units(means: Tensor) -> Tensor:
    r"""Return whether each latent is active ``(D,)``: :math:`\operatorname{Var}_x(\operatorname{E}_q[z_d]) > 0.01`.

    Args:
        means: of the guide, ``(N, D)``.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016, section 5.1.
    """
    return means.var(0) > ACTIVE_VARIANCE


def kl_by_dimension(
    model: GenerativeModel, guide: AmortisedGuide, x: Tensor, batch_size: int = 500, *, c: Tensor | None = None
) -> Tensor:
    """Return the mean over data of KL(q(z_d | x) ‖ p(z_d)) in nats, ``(D,)``.

    Raises:
        UsageError: where guide or prior are not Normals that are independent over dimensions: their KL is no sum.
    """
    with evaluating(model, guide), unchecked(), seeded(0, device_of(guide)):  # a look draws z, too
        require_sites(model, guide, x[:2], rows_of(c, slice(2)))
        prior = getattr(model.prior(), "base_dist", model.prior())
        total = x.new_zeros(())
        for batch, given in batches(x, c, batch_size):
            whole = posterior(guide, batch, given)
            q = getattr(whole, "base_dist", whole)
            if not (isinstance(q, Normal) and isinstance(prior, Normal)):
                raise UsageError(
                    "the KL divergence by dimension needs a guide and a prior that are independent Normals, but the "
                    f"guide is {type(q).__name__} and the prior {type(prior).__name__}"
                )
            total = total + kl_divergence(q, prior).sum(0)
    return total / len(x)


def traversals(
    model: GenerativeModel, z: Tensor, dimensions: Sequence[int], values: Sequence[float], c: Tensor | None = None
) -> Tensor:
    """Return the observation's means where one latent at a time takes other values, ``(dimensions, values, *event)``.

    Args:
        model: the generative model.
        z: where the other latents stay, ``(D,)``.
        dimensions: which latents.
        values: what each takes.
        c: conditions of all ``(1, C)``; None where the model has none.
    """
    at = z.repeat(len(dimensions), len(values), 1)
    for row, d in enumerate(dimensions):
        at[row, :, d] = torch.as_tensor(values, dtype=z.dtype, device=z.device)
    return _means(model, at, c)


def interpolations(
    model: GenerativeModel, start: Tensor, end: Tensor, steps: int = 10, c: Tensor | None = None
) -> Tensor:
    """Return the observation's means along straight lines from start to end ``(n, D)``, ``(n, steps, *event)``.

    Where the model has conditions, c ``(n, C)`` has those of each line.
    """
    along = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device).view(1, -1, 1)
    each = None if c is None else c.repeat_interleave(steps, 0)
    return _means(model, start.unsqueeze(1) + along * (end - start).unsqueeze(1), each)


def nearest(means: Tensor, among: Tensor, n: int) -> np.ndarray:
    """Return the indices ``(N, n)`` of the latents among ``(M, D)`` that are nearest to each of ``(N, D)``."""
    from sklearn.neighbors import NearestNeighbors  # takes a second to load

    index = NearestNeighbors(n_neighbors=n).fit(among.cpu().numpy())
    return index.kneighbors(means.cpu().numpy(), return_distance=False)


def project(means: Tensor, method: str = "pca", seed: int = 0) -> np.ndarray:
    """Return latents ``(N, D)`` in the plane, ``(N, 2)``.

    Args:
        means: of the guide.
        method: ``pca``, or ``umap`` where umap-learn is installed.
        seed: of umap.

    Raises:
        UsageError: for another method, fewer than 2 latents or data (umap: 15), or umap where it is not installed.

    Reference: McInnes, Healy and Melville, *UMAP: Uniform manifold approximation and projection*, 2018.
    """
    if min(means.shape) < 2:
        raise UsageError(f"a map needs at least 2 data and 2 latents, but got {tuple(means.shape)}")
    z = means.cpu().numpy()
    if method == "pca":
        from sklearn.decomposition import PCA  # takes a second to load

        return PCA(2, random_state=seed).fit_transform(z)
    if method != "umap":
        raise UsageError(f"no method {method!r}; choose pca or umap")
    if not can_umap():
        raise UsageError("umap is not installed; pip install umap-learn, or take pca")
    if len(z) < UMAP_DATA:
        raise UsageError(f"a map by umap needs at least {UMAP_DATA} data, but there are {len(z)}; take pca")
    from umap import UMAP

    return UMAP(n_components=2, random_state=seed).fit_transform(z)


def can_umap() -> bool:
    """Return whether umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def _means(model: GenerativeModel, z: Tensor, c: Tensor | None) -> Tensor:
    flat = z.flatten(0, -2)
    each = None if c is None else c.expand(len(flat), -1)
    with evaluating(model), unchecked():
        return torch.cat([model.mean(part, of) for part, of in batches(flat, each, 100)]).unflatten(0, z.shape[:-1])
