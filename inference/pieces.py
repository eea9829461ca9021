"""Work in pieces, which whoever keeps them need not do again."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

# What a piece of work has found, by name.
Piece = Mapping[str, np.ndarray]


class Pieces:
    """The pieces of a work, one after another: here each is computed, and none is kept.

    A subclass keeps them, and gives back those that an interrupted work has left. Numbers do not depend on it: random
    numbers belong to a datum, and the pieces are the same whether they are kept or not.

    Attributes:
        seconds: that it took to compute those that were given back.
    """

    seconds = 0.0

    def part(self, name: str) -> "Pieces":
        """Return the pieces of a part of the work.

        Args:
            name: of letters, digits and hyphens, which no other part of this work has.
        """
        return self

    def each(self, count: int, compute: Callable[[int], Piece]) -> Iterator[Piece]:
        """Return the pieces in their order.

        Args:
            count: their number.
            compute: returns a piece by its number, from 0.
        """
        for number in range(count):
            yield compute(number)


NOT_KEPT = Pieces()
