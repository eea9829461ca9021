"""The table of likelihoods of MNIST in the paper on importance weighted autoencoders."""

from collections.abc import Iterator, Mapping, Sequence

from obsvae.data import load
from obsvae.experiments.published.likelihood import Effort, Model, rows_of
from obsvae.experiments.published.row import Row

NAME = "iwae"
REFERENCE = "Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, ICLR 2016; DReG by a replication"
PROTOCOL = """\
Two tanh layers of 200 units, z of 50, minibatches of 20, the authors' stages of the learning rate (3280
epochs); MNIST, binarised anew in each epoch.
Theirs: −log p by 5000 samples of the guide. Ours: the same, and 500 samples of refined proposals.
Differences: 30 epochs where no others are asked for, which are the first stages of the schedule; 10,000 of the
training images choose the best epoch; Adam's ε is torch's, not 1e-4; the test images are binarised by a draw of
ours."""

_NETWORKS = {"latent": 50, "hidden": (200, 200), "architecture": "mlp:activation=tanh"}
_TRAINING = {"epochs": 30, "batch_size": 20, "lr": 1e-3, "schedule": "stages"}
MODELS: Mapping[str, Model] = {
    "vae": Model("iwae-vae", "VAE, k = 1", 86.76, "bernoulli", _NETWORKS, _TRAINING),
    "iwae-5": Model(
        "iwae-5",
        "IWAE, k = 5",
        85.54,
        "bernoulli",
        _NETWORKS,
        {**_TRAINING, "objective": "iwae:particles=5,gradient=total"},
    ),
    "iwae-50": Model(
        "iwae-50",
        "IWAE, k = 50",
        84.78,
        "bernoulli",
        _NETWORKS,
        {**_TRAINING, "objective": "iwae:particles=50,gradient=total"},
    ),
    "dreg-50": Model(
        "dreg-50",
        "DReG, k = 50",
        84.32,
        "bernoulli",
        _NETWORKS,
        {**_TRAINING, "objective": "iwae:particles=50,gradient=dreg"},
    ),
}


def rows(models: Sequence[str], effort: Effort) -> Iterator[Row]:
    """Train and score models by their names in ``MODELS``; return each row as soon as it is there."""
    data = load("mnist", binarise="dynamic")
    for name in models:
        yield from rows_of(NAME, data, MODELS[name], effort)
