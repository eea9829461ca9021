"""Where the particles of an importance-weighted likelihood come from."""

from collections.abc import Callable

from pyro.nn import PyroModule
from torch import Tensor

# From a model, its guide and data (N, *event) to a Pyro program over the model's latent sites, which is called with the
# same data. It may be prepared per datum; what it samples is replayed through the model.
Proposal = Callable[[PyroModule, PyroModule, Tensor], Callable[[Tensor], object]]


def amortised(model: PyroModule, guide: PyroModule, x: Tensor) -> Callable[[Tensor], object]:
    """Propose from the guide as it was trained."""
    return guide
