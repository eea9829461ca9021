"""What a network of the user's own has to do, tried on a few numbers before any training."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.modes import evaluating, seeded

_ROUNDING = 1e-4
# A network is tried on values on both sides of 0, up to this far from it: rectifiers and bounds in place change some.
_FAR = 20.0


def require_rows(
    what: str,
    module: nn.Module,
    function: Callable[..., object],
    batch: tuple[int, ...],
    row: tuple[int, ...],
    needed: tuple[int, ...],
    conditions: int = 0,
) -> None:
    """Refuse a network that returns another shape or type than is needed, changes what it takes, or mixes rows.

    It is given float32 on the device of its weights, and needs to return float32.

    Args:
        what: the kind of network, for messages.
        module: the network.
        function: it, or its method that does the work.
        batch: shape of the batch that it is tried on.
        row: shape of what it takes for a datum.
        needed: shape of its outputs for a datum.
        conditions: C, of which it takes ``(*batch, C)`` as a second argument; 0: it takes none.

    Raises:
        UsageError: saying what was needed, and what the network returns.
    """
    name, shape = type(module).__name__, (*batch, *needed)
    device = next(module.parameters(), torch.zeros(())).device

    def outputs(u: Tensor, *c: Tensor) -> Tensor:
        given = [one.clone() for one in (u, *c)]
        try:
            found = function(u, *c)
        except Exception as error:  # of code that is not ours
            raise UsageError(
                f"{what} {name} cannot take a tensor of shape {tuple(u.shape)} and type {u.dtype}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not all(map(torch.equal, (u, *c), given)):
            raise UsageError(
                f"{what} {name} changes its argument in place, but that is needed as it was: let it make a new tensor, "
                "by u * 2 in place of u.mul_(2), or by a layer without inplace=True"
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
    u = torch.zeros(*batch, *row, dtype=torch.float32, device=device)
    changed = u.clone()
    changed[first] = 1.0
    far = torch.linspace(-_FAR, _FAR, u.numel(), dtype=u.dtype, device=device).view_as(u)
    c = [u.new_zeros(*batch, conditions)] if conditions else []
    found = []
    for arguments in ((u, *c), (changed, *c), (far, *map(torch.ones_like, c))):
        with evaluating(module), seeded(0, device):
            found.append(outputs(*arguments)[others])
    before, after, _ = found
    if not torch.allclose(before, after, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True):
        raise UsageError(
            f"{what} {name} mixes rows: in evaluation mode the outputs of one datum change with another; let each row "
            "have outputs of its own"
        )
