"""How long to train, where nobody says."""

from dataclasses import dataclass

# Without a better validation ELBO for as many epochs, and as many steps: small data have few steps in an epoch.
PATIENT_EPOCHS, PATIENT_STEPS = 10, 1000
# At most, whichever is more.
MOST_EPOCHS, MOST_STEPS = 200, 20_000


@dataclass(frozen=True)
class Budget:
    """How long to train.

    Attributes:
        epochs: passes over the training data at most.
        patience: epochs without a better validation ELBO after which training stops. None: never.
    """

    epochs: int
    patience: int | None

    @classmethod
    def of(cls, epochs: int | None, patience: int | None, *, rows: int, batch_size: int) -> "Budget":
        """Return the budget that is meant: who names epochs gets these, and else training goes on while it gains.

        Args:
            epochs: None: until validation has stopped improving, with a generous limit.
            patience: None: never to stop before the epochs that are named; where none are, 10 epochs and at least 1000
                steps.
            rows: number of training data.
            batch_size: data in a minibatch.
        """
        if epochs is not None:
            return cls(epochs, patience)
        steps = -(-rows // batch_size)
        most = max(MOST_EPOCHS, -(-MOST_STEPS // steps))
        return cls(most, max(PATIENT_EPOCHS, -(-PATIENT_STEPS // steps)) if patience is None else patience)
