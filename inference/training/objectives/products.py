"""The products of networks in another type of number."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch.fx import GraphModule, Node

from obsvae.errors import UsageError

Precision = Literal["f32", "bf16"]
# What networks multiply in during a training; None: the type of their weights.
PRECISIONS: Mapping[str, torch.dtype | None] = {"f32": None, "bf16": torch.bfloat16}
_OPS = torch.ops.aten
# Linear maps and convolutions, whose third argument is a bias: none, or one number for each output (or channel).
_LINEAR = _OPS.linear.default
_CONVOLUTIONS: Sequence[torch._ops.OpOverload] = (
    _OPS.conv1d.default,
    _OPS.conv1d.padding,
    _OPS.conv2d.default,
    _OPS.conv2d.padding,
    _OPS.conv3d.default,
    _OPS.conv3d.padding,
    _OPS.conv_transpose1d.default,
    _OPS.conv_transpose2d.input,
    _OPS.conv_transpose3d.input,
)


def round_products(graph: GraphModule, dtype: torch.dtype) -> None:
    r"""Let a graph take the products of its linear maps and convolutions in another type of number.

    .. math:: W x + b \approx \mathrm{round}(\mathrm{round}(W) \, \mathrm{round}(x)) + b

    Weights, biases, sums with biases and all else keep their type, other products (``@``, bilinear maps, recurrent
    layers) among them; gradients of products are products in that type.

    Args:
        graph: as :func:`torch.export.export` leaves it; it is changed.
        dtype: such as ``torch.bfloat16``, with 8 significant bits.

    Raises:
        UsageError: for a graph without a linear map or convolution.
    """
    products = [node for node in graph.graph.nodes if node.target is _LINEAR or node.target in _CONVOLUTIONS]
    if not products:
        raise UsageError(
            "precision='bf16' takes the products of linear maps and convolutions in bfloat16, but this pair has none; "
            "leave it out"
        )
    for node in products:
        _round(graph, node, dtype)
    graph.graph.lint()
    graph.recompile()


def _round(graph: GraphModule, node: Node, dtype: torch.dtype) -> None:
    assert not isinstance(node.target, str)
    x, weight, *rest = node.args
    assert isinstance(weight, Node)
    bias = rest[0] if rest else None
    kept = node.meta["val"].dtype
    call = graph.graph.call_function
    with graph.graph.inserting_before(node):
        small = [call(_OPS.to.dtype, (each, dtype)) for each in (x, weight)]
        product = call(node.target, (*small, None, *rest[1:]), dict(node.kwargs))
        result = call(_OPS.to.dtype, (product, kept))
        if bias is not None:
            if node.target is not _LINEAR:  # channels stand before the axes of space
                axes = weight.meta["val"].ndim - 2
                bias = call(_OPS.reshape.default, (bias, [-1, *[1] * axes]))
            result = call(_OPS.add.Tensor, (result, bias))
    result.meta["val"] = node.meta["val"]
    node.replace_all_uses_with(result)
    graph.graph.erase_node(node)
