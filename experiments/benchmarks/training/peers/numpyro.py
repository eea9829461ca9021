"""NumPyro's SVI, the steps of an epoch in one compiled loop, as in its own example of a VAE."""

from functools import partial

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax import Array, lax
from numpyro.infer import SVI, TraceMeanField_ELBO
from numpyro.infer.svi import SVIState

from .talk import SHIFT, Group, Job, serve

Layers = list[tuple[Array, Array]]


class Loop:
    """Training by ``SVI.update``.

    Args:
        job: to train. Its number of threads is that of the cores the process may use, which JAX starts as many for.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.x = job, jnp.asarray(job.x)
        self.start = {name: jnp.asarray(value) for name, value in job.start.items()}
        self.svi = SVI(self.model, self.guide, numpyro.optim.Adam(job.lr), TraceMeanField_ELBO())
        self.state: SVIState = self.svi.init(jax.random.PRNGKey(0), self.x[: job.batch_size])

    def model(self, x: Array) -> None:
        """p(z) p(x | z)."""
        decoder = self.network("decoder")
        with numpyro.plate("data", len(x)):
            z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([self.job.latent]).to_event(1))
            eta = forward(decoder, z)
            for group in self.job.groups:
                value = x[:, group.columns]
                value = value.astype(jnp.int32) if group.family == "categorical" else value
                numpyro.sample(f"x_{group.number}", self.head(eta, group).to_event(1), obs=value)

    def guide(self, x: Array) -> None:
        """q(z | x)."""
        encoder = self.network("encoder")
        with numpyro.plate("data", len(x)):
            loc, raw = jnp.split(forward(encoder, self.seen(x)), 2, -1)
            numpyro.sample("z", dist.Normal(loc, self.job.floor + jax.nn.softplus(raw)).to_event(1))

    def network(self, name: str) -> Layers:
        """Return the layers of ``encoder`` or ``decoder``; weights are ``(inputs, outputs)``."""
        return [
            (numpyro.param(f"{name}.{i}.weight", jnp.asarray(weight.T)), numpyro.param(f"{name}.{i}.bias", bias))
            for i, (weight, bias) in enumerate(self.job.layers(name))
        ]

    def seen(self, x: Array) -> Array:
        """Return what the encoder sees of x."""
        return jnp.concatenate([self._seen(x[:, group.columns], group) for group in self.job.groups], -1)

    def _seen(self, x: Array, group: Group) -> Array:
        if group.seen == "one-hot":
            return jax.nn.one_hot(x, group.levels).reshape(len(x), -1)
        u = {"plain": lambda x: x, "log": jnp.log, "log1p": jnp.log1p}[group.seen](x)
        u = (u - self.of(group, "offset")) / self.of(group, "size")
        return u if group.seen == "plain" else jnp.concatenate([u, (x == 0).astype(x.dtype)], -1)

    def head(self, eta: Array, group: Group) -> dist.Distribution:
        """Return the distribution of a group's features, elementwise."""
        outputs = eta[:, group.outputs]
        if group.family in ("normal", "log-normal"):
            raw = numpyro.param(f"raw_scale_{group.number}", self.of(group, "raw_scale"))
            sigma = self.of(group, "scale_start") * (self.job.scale_floor + jax.nn.softplus(raw + SHIFT))
            family = dist.Normal if group.family == "normal" else dist.LogNormal
            return family(self.of(group, "centre") + self.of(group, "spread") * outputs, sigma)
        if group.family == "bernoulli":
            return dist.Bernoulli(logits=outputs)
        if group.family == "poisson":
            return dist.Poisson(jnp.exp(outputs))
        return dist.Categorical(logits=outputs.reshape(*outputs.shape[:-1], group.features, group.levels))

    def of(self, group: Group, name: str) -> Array:
        """Return a constant of a group."""
        return self.start[f"{name}_{group.number}"]

    def train(self, steps: int) -> None:
        """Take steps."""
        for rows, number in self.job.epochs(steps):
            self.state, loss = self.epoch(self.state, self.x, jnp.asarray(rows, jnp.int32), number)
        loss.block_until_ready()

    @partial(jax.jit, static_argnums=0, donate_argnums=1)
    def epoch(self, state: SVIState, x: Array, rows: Array, number: int) -> tuple[SVIState, Array]:
        """Take the first steps of an epoch, and return the sum of their losses."""

        def step(i: Array, carried: tuple[SVIState, Array]) -> tuple[SVIState, Array]:
            state, loss = self.svi.update(carried[0], x[rows[i]])
            return state, carried[1] + loss

        return lax.fori_loop(0, number, step, (state, jnp.zeros(())))

    def elbo(self) -> float:
        """Return the ELBO per datum."""
        x = self.x[: self.job.evaluated].reshape(-1, self.job.batch_size, self.x.shape[1])
        losses = lax.map(partial(self.svi.evaluate, self.state), x)
        return -float(losses.sum()) / self.job.evaluated


def forward(layers: Layers, u: Array) -> Array:
    """Return the outputs of fully connected layers with ReLU between them."""
    for weight, bias in layers[:-1]:
        u = jax.nn.relu(u @ weight + bias)
    weight, bias = layers[-1]
    return u @ weight + bias


if __name__ == "__main__":
    serve(Loop)
