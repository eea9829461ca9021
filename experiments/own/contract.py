"""What a network of the user's own has to do, tried on a few numbers before any training."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.modes import evaluating, seeded

_ROUNDING = 1e-4
# What is tried lies on both sides of 0, and far from it: a rectifier and bounds in place change some of it.
_FAR = 20.0


def require_rows(
    what: str,
    module: nn.Module,
    function: Callable[[Tensor], object],
    batch: tuple[int, ...],
    row: tuple[int, ...],
    needed: tuple[int, ...],
) -> None:
    """Refuse a network that returns another shape or type than is needed, changes what it takes, or mixes rows.

    z and x are float32, on the device of the network's weights; so is what it returns.

    Args:
        what: the kind of network, for messages.
        module: the network.
        function: it, or its method that does the work.
        batch: shape of the batch that it is tried on.
        row: shape of what it takes for a datum.
        needed: shape of its outputs for a datum.

    Raises:
        UsageError: saying what was needed, and what the network returns.
    """
    name, shape = type(module).__name__, (*batch, *needed)
    device = next(module.parameters(), torch.zeros(())).device

    def outputs(u: Tensor) -> Tensor:
        given = u.clone()
        try:
            found = function(u)
        except Exception as error:  # of code that is not ours
            raise UsageError(
                f"{what} {name} cannot take a tensor of shape {tuple(u.shape)} and type {u.dtype}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not torch.equal(u, given):
            raise UsageError(
                f"{what} {name} changes its argument in place, but others read it after it: let it make a new tensor, "
                "such as by u * 2 for u.mul_(2), or by a layer without inplace=True"
            )
        if not isinstance(found, Tensor):
            raise UsageError(f"{what} {name} needs to return a tensor, but returns {type(found).__name__}")
        if tuple(found.shape) != shape:
            raise UsageError(
                f"{what} {name} needs to return shape {shape} for a tensor of shape {tuple(u.shape)}, but returns "
                f"{tuple(found.shape)}"
            )
        if found.dtype != u.dtype:
            raise UsageError(f"{what} {name} needs to return {u.dtype}, but returns {found.dtype}")
        return found

    first, others = (0,) * len(batch), torch.ones(batch, dtype=torch.bool)
    others[first] = False
    u = torch.zeros(*batch, *row, device=device)
    changed = u.clone()
    changed[first] = 1.0
    far = torch.linspace(-_FAR, _FAR, u.numel(), device=device).view_as(u)
    found = []
    for some in (u, changed, far):
        with evaluating(module), seeded(0, device):
            found.append(outputs(some)[others])
    before, after, _ = found
    if not torch.allclose(before, after, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True):
        raise UsageError(
            f"{what} {name} mixes rows: in evaluation mode the outputs of one datum change with another; let each row "
            "have outputs of its own"
        )
