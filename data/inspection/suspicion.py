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
_OF_DENSITY = ("spike", "rounded", "constant")


@dataclass(frozen=True)
class Suspicion:
    """What looks wrong in a column, in several, or in the data as a whole.

    Args:
        columns: their names, or those of an array's features; none where it is about the data as a whole.
        text: what it is, and what to do.
        is_of_density: whether it matters to densities alone: masses, also those at 0, say it.

    """

    columns: tuple[str, ...]
    text: str
    is_of_density: bool = False

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
        gist: what tells it from others of its kind, such as a value: texts of one gist differ in shares alone.

    """

    kind: str
    name: str
    text: str
    size: float = 0.0
    gist: str = ""


def together(signs: Iterable[Sign]) -> tuple[Suspicion, ...]:
    """Return what rules see, once, the worst kinds first: variables of the same text stand together.

    What a rule sees in many variables, in texts of one gist, is told by the worst example.
    """
    by_gist: dict[tuple[str, str], dict[str, list[Sign]]] = {}
    for sign in sorted(signs, key=lambda one: _FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST)):
        by_gist.setdefault((sign.kind, sign.gist), {}).setdefault(sign.text, []).append(sign)
    found = []
    for (kind, _), said in by_gist.items():
        of_density = kind in _OF_DENSITY
        if len(said) == 1 or sum(map(len, said.values())) <= MANY:
            for text, same in said.items():
                found.append(Suspicion(tuple(one.name for one in same if one.name), text, of_density))
            continue
        everyone = [one for same in said.values() for one in same]
        worst = max(everyone, key=lambda one: one.size)
        names = tuple(one.name for one in everyone)
        found.append(Suspicion(names, f"such as {worst.name!r}: {worst.text}", of_density))
    return tuple(found)
