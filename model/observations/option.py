"""The options of a family, as they are written in a text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from obsvae.errors import UsageError


@dataclass(frozen=True)
class Kind:
    """How the value of an option is read.

    Attributes:
        words: what it has to be.
        read: from text to the value; a ValueError or KeyError for text of another kind.
    """

    words: str
    read: Callable[[str], Any]


def _number_or_word(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


TRUTH = Kind("true or false", lambda text: {"true": True, "false": False}[text.lower()])
WHOLE_NUMBER = Kind("a whole number", int)
NUMBER = Kind("a number", float)
WORD = Kind("a word", str)
NUMBER_OR_WORD = Kind("a number or a word", _number_or_word)


@dataclass(frozen=True)
class Option:
    """An option of a family or a wrapper.

    Attributes:
        name: as it is written, and the keyword argument of ``for_data`` or ``wrap``.
        kind: how its value is read.
        default: its value where it is not given; None where the data answer it, or where there is none.
        is_required: whether it has to be given.
    """

    name: str
    kind: Kind
    default: object = None
    is_required: bool = False

    def read(self, owner: str, text: str) -> Any:
        """Return the value that a text stands for.

        Raises:
            UsageError: for a text of another kind.
        """
        try:
            return self.kind.read(text)
        except (KeyError, ValueError):
            raise UsageError(f"{owner}: option {self.name} takes {self.kind.words}, but got {text!r}") from None

    def __str__(self) -> str:
        """Return the name, with the default where there is one."""
        return self.name if self.default is None else f"{self.name}={str(self.default).lower()}"
