"""Bits per dimension of the Frey faces, as the papers on flows for variational inference report them."""

from collections.abc import Iterator, Mapping, Sequence

from obsvae.data import load
from obsvae.experiments.published.likelihood import Effort, Model, rows_of
from obsvae.experiments.published.row import Row

NAME = "frey-faces"
REFERENCE = "van den Berg et al., Sylvester normalizing flows, UAI 2018: without a flow 4.53, with flows 4.40 to 4.47"
PROTOCOL = """\
1965 faces of 28 × 20 grey levels; bits per dimension of the mass of the 256 levels, by samples of the guide.
Differences: theirs are gated convolutions with a probability for each level, ours fully connected gated layers
of 300 and 300 units with the mass of a logistic distribution in each level; z of 64, 100 epochs of warm-up and
a patience of 50; the split, 1565 / 200 / 200, is a draw of ours."""

_TRAINING = {"epochs": 2000, "batch_size": 100, "lr": 5e-4, "kl_warmup": 100, "patience": 50}
_NETWORKS = {"latent": 64, "hidden": (300, 300), "architecture": "mlp:activation=gated"}
MODELS: Mapping[str, Model] = {
    "normal": Model(
        "frey-normal",
        "without a flow",
        4.53,
        "discretised:inner=logistic,scale=decoder",
        {**_NETWORKS, "guide": "normal"},
        _TRAINING,
    ),
    "flow": Model(
        "frey-flow",
        "with a flow (theirs: the best)",
        4.40,
        "discretised:inner=logistic,scale=decoder",
        {**_NETWORKS, "guide": "flow"},
        _TRAINING,
    ),
}


def rows(models: Sequence[str], effort: Effort) -> Iterator[Row]:
    """Train and score models by their names in ``MODELS``; return each row as soon as it is there."""
    data = load("freyfaces")
    for name in models:
        yield from rows_of(NAME, data, MODELS[name], effort, in_bits=True)
