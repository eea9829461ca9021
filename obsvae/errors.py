"""The error that tells users of a mistake of theirs."""


class UsageError(ValueError):
    """A mistake of the user's; the message says what was needed, what arrived, and what to do.

    Whatever else is raised is a fault of the program.
    """
