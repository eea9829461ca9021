"""The random numbers that a graph draws, taken out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.graph import CodeGen

from obsvae.errors import UsageError

# Operations that fill an empty tensor with numbers of a fixed distribution, and those that make such a tensor like
# another one: what they draw depends on no value.
_FILLS = {"normal_", "uniform_", "exponential_", "bernoulli_"}
_LIKES = {"rand_like", "randn_like"}


@dataclass(frozen=True)
class Draw:
    """A draw of random numbers from torch's generator.

    Attributes:
        operation: of torch.
        arguments: its arguments, without the tensor that it fills or is like.
        options: its keyword arguments.
        shape: of the numbers.
        dtype: of the numbers.
        is_into: whether the operation takes a tensor of the shape first.
    """

    operation: Any
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    shape: torch.Size
    dtype: torch.dtype
    is_into: bool

    def __call__(self, device: torch.device) -> Tensor:
        """Return the numbers."""
        into = (torch.empty(self.shape, dtype=self.dtype, device=device),) if self.is_into else ()
        drawn: Tensor = self.operation(*into, *self.arguments, **self.options)
        return drawn

    def axis(self, whole: "Draw", rows: int, of: int) -> int:
        """Return the axis of the data, by the same draw for more of them.

        Args:
            whole: that draw.
            rows: number of data of this one.
            of: number of data of that one.

        Raises:
            UsageError: where the two differ by more than that axis.
        """
        differing = [i for i, (n, N) in enumerate(zip(self.shape, whole.shape, strict=False)) if n != N]
        if (
            (self.operation, self.dtype, len(self.shape)) != (whole.operation, whole.dtype, len(whole.shape))
            or len(differing) != 1
            or (self.shape[differing[0]], whole.shape[differing[0]]) != (rows, of)
        ):
            raise UsageError(
                f"several processes need random numbers for each datum, but {of} data draw {tuple(whole.shape)} by "
                f"{whole.operation}, and {rows} data {tuple(self.shape)} by {self.operation}; train in one process"
            )
        return differing[0]


def without_noise(module: GraphModule) -> tuple[GraphModule, list[Draw]]:
    """Return a graph that takes its random numbers as further arguments, and the draws that it made of them.

    The module is used up. The graph holds the same parameters, and returns a tuple of what the module has returned.

    Raises:
        UsageError: where it draws numbers that depend on values, such as a Gamma variate of a shape parameter.
    """
    draws, graph = [], module.graph
    last = [node for node in graph.nodes if node.op == "placeholder"][-1]
    for node in list(graph.nodes):
        if node.op != "call_function" or torch.Tag.nondeterministic_seeded not in getattr(node.target, "tags", ()):
            continue
        draws.append(_draw(node))
        with graph.inserting_after(last):
            last = graph.placeholder(f"noise_{len(draws)}")
        last.meta = dict(node.meta)
        node.replace_all_uses_with(last)
        graph.erase_node(node)
    # What torch's export adds looks at arguments, and has a place for those of the module alone.
    graph.set_codegen(CodeGen())
    graph.eliminate_dead_code()
    return GraphModule(module, graph), draws


def _draw(node: Node) -> Draw:
    assert isinstance(node.target, torch._ops.OpOverload)
    name, numbers = node.target._schema.name.removeprefix("aten::"), node.meta["val"]
    first = node.args[0] if node.args else None
    is_into = isinstance(first, Node)
    rest = node.args[is_into:]
    is_filled = name in _FILLS and isinstance(first, Node) and "empty" in str(first.target) and len(first.users) == 1
    if _nodes(rest, node.kwargs.values()) or (is_into and not is_filled and name not in _LIKES):
        raise UsageError(
            f"several processes need random numbers that depend on no value, but {name} draws some that do, as guide "
            "student-t has it; train in one process, or take a guide that transforms standard draws, such as normal"
        )
    return Draw(node.target, tuple(rest), dict(node.kwargs), torch.Size(numbers.shape), numbers.dtype, is_into)


def _nodes(*arguments: Any) -> bool:
    """Return whether a tensor of the graph is among the arguments."""
    found: Sequence[Any] = torch.utils._pytree.tree_leaves(arguments)
    return any(isinstance(one, Node) for one in found)
