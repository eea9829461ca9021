"""The time that a recommendation may take."""

import time

# Kept back for what follows the last trial, as a share of all.
_KEPT = 0.05


class Clock:
    """Runs from the moment it is made.

    Args:
        minutes: that all may take.
    """

    def __init__(self, minutes: float) -> None:
        self.start, self.seconds = time.time(), 60.0 * minutes

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return time.time() - self.start

    @property
    def end(self) -> float:
        """When the last trial is to have ended, in seconds since the epoch of :func:`time.time`."""
        return self.start + (1.0 - _KEPT) * self.seconds

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.end - time.time()
