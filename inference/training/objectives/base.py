"""The base class of objectives."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.options import Option


class Objective(nn.Module):
    """What training minimises: minus a bound on log p(x), or what stands in its place.

    Args:
        model: the generative model.
        guide: its guide.

    Attributes:
        options: keyword arguments, beside these, that a text such as ``iwae:particles=10`` may give.
        particles: draws of z for each datum.
        is_mean: whether the value for a minibatch is the mean of those for its data.
    """

    options: ClassVar[tuple[Option, ...]] = ()
    particles: int = 1
    is_mean: bool = True

    def __init__(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        super().__init__()
        self.model, self.guide = model, guide

    @property
    @abstractmethod
    def bound(self) -> str:
        """What is maximised in a word, such as ELBO; ``objective`` where it bounds no likelihood."""

    @abstractmethod
    def forward(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return its value for x ``(N, *event)``, a scalar in nats per datum, with a weight on its KL term.

        Args:
            x: data.
            beta: the weight.
            c: conditions ``(N, C)``; None where the model has none.
        """

    def check(self, x: Tensor, c: Tensor | None = None) -> None:
        """Refuse a pair that the objective is not for, as a few data x ``(N, *event)`` show: none.

        Raises:
            UsageError: saying what was needed.
        """
