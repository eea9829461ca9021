"""Looking things up by name."""

import difflib
from collections.abc import Mapping


def lookup[T](kind: str, name: str, known: Mapping[str, T]) -> T:
    """Return ``known[name]``, or raise a ValueError that names the nearest known name and all of them."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, 1, 0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown {kind} {name!r}; {hint}known are {', '.join(known)}")
