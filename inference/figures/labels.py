"""Labels beside the ends of lines, none of which hides another."""

import textwrap
from collections.abc import Sequence

import numpy as np

from obsvae.inference.figures.columns.view import literal


def apart(wanted: Sequence[float], heights: Sequence[float], top: float) -> np.ndarray:
    """Return places as near as may be to those that are wanted, so that labels do not overlap, ``(n,)``.

    In the order of the wanted places, labels that would overlap form a block, whose middle is the mean of what its
    members want; blocks that would overlap are joined. Where all of them do not fit, they begin at 0 and go on beyond
    the top.

    Args:
        wanted: the middle of each label.
        heights: of the labels.
        top: the greatest place; the least is 0.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[tuple[list[int], float, float]] = []  # members, height, lower end
    for i in order:
        block = [i], heights[i], _within(wanted[i] - heights[i] / 2, heights[i], top)
        while blocks and blocks[-1][2] + blocks[-1][1] > block[2]:
            members, height = blocks[-1][0] + block[0], blocks[-1][1] + block[1]
            block = members, height, _within(_lower_end(members, wanted, heights), height, top)
            blocks.pop()
        blocks.append(block)
    places = np.zeros(len(wanted))
    for members, _, at in blocks:
        for i in members:
            places[i] = at + heights[i] / 2
            at += heights[i]
    return places


def _lower_end(members: Sequence[int], wanted: Sequence[float], heights: Sequence[float]) -> float:
    """Return where a block begins whose members are as near as may be to what they want, by least squares."""
    below = np.cumsum([0.0, *(heights[i] for i in members[:-1])])
    return float(np.mean([wanted[i] - heights[i] / 2 - under for i, under in zip(members, below, strict=True)]))


def _within(low: float, height: float, top: float) -> float:
    return max(0.0, min(low, top - height))


def wrapped(name: str, width: int) -> list[str]:
    """Return the lines of a candidate's name, broken behind a colon or a comma rather than within a word."""
    pieces = name.replace(",", ", ").replace(":", ": ")
    lines = textwrap.wrap(pieces, width, break_on_hyphens=False) or [""]
    return [literal(line.replace(", ", ",").replace(": ", ":")) for line in lines]
