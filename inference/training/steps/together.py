"""What several processes need to train together, and whether they still do."""

import zlib
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.processes.alone import Processes, ProcessesParted

# Between processes the norm of a parameter may differ by rounding, on processors of different kinds, and not by more.
_ROUNDING = 1e-3


def require_graphs(
    exported: bool, compiled: bool | Literal["auto"], products: torch.dtype | None, processes: Processes
) -> None:
    """Refuse choices of how steps are run that do not go together.

    Raises:
        UsageError: where a step is to be compiled, or to multiply in another type of number, that is no graph or that
            processes share; or is shared and no graph.
    """
    if compiled is True and not exported:
        raise UsageError("compiled=True needs exported=True: what is compiled is the exported graph")
    if products is not None and (not exported or processes.size > 1):
        raise UsageError(
            "precision='bf16' needs exported=True and one process, since it changes the exported graph; leave it out"
        )
    if processes.size == 1:
        return
    if not exported:
        raise UsageError("several processes need exported=True: of the graph each takes a share; train in one process")
    if compiled is True:
        raise UsageError(
            "several processes share a step as it is, not compiled: leave compiled out, or use one process"
        )


def require_together(parameters: Sequence[Tensor], generator: torch.Generator, processes: Processes) -> None:
    """Look whether all processes have the same weights but for rounding, and the same random numbers before them.

    Raises:
        ProcessesParted: where they have not.
    """
    if processes.size == 1:
        return
    norms = torch.stack([parameter.detach().double().norm() for parameter in parameters])
    states = [torch.get_rng_state(), generator.get_state()]
    (first, random), *others = processes.gather((norms.cpu(), [zlib.crc32(s.numpy().tobytes()) for s in states]))
    for rank, (norms_there, random_there) in enumerate(others, start=1):
        # Where both are not finite they agree.
        is_near = torch.allclose(norms_there, first, rtol=_ROUNDING, atol=1e-6, equal_nan=True)
        if random != random_there or not is_near:
            what = "weights" if random == random_there else "random numbers"
            raise ProcessesParted(
                f"processes 0 and {rank} have come to different {what}; see that all have the same versions of torch "
                "and Pyro, and the same data"
            )
