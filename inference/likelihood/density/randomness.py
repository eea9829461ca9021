"""Random numbers that belong to a datum, whatever it is computed with."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class Streams:
    """A stream of random numbers for each of B data, set by its values and a seed.

    Neither the other data, nor their order, nor how they are cut into chunks changes what a datum gets, so that equal
    data get equal numbers. They are drawn on the CPU, so that all devices get the same.

    Args:
        generators: one for each datum.
        device: where the numbers are wanted.
    """

    def __init__(self, generators: Sequence[torch.Generator], device: torch.device) -> None:
        self.generators, self.device = generators, device

    @classmethod
    def of(cls, x: Tensor, seed: int, is_distinct: bool = False) -> "Streams":
        """Return the streams of data x ``(B, *event)``.

        Args:
            x: the data.
            seed: of the numbers.
            is_distinct: whether equal data get numbers of their own, by their order among their equals.
        """
        generators, key = [], str(seed).encode()
        before = Counter[bytes]()
        for values in (x.detach().cpu().double() + 0.0).contiguous():  # -0 is 0
            content = values.numpy().tobytes()
            number = before[content] if is_distinct else 0
            before[content] += 1
            digest = hashlib.blake2b(content + (b"%d" % number if number else b""), digest_size=8, key=key).digest()
            generators.append(torch.Generator().manual_seed(int.from_bytes(digest, "little") % 2**63))
        return cls(generators, x.device)

    def __len__(self) -> int:
        """Return B."""
        return len(self.generators)

    def select(self, which: Tensor) -> "Streams":
        """Return the streams of some of the data, by index ``(b,)``; a datum that is named twice has but one."""
        return Streams([self.generators[i] for i in which.tolist()], self.device)

    def normal(self, k: int, like: Tensor) -> Tensor:
        """Return k draws from the standard Normal for each datum, ``(k, B, D)`` for a z ``(…, D)`` to be like."""
        D = like.shape[-1]
        return self._stacked(lambda g: torch.randn(k, D, dtype=like.dtype, generator=g))

    def uniform(self, k: int, like: Tensor) -> Tensor:
        """Return k draws from U(0, 1) for each datum, ``(k, B)``."""
        return self._stacked(lambda g: torch.rand(k, dtype=like.dtype, generator=g))

    def permutation(self, k: int) -> Tensor:
        """Return the numbers below k for each datum, in random order, ``(k, B)``."""
        return self._stacked(lambda g: torch.randperm(k, generator=g))

    def each[T](self, draw: Callable[[int], T]) -> list[T]:
        """Return ``draw(b)`` of each datum b, with torch's own generators set from its stream meanwhile.

        For distributions, which take no generator. Within :func:`seeded`, which puts the caller's state back.
        """
        found = []
        for number, generator in enumerate(self.generators):
            seed = int(torch.randint(2**62, (), generator=generator))
            torch.default_generator.manual_seed(seed)
            if self.device.type == "cuda":
                torch.cuda.default_generators[self.device.index or 0].manual_seed(seed)
            found.append(draw(number))
        return found

    def _stacked(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(generator) for generator in self.generators], 1).to(self.device)
