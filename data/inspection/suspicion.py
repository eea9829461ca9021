"""Something that looks wrong in data."""

from collections.abc import Iterable
from dataclasses import dataclass

from obsvae.names import listed

MANY = 3  # columns of which nearly the same is said, from which on it is said once
TOLD = 5  # columns that are named
_FIRST = (  # kinds in the order in which they are told; others come after them
    "sentinel",
    "repeated rows",
    "beyond training",
    "unseen levels",
    "mixed scales",
    "spike",
    "rounded",
    "running number",
    "same columns",
    "constant",
    "few rows",
)


@dataclass(frozen=True)
class Suspicion:
    """What looks wrong in a column, in several, or in the data as a whole.

    Args:
        columns: their names, or those of an array's features; none where it is about the data as a whole.
        text: what it is, and what to do.

    """

    columns: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Return the line as it is printed."""
        if not self.columns:
            return self.text
        names = listed(self.columns, TOLD)
        return f"{names if names.isprintable() else repr(names)}: {self.text}"


@dataclass(frozen=True)
class Sign:
    """What one rule sees in one variable.

    Args:
        kind: of the rule.
        name: of the variable; empty for the data as a whole.
        text: what looks wrong, and what to do.
        size: how much, by which the worst variable is found.

    """

    kind: str
    name: str
    text: str
    size: float = 0.0


def together(signs: Iterable[Sign]) -> tuple[Suspicion, ...]:
    """Return what rules see, once, the worst kinds first: variables of the same text stand together.

    What a rule sees in many variables, in texts that differ in their numbers, is told by the worst example.
    """
    by_kind: dict[str, dict[str, list[Sign]]] = {}
    for sign in sorted(signs, key=lambda one: _FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST)):
        by_kind.setdefault(sign.kind, {}).setdefault(sign.text, []).append(sign)
    found = []
    for said in by_kind.values():
        if len(said) <= MANY:
            found += [Suspicion(tuple(one.name for one in same if one.name), text) for text, same in said.items()]
            continue
        everyone = [one for same in said.values() for one in same]
        worst = max(everyone, key=lambda one: one.size)
        found.append(Suspicion(tuple(one.name for one in everyone), f"such as {worst.name!r}: {worst.text}"))
    return tuple(found)
