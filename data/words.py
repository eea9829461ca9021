"""The words of an error about a name nobody knows."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(what: str, given: object, known: Iterable[str], otherwise: str = "") -> ValueError:
    """Return the error for an unknown name: what was given, the nearest known name, and all known ones."""
    known = list(known)
    near = get_close_matches(str(given).lower(), known, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else "."
    return ValueError(f"unknown {what} {given!r}{guess} Known: {', '.join(known)}{otherwise}")
