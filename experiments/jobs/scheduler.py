"""A Dask scheduler that runs already, and what its workers need to have in common with this process."""

import asyncio
import platform
from collections.abc import Callable, Collection
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from obsvae.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

# Seconds in which a scheduler has to answer.
ANSWER = 8.0


def require_answer(address: str) -> None:
    """Refuse an address at which no scheduler answers: a client of it would go on asking.

    Raises:
        UsageError: one line with the reason, within :data:`ANSWER` seconds.
    """
    from distributed.comm import connect
    from distributed.security import Security

    async def ask() -> None:
        comm = await connect(address, timeout=ANSWER, **Security().get_connection_args("client"))
        await comm.close()

    try:
        asyncio.run(ask())
    except (OSError, ValueError, TimeoutError, MemoryError) as error:  # the last: of something else that answers
        raise UsageError(
            f"no Dask scheduler answers at {address!r} ({' '.join(str(error).split())}); give the address that "
            "`dask scheduler` prints, such as tcp://10.0.0.5:8786"
        ) from None


def require_same_versions(client: "Client", workers: Collection[str]) -> None:
    """Refuse workers with another Python, obsvae or torch than this process: numbers, and what is sent, would differ.

    Args:
        client: of their scheduler.
        workers: addresses.

    Raises:
        UsageError: for the first that differs.
    """
    # Functions of Python's own library, which are there whatever else is not.
    asked: dict[str, Callable[[], str]] = {
        "Python": platform.python_version,
        "obsvae": partial(version, "obsvae"),
        "torch": partial(version, "torch"),
    }
    for name, ask in asked.items():
        ours = _compared(name, ask())
        for address, theirs in client.run(ask, workers=list(workers), on_error="return").items():
            if isinstance(theirs, PackageNotFoundError):
                raise UsageError(f"the worker {address} has no {name}; install {name} {ours} there, as it is here")
            if isinstance(theirs, str) and _compared(name, theirs) != ours:
                raise UsageError(
                    f"the worker {address} has {name} {_compared(name, theirs)}, but this process has {ours}; install "
                    f"{name} {ours} there"
                )


def _compared(name: str, said: str) -> str:
    """Return what has to be the same: two numbers of Python's version, of others all but what they were built for."""
    return said.rpartition(".")[0] if name == "Python" else said.partition("+")[0]
