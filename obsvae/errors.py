"""The errors that tell users of a mistake of theirs."""


def one_line(text: str) -> str:
    """Return a text in one line that a terminal shows as it stands: line breaks and control characters as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class UsageError(ValueError):
    """A mistake of the user's; the message says what was needed, what arrived, and what to do.

    It is one line, whatever the names in it hold. Whatever else is raised is a fault of the program.

    Args:
        message: what to say.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class MeasureMismatch(UsageError):  # noqa: N818 - it names what happened
    """Raised where numbers of different measures would be compared, or a loss would be called a likelihood."""
