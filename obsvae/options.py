"""Options of observations, guides and priors, as they are written in a text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from obsvae.errors import UsageError
from obsvae.names import lookup


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
    """An option of a family, a wrapper, a guide or a prior.

    Attributes:
        name: as it is written, and the keyword argument of what it is an option of.
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


class HasOptions(Protocol):
    """A class of which the options are declared."""

    @property
    def options(self) -> tuple[Option, ...]: ...  # noqa: D102 - the class attribute


def chosen[T: HasOptions](kind: str, text: str, known: Mapping[str, T]) -> tuple[T, dict[str, Any]]:
    """Return what ``name`` or ``name:option=value,option=value`` stands for, and the options that it gives.

    Args:
        kind: the kind of thing that is named, for messages.
        text: such as ``low-rank:rank=8``.
        known: by name.

    Raises:
        UsageError: for an unknown name (naming the nearest), an unknown option (naming the valid ones), one that is
            given twice, or a value of the wrong kind.
    """
    if not isinstance(text, str):
        raise UsageError(f"{kind} needs a text, such as {next(iter(known))!r}, but got {type(text).__name__}")
    name, _, rest = text.partition(":")
    found, given = lookup(kind, name, known), dict[str, Any]()
    for item in filter(None, rest.split(",")):
        key, equals, value = item.partition("=")
        option = next((one for one in found.options if one.name == key), None)
        if option is None or not equals:
            valid = ", ".join(one.name for one in found.options)
            its = f"its options are: {valid} (written option=value)" if valid else "it takes none"
            raise UsageError(f"{kind} {name} has no option {item!r}; {its}")
        if key in given:
            raise UsageError(f"{kind} {name} got option {key!r} twice: {text}")
        given[key] = option.read(name, value)
    return found, given


def described(name: str, options: tuple[Option, ...]) -> str:
    """Return a name as it is written with all of its options at their defaults."""
    return f"{name}:{','.join(map(str, options))}" if options else name
