"""What torch keeps of traced programs for good, forgotten."""

import linecache
from collections.abc import Iterator
from contextlib import contextmanager

from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import graph_module

# Results on shapes that torch may keep: it keeps all of them, which would fill a process that goes on for days.
_MOST = 5000


@contextmanager
def forgetting_sources() -> Iterator[None]:
    """Forget the sources of the graphs that are made meanwhile, which torch keeps to show them in tracebacks.

    They are hundreds of kilobytes a trace, and torch forgets none of them; the graphs go on as before.
    """
    sources = graph_module._loader.eval_cache
    before = set(sources)
    try:
        yield
    finally:
        for name in sources.keys() - before:
            del sources[name]
            linecache.cache.pop(name, None)
        if len(FakeTensorMode.cache) > _MOST:
            FakeTensorMode.cache_clear()
