"""Callbacks of training."""

from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.history import History
from obsvae.inference.training.state import TrainingState


class StopTraining(Exception):  # noqa: N818 - it names what is asked for
    """Raised by a callback after an epoch to end training in order, as patience does."""


class Callback:
    """Called by :func:`fit`; each method does nothing by default."""

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        """Be called once all checks have passed and the pair has its initial weights, before the first step."""

    def on_state(self, state: TrainingState) -> None:
        """Be called after each epoch, before :meth:`on_epoch`, with all that the next epochs depend on."""

    def on_epoch(self, history: History) -> None:
        """Be called after each epoch, when model and guide have that epoch's weights; :class:`StopTraining` ends it."""

    def on_end(self, history: History) -> None:
        """Be called at the end, also of a training that was interrupted or diverged, with the weights that are kept."""
