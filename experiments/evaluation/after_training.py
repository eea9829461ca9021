"""What is told to whoever trains: of the data before, and of how training went after it."""

import sys
from collections.abc import Sequence

from obsvae.data import Dataset
from obsvae.experiments.evaluation.doubts import active_latents, of_data, of_latents, of_steps
from obsvae.experiments.runs.run import Run
from obsvae.inference import Callback
from obsvae.model import VAE


class TellDoubts(Callback):
    """Tells on standard error what looks wrong in the data, once the observation has accepted them.

    Args:
        data: to be trained on.
        notes: what else to tell, before that.
    """

    def __init__(self, data: Dataset, notes: Sequence[str] = ()) -> None:
        self.data, self.notes = data, notes

    def on_start(self, model: object, guide: object) -> None:
        """Tell it."""
        assert isinstance(model, VAE)
        for note in self.notes:
            print(note, file=sys.stderr)
        for found in of_data(self.data, model.observation):
            print(found, file=sys.stderr)


def summary(run: Run) -> str:
    """Return in a line how training went, and in others that it was short, or leaves latents unused, where so."""
    history = run.history
    if not history.best:
        return f"{history.stopped} before the first epoch ended"
    more = "; it was still improving: more epochs would be better" if history.is_improving else ""
    which = "weights" if history.averaging is None else f"averaged weights (decay {history.averaging:g})"
    line = (
        f"{history.stopped} after {len(history)} epochs of {history.epochs[-1].seconds / len(history):.1f} s; {which} "
        f"of epoch {history.best.epoch}, validation {history.objective} {history.best.validation_elbo:.2f} nats per "
        f"datum{more}"
    )
    found = [*of_latents(active_latents(run)), *of_steps(run.config, len(run.data.train))]
    return "\n".join([line, *map(str, found)])
