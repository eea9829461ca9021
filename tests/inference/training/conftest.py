"""A small problem to train on, and what is looked at in training."""

import dataclasses

import pyro
import pytest
import torch
from pyro.infer import TraceMeanField_ELBO

from obsvae.inference import Callback
from obsvae.inference.training.objectives.pyro_elbo import PyroELBO

OPTIONS = {"batch_size": 50, "lr": 1e-2, "exported": False, "progress": False}


def weights(problem):
    return {
        f"{part}.{name}": value.clone()
        for part in ("model", "guide")
        for name, value in getattr(problem, part).state_dict().items()
    }


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def untimed(history):
    return [dataclasses.replace(epoch, seconds=0.0) for epoch in history]


def started(problem):
    """Return the problem with the weights it has for those that training starts from."""
    problem.model.initialised.fill_(True)
    problem.guide.encoder.initialised.fill_(True)
    return problem


class Batches(Callback):
    """Keeps each minibatch of a training that is not exported."""

    def __init__(self):
        self.seen = []

    def on_start(self, model, guide):
        def record(encoder, inputs):
            if encoder.training:
                self.seen.append(inputs[0].clone())

        self.hook = guide.encoder.register_forward_pre_hook(record)

    def on_end(self, history):
        self.hook.remove()


def interrupt(x):
    raise KeyboardInterrupt


def validation_elbo(problem, data, seed=0, beta=1.0):
    """Return the validation ELBO with the draws that `fit` makes."""
    problem.model.eval(), problem.guide.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]), pyro.validation_enabled(False):
        torch.manual_seed(seed)
        objective = PyroELBO(problem.model, problem.guide, TraceMeanField_ELBO())
        return -objective(data.validation, torch.tensor(beta)).item()


@pytest.fixture
def small(linear_gaussian, tensors):
    """Return a small problem and its data: 130 training data make batches of 50, 50 and 30."""

    def build(seed=0, hidden=(8,), **options):
        problem = linear_gaussian(hidden=hidden, seed=seed)
        # other data than the untrained model's own, so that there is something to learn
        source = linear_gaussian(seed=100)
        return problem, tensors(source.draw(130, 1), source.draw(60, 2), **options)

    return build
