"""The table of likelihoods of dynamic MNIST in the paper on the Exemplar VAE: priors on the same networks."""

from collections.abc import Iterator, Mapping, Sequence

from obsvae.data import load
from obsvae.experiments.published.likelihood import Effort, Model, rows_of
from obsvae.experiments.published.row import Row

NAME = "exemplar-vae"
REFERENCE = "Norouzi, Fleet and Norouzi, Exemplar VAE, NeurIPS 2020, dynamic MNIST; priors by Tomczak and Welling 2018"
PROTOCOL = """\
Gated layers of 300 and 300 units, z of 40, minibatches of 100, Adam at 5e-4, KL warm-up over 100 epochs, early
stopping after 50 epochs without a better validation ELBO, up to 2000 epochs; 50,000 images, binarised anew in
each epoch.
Theirs: −log p by 5000 samples of the guide. Ours: the same, and 500 samples of refined proposals.
Differences: the output bias starts from the data, the validation ELBO has one draw of z, patience counts during
the warm-up, too, and the binarisation of the test images is a draw of ours."""

_NETWORKS = {"latent": 40, "hidden": (300, 300), "architecture": "mlp:activation=gated", "guide": "normal"}
_TRAINING = {"epochs": 2000, "batch_size": 100, "lr": 5e-4, "kl_warmup": 100, "patience": 50}
MODELS: Mapping[str, Model] = {
    "standard": Model(
        "exemplar-standard",
        "standard prior",
        84.45,
        "bernoulli",
        {**_NETWORKS, "prior": "standard-normal"},
        _TRAINING,
    ),
    "vamp": Model(
        "exemplar-vamp",
        "VampPrior, 500 pseudo-inputs",
        82.43,
        "bernoulli",
        {**_NETWORKS, "prior": "vamp:components=500"},
        _TRAINING,
    ),
}


def rows(models: Sequence[str], effort: Effort) -> Iterator[Row]:
    """Train and score models by their names in ``MODELS``; return each row as soon as it is there."""
    data = load("mnist", binarise="dynamic")
    for name in models:
        yield from rows_of(NAME, data, MODELS[name], effort)
