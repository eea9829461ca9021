"""Pyro modules whose parameters are their own, beside programs that use Pyro's global store."""

from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyro
from pyro.nn.module import PyroModule, _PyroModuleMeta

from obsvae.module import HasModules, TypedModule


@contextmanager
def local_parameters(*modules: HasModules) -> Iterator[None]:
    """Let the parameters of Pyro modules be their own while they run, and leave Pyro's global store alone.

    Pyro's setting for it, ``module_local_params``, holds for the whole process; here it holds for the block.

    Args:
        modules: the modules that run in the block; those that were made outside of it get a store of their own.
    """
    with pyro.settings.context(module_local_params=True):
        for module in modules:
            for part in module.modules():
                if isinstance(part, PyroModule):
                    _prepare(part)
        yield


@contextmanager
def unnoticed(module: PyroModule) -> Iterator[None]:
    """Try a module out before it becomes a part of another, which Pyro refuses of modules that have run."""
    before = module._pyro_context.used
    try:
        yield
    finally:
        module._pyro_context.used = before


def _prepare(module: PyroModule) -> None:
    """Give a module a store of its own, as Pyro does where the setting holds when the module is made."""
    if not hasattr(module._pyro_context, "param_state"):
        module._pyro_context.param_state = {"params": {}, "constraints": {}}


class _AbstractPyroModule(_PyroModuleMeta, ABCMeta):
    """PyroModule has a metaclass of its own; this one lets it have abstract methods too."""


class LocalModule(TypedModule, PyroModule, metaclass=_AbstractPyroModule):
    """A Pyro module whose parameters live in it, so that several stand side by side, beside other Pyro programs."""

    def __init__(self) -> None:
        with local_parameters():
            super().__init__()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run :meth:`forward` with the parameters of this module."""
        with local_parameters():
            _prepare(self)  # it shares the store of a module that it has become a part of
            return super().__call__(*args, **kwargs)
