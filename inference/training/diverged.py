"""The end of a training whose numbers are no longer finite."""

from obsvae.inference.training.history import History


class TrainingDiverged(ArithmeticError):  # noqa: N818 - it names what happened
    """Raised where the loss, the weights or the validation ELBO are no longer finite.

    Model and guide have the weights of the best epoch before, or the initial ones.

    Attributes:
        history: the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history
