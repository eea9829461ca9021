"""Torch modules of which type checkers know every attribute."""

from abc import ABC
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Never, Protocol

from torch import nn


class HasModules(Protocol):
    """Anything with parts that are torch modules."""

    def modules(self) -> Iterator[nn.Module]: ...  # noqa: D102 - as torch has it


class TypedModule(nn.Module, ABC):
    """A torch module, of which a misspelt attribute is an error for mypy.

    Buffers, which torch registers by name, are declared in the class: ``offset: Tensor``.
    """

    if TYPE_CHECKING:
        # A variable in the place of torch's method, for which mypy accepts every name.
        __getattr__: Callable[[str], Never]  # type: ignore[misc]  # mypy wants a method here
