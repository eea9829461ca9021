"""Looking things up by name."""

import difflib
from collections.abc import Iterable, Mapping

from obsvae.errors import UsageError

_LONGEST = 200  # characters of an unknown name in a message


def lookup[T](kind: str, name: str, known: Mapping[str, T], otherwise: str = "") -> T:
    """Return ``known[name]``.

    Args:
        kind: the kind of thing that is named, for the message.
        name: which one.
        known: the values by name.
        otherwise: text added to the list of known names, about other values that are allowed.

    Raises:
        UsageError: for an unknown name, with the nearest known one and all of them.
    """
    if name in known:
        return known[name]
    raise UsageError(f"unknown {kind} {_shown(name)}; {nearest(name, known)}known are {', '.join(known)}{otherwise}")


def _shown(name: object) -> str:
    """Return what was given in place of a name, in quotes; of a long text its ends."""
    text = repr(name)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}...{text[-_LONGEST // 2 :]}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the question for a message whether the nearest known name was meant; empty where none is near."""
    near = difflib.get_close_matches(str(name).lower(), list(known), 1, 0.4)
    return f"did you mean {near[0]!r}? " if near else ""


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return names with commas, the first of many."""
    there = list(names)
    more = f" and {len(there) - most} more" if len(there) > most else ""
    return ", ".join(repr(name) for name in there[:most]) + more
