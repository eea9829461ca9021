"""Schedules of the learning rate and of the KL's weight, and weight decay."""

import math

import pytest
import torch
from torch import nn

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair
from obsvae.inference import SCHEDULES, fit
from obsvae.inference.training.schedules import kl_weight, make_schedule
from obsvae.inference.training.steps.step import Decay, Step
from tests.inference.training.conftest import OPTIONS


def factors(text, most=40, steps=4, bounds=()):
    schedule = make_schedule(text)
    return [schedule.factor(step, most, steps, bounds) for step in range(most)]


def test_the_rate_is_constant_where_nobody_says():
    assert set(factors("constant")) == {1.0}


def test_cosine_goes_from_one_to_nearly_nothing():
    found = factors("cosine")
    assert found[0] == 1.0
    assert math.isclose(found[20], 0.5)
    assert 0 < found[-1] < 0.01
    assert found == sorted(found, reverse=True)


def test_plateau_waits_for_the_bound_to_rise():
    at = make_schedule("plateau:patience=2,factor=0.1").factor
    assert at(0, 9, 1, []) == at(3, 9, 1, [1.0, 2.0, 1.5]) == 1.0
    assert math.isclose(at(4, 9, 1, [1.0, 2.0, 1.5, 1.9]), 0.1)
    assert math.isclose(at(6, 9, 1, [1.0, 2.0, 1.5, 1.9, 2.1, 0.0]), 0.1)
    assert math.isclose(at(8, 9, 1, [1.0, 2.0, 1.5, 1.9, 1.8, 2.0]), 0.01)


def test_stages_are_those_of_the_paper():
    at = make_schedule("stages").factor
    begins = [sum(3**i for i in range(stage)) for stage in range(8)]
    assert begins[:4] == [0, 1, 4, 13]
    for stage, epoch in enumerate(begins):
        expected = 10 ** (-stage / 7)
        assert math.isclose(at(epoch * 5, 10**6, 5, ()), expected)
        if epoch:
            assert math.isclose(at(epoch * 5 - 1, 10**6, 5, ()), 10 ** (-(stage - 1) / 7))
    assert math.isclose(at(10**6, 10**7, 5, ()), 0.1)


def test_the_weight_of_the_kl_rises_once_or_in_cycles():
    once = [kl_weight(step, 5, 2, 1) for step in range(1, 31)]
    assert once == [min(1.0, step / 10) for step in range(1, 31)]
    thrice = [kl_weight(step, 5, 2, 3) for step in range(1, 81)]
    rise = [step / 10 for step in range(1, 11)]
    assert thrice == [*rise, *[1.0] * 10, *rise, *[1.0] * 10, *rise, *[1.0] * 30]
    assert kl_weight(1, 5, 0, 1) == 1.0


def test_training_takes_the_rate_of_each_step(linear_gaussian, tensors, monkeypatch):
    problem, seen = linear_gaussian(), []
    update = Step.update
    monkeypatch.setattr(Step, "update", lambda self: (seen.append(self.optimiser.param_groups[0]["lr"]), update(self)))
    data = tensors(problem.draw(40), problem.draw(20, seed=1))
    fit(problem.model, problem.guide, data, **OPTIONS | {"epochs": 3, "batch_size": 10, "lr": 0.2}, schedule="cosine")
    expected = [0.2 * factor for factor in factors("cosine", most=12)]
    torch.testing.assert_close(torch.tensor(seen), torch.tensor(expected))


def test_weight_decay_is_that_of_adamw():
    torch.manual_seed(0)
    nets = [torch.nn.Linear(3, 2) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    x = torch.randn(8, 3)
    adam = torch.optim.Adam(nets[0].parameters(), lr=0.01)
    take = Step(
        lambda x, beta, c: nets[0](x).square().mean(), list(nets[0].parameters()), adam, None, Decay(0.3, nets[0])
    )
    groups = [{"params": [nets[1].weight], "weight_decay": 0.3}, {"params": [nets[1].bias], "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=0.01)
    for _ in range(20):
        take(x, torch.tensor(1.0))
        reference.zero_grad()
        nets[1](x).square().mean().backward()
        reference.step()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": None}, "schedule needs a text, such as 'constant', but got NoneType"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"schedule": "plateau:patience=0"}, "needs patience of at least 1"),
        ({"schedule": "plateau:factor=1"}, "a factor between 0 and 1, but got 5 and 1"),
        ({"weight_decay": -0.1}, "weight_decay needs to be a number of at least 0, but got -0.1"),
        ({"weight_decay": "x"}, "weight_decay needs to be a number of at least 0, but got 'x'"),
        ({"weight_decay": 1e6}, "weight_decay needs to be below 1 / lr = "),
        ({"kl_cycles": 0}, "kl_cycles needs to be a whole number of at least 1, but got 0"),
        ({"kl_cycles": 3}, "kl_cycles=3 needs kl_warmup"),
    ],
)
def test_what_does_not_fit_is_refused(options, words, linear_gaussian, tensors):
    problem = linear_gaussian()
    data = tensors(problem.draw(40), problem.draw(20, seed=1))
    with pytest.raises(UsageError, match=words):
        fit(problem.model, problem.guide, data, **OPTIONS, **options)


@pytest.mark.parametrize(("architecture", "observation"), [("conv", "normal:scale=per-feature"), ("mlp", "ordinal")])
def test_weight_decay_is_of_linear_maps_and_convolutions_alone(architecture, observation):
    data = load("digits")
    model, guide = make_pair(
        observation, data, latent=3, hidden=(8,), architecture=architecture, prior="mixture:components=2"
    )
    decay = Decay(0.1, nn.ModuleList([model, guide]))
    parameters = {**dict(model.named_parameters()), **{f"q {n}": p for n, p in guide.named_parameters()}}
    drawn = {name for name, parameter in parameters.items() if decay.is_of(parameter)}
    assert drawn == {name for name in parameters if name.endswith("weight")}
    assert {name for name in parameters if "prior" in name or "bias" in name or "observation" in name} & drawn == set()


def test_all_schedules_are_here():
    assert set(SCHEDULES) == {"constant", "cosine", "plateau", "stages"}
