"""Scores after each epoch, on a scale of the caller's."""

import numpy as np

from obsvae.data import load
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Callback, Watch, fit, log_likelihood
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal, on_grid


def test_a_watch_scores_the_weights_of_each_epoch_on_its_own_scale():
    data = load("digits")
    observation = Normal(scale="shared")  # is learned: the watched model has to see it change
    model = VAE(StandardNormal(2), MLPDecoder(2, data.event_shape, observation.outputs, ()), observation)
    guide = AmortisedNormal(MLPEncoder(data.event_shape, 4, ()))
    masses = model.with_observation(on_grid(observation, data.grid))
    few, expected = data.validation[:20], []
    watch = Watch(masses, guide, few, 5, seed=3)

    class Expected(Callback):
        def on_epoch(self, history):
            found = log_likelihood(masses, guide, few, 5, proposal=Amortised(), seed=3, progress=False)
            expected.append(found.weights.estimate.mean())

    history = fit(model, guide, data, epochs=3, seed=0, progress=False, callbacks=[watch, Expected()])
    np.testing.assert_allclose(watch.curve().score, expected)
    assert len(set(expected)) == 3
    assert watch.curve().seconds.tolist() == [epoch.seconds for epoch in history]
