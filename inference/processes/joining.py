"""Joining the processes that were started together with this one."""

import os
from functools import cache

from obsvae.errors import UsageError
from obsvae.inference.processes.alone import ALONE, Processes


@cache
def join() -> Processes:
    """Join the processes that torchrun has started together with this one, once.

    They are told by the variables ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT`` of the environment,
    which other starters of torch programs set, too. Without them, or where the size is 1, this process is alone.

    Raises:
        UsageError: where the others cannot be reached.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1" or "RANK" not in os.environ:
        return ALONE
    # Only now: a process that is alone loads nothing for others.
    from torch.distributed.rendezvous import rendezvous

    from obsvae.inference.processes.group import Group

    try:
        return Group(*next(rendezvous("env://")))
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"the other processes cannot be joined ({str(error).splitlines()[0]}); start all of them by torchrun"
        ) from None
