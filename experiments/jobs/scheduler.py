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


def compared(client: "Client", workers: Collection[str]) -> dict[str, str]:
    """Return in what workers differ from this process, such that numbers, or what is sent, would differ.

    Args:
        client: of their scheduler.
        workers: addresses.

    Returns:
        By the address of each that answered what it has otherwise, in a line; empty where it is as this process.
    """
    # Functions of Python's own library, which are there whatever else is not.
    asked: dict[str, Callable[[], str]] = {"Python": platform.python_version}
    asked |= {package: partial(version, package) for package in ("obsvae", "torch", "pyro-ppl", "numpy")}
    found = dict.fromkeys(workers, "")
    for name, ask in asked.items():
        ours = _compared(name, ask())
        said = client.run(ask, workers=list(found), on_error="return")
        for address in list(found):
            theirs = said.get(address)
            if isinstance(theirs, PackageNotFoundError):
                other = f"the worker {address} has no {name}; install {name} {ours} there, as it is here"
            elif not isinstance(theirs, str):  # it did not answer: it is asked again if it is still there
                del found[address]
                continue
            elif _compared(name, theirs) != ours:
                other = (
                    f"the worker {address} has {name} {_compared(name, theirs)}, but this process has {ours}; install "
                    f"{name} {ours} there"
                )
            else:
                continue
            found[address] = found[address] or other
    return found


def _compared(name: str, said: str) -> str:
    """Return what has to be the same: two numbers of Python's version, of others all but what they were built for."""
    return said.rpartition(".")[0] if name == "Python" else said.partition("+")[0]
