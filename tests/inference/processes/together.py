"""Several processes of a test, which start at once: they are forked from one that has loaded what they need."""

import multiprocessing
import os
import signal
from pathlib import Path

import torch

# Not from the process of the tests: one that has run torch's autograd cannot be forked.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["obsvae.experiments.pair", "obsvae.inference.training.svi", "torch._export"])


def together(size, act, folder, *arguments):
    """Call ``act(processes, *arguments)`` in several processes, and return what each has returned, by rank.

    Of one that ended by an error it is the error, and of one that died None.
    """
    folder.mkdir(exist_ok=True)
    started = [CONTEXT.Process(target=_child, args=(rank, size, act, folder, arguments)) for rank in range(size)]
    for one in started:
        one.start()
    for one in started:
        one.join(200)
        if one.is_alive():
            one.kill()
    files = [folder / f"{rank}.pt" for rank in range(size)]
    return [torch.load(file, weights_only=False) if file.is_file() else None for file in files]


def _child(rank: int, size: int, act, folder: Path, arguments):
    from obsvae.inference.processes.group import Group

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have programs in the background ignore it
    processes = Group(torch.distributed.FileStore(str(folder / "store"), size), rank, size)
    try:
        found = act(processes, *arguments)
    except Exception as error:
        found = error
    torch.save(found, folder / f"{rank}.pt")
    processes.leave()
    os._exit(0)
