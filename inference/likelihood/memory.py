"""How much memory a computation may need."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Allocations(TorchDispatchMode):
    """Adds up the bytes of every tensor that an operation makes; a view makes none."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return no: nothing compiles under this mode, and to shield it torch would load its compiler for seconds."""
        return False

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        old = {t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        new = {t.untyped_storage().data_ptr(): t for t in tree_leaves(result) if isinstance(t, Tensor)}
        self.bytes += sum(t.untyped_storage().nbytes() for pointer, t in new.items() if pointer not in old)
        return result


def bytes_allocated(compute: Callable[[], object]) -> int:
    """Return the bytes that a computation allocates in all: an upper bound on what it has at any one time."""
    with _Allocations() as allocations:
        compute()
    return allocations.bytes
