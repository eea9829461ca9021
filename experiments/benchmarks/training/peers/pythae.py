"""pythae's VAE, its loss and the step of its trainer; its data loader, which takes longer, is left out."""

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import Tensor

from .talk import Job, serve
from .torch_networks import Networks


class Encoder(BaseEncoder):
    """Mean and log-variance of q(z | x).

    Args:
        networks: with the encoder.
    """

    def __init__(self, networks: Networks) -> None:
        BaseEncoder.__init__(self)
        self.networks = networks

    def forward(self, x: Tensor) -> ModelOutput:
        """Return both."""
        loc, raw = self.networks.encoder(self.networks.seen(x)).chunk(2, -1)
        return ModelOutput(embedding=loc, log_covariance=raw)


class Decoder(BaseDecoder):
    """The mean of x.

    Args:
        networks: with the decoder.
        is_binary: whether x is 0 or 1.
    """

    def __init__(self, networks: Networks, is_binary: bool) -> None:
        BaseDecoder.__init__(self)
        self.networks, self.is_binary = networks, is_binary

    def forward(self, z: Tensor) -> ModelOutput:
        """Return it."""
        eta = self.networks.decoder(z)
        mean = torch.sigmoid(eta) if self.is_binary else self.networks.location(eta, self.networks.groups[0])
        return ModelOutput(reconstruction=mean)


class Loop:
    """Training by the step of pythae's ``BaseTrainer.train_step``.

    Args:
        job: to train.
    """

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        torch.manual_seed(0)
        self.job, self.x, networks = job, torch.from_numpy(job.x), Networks(job)
        self.is_binary = job.groups[0].family == "bernoulli"
        config = VAEConfig(
            input_dim=(job.x.shape[1],),
            latent_dim=job.latent,
            reconstruction_loss="bce" if self.is_binary else "mse",
        )
        self.model = VAE(config, Encoder(networks), Decoder(networks, self.is_binary))
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=job.lr)

    def train(self, steps: int) -> None:
        """Take steps."""
        total = 0.0
        for rows, number in self.job.epochs(steps):
            for index in torch.from_numpy(rows)[:number]:
                output = self.model({"data": self.x[index]})
                self.optimiser.zero_grad()
                output.loss.backward()
                self.optimiser.step()
                total += output.loss.item()

    def elbo(self) -> float | None:
        """Return the ELBO per datum; its squared error stands for a σ that is fixed, another model than the others'."""
        if not self.is_binary:
            return None
        with torch.no_grad():
            return -self.model({"data": self.x[: self.job.evaluated]}).loss.item()


if __name__ == "__main__":
    serve(Loop)
