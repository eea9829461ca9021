"""Where the particles of an importance-weighted likelihood come from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar

from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.density.joint import Joint

# Particles of a datum that are drawn at once, whatever the memory: its random numbers must not depend on that.
BLOCK = 1000


class Sampler(ABC):
    """Weighted particles of the data that it was prepared for.

    Attributes:
        spent: how often p(x, z) was evaluated in preparation, for each datum ``(B,)``.
        evaluations: how often it is for one particle, of each datum ``(B,)`` or of all.
    """

    spent: Tensor
    evaluations: Tensor | int = 1

    @abstractmethod
    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        """Return k particles z ``(k, B, D)`` and their log-weights ``(k, B)``; E[exp(log-weight)] = p(x)."""

    def log_density(self, z: Tensor) -> Tensor:
        """Return log q(z) ``(k, B)`` of the distribution that particles are drawn from, for z ``(k, B, D)``.

        Raises:
            UsageError: where it is not known, as that of the ends of chains.
        """
        raise UsageError("the density of these particles is not known; take the refined or the amortised proposal")


def in_blocks(sampler: Callable[[int], tuple[Tensor, Tensor]], k: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Return k particles of a sampler and their log-weights in blocks, which bounds the memory."""
    return (sampler(min(BLOCK, k - start)) for start in range(0, k, BLOCK))


class Proposal(ABC):
    """How particles are proposed: prepared for a batch of data, it gives a :class:`Sampler`.

    Attributes:
        name: what it is called in results.
        remedy: what to do about data whose estimates are flagged.
        batch: how many data are prepared at once; of small data they may be more.
    """

    name: ClassVar[str] = "own"
    remedy: ClassVar[str] = "take more particles"
    batch: ClassVar[int] = 100

    @abstractmethod
    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler for the data of ``joint``."""

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return about how many bytes a datum needs, besides its log-weights and the decoder's passes."""
        return 0
