"""Which families stand together in a trial."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np


def crossed(candidates: Mapping[str, Sequence[str]], seed: int) -> list[dict[str, str]]:
    """Return trials that have a candidate of each question, and each candidate at least once.

    All questions are asked at the same time, which costs as many trials as the longest list has candidates. What
    stands beside a candidate is drawn at random, and differs from round to round.

    Args:
        candidates: by question.
        seed: of the round.
    """
    rng = np.random.default_rng(seed)
    orders = {name: [some[i] for i in rng.permutation(len(some))] for name, some in candidates.items()}
    number = max(len(some) for some in candidates.values())
    return [{name: order[i % len(order)] for name, order in orders.items()} for i in range(number)]


def swapped(
    leaders: Mapping[str, str], candidates: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Return, for each candidate that does not lead, its question and the leaders with it in its place.

    The second of each question come first, then the third: where time runs out all questions have been asked.
    """
    others = {name: [one for one in some if one != leaders[name]] for name, some in candidates.items()}
    for place in range(max(map(len, others.values()), default=0)):
        for name, some in others.items():
            if place < len(some):
                yield name, {**leaders, name: some[place]}
