"""The errors that tell users of a mistake of theirs."""


class UsageError(ValueError):
    """A mistake of the user's; the message says what was needed, what arrived, and what to do.

    Whatever else is raised is a fault of the program.
    """


class MeasureMismatch(UsageError):  # noqa: N818 - it names what happened
    """Raised where numbers of different measures would be compared, or a loss would be called a likelihood."""
