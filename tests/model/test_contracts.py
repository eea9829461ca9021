"""Contracts that are checked by code before any training, and remedies that work when they are followed."""

import inspect
import operator

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import SVI, Trace_ELBO
from pyro.infer.autoguide import AutoNormal
from pyro.nn import PyroModule
from pyro.optim import Adam

from obsvae import (
    OBSERVATIONS,
    VAE,
    WRAPPERS,
    Callback,
    Measure,
    MLPDecoder,
    Normal,
    Observation,
    Prior,
    StandardNormal,
    Support,
    UsageError,
    fit,
    load,
    log_likelihood,
    make_observation,
    make_pair,
    on_grid,
    options_of,
)
from obsvae.model import exact


class Correlated(Observation):
    """Not elementwise: the features of a datum depend on one another."""

    outputs = 1
    measure = Measure.LEBESGUE
    support = Support("{x} finite", torch.isfinite)

    def forward(self, eta):
        return dist.MultivariateNormal(eta.squeeze(-1), torch.eye(eta.shape[-2]))


class Summed(Normal):
    def forward(self, eta):
        return super().forward(eta).to_event(1)


@pytest.mark.parametrize("family", [Correlated, lambda: Summed(scale=1.0)], ids=["multivariate", "summed"])
def test_a_family_that_is_not_elementwise_is_refused_when_the_model_is_made(family):
    with pytest.raises(UsageError, match=r"elementwise observation, with batch shape \(2, 3, 4\).*event shape \(4,\)"):
        VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), family())


class Shifted(dist.Normal):
    """Another density, by a class that inherits the mass of its parent's intervals."""

    def log_prob(self, value):
        return super().log_prob(value - 3.0)


class Exponentiated(Normal):
    def forward(self, eta):
        return dist.TransformedDistribution(super().forward(eta), [torch.distributions.ExpTransform()])


class Relabelled(Normal):
    def forward(self, eta):
        return Shifted(eta.squeeze(-1), torch.ones(()))


@pytest.mark.parametrize(
    ("family", "words"),
    [(Relabelled, "Shifted, or for its parent, is not the integral"), (Exponentiated, "ExpTransform is not known")],
)
def test_a_mass_that_is_not_the_integral_of_the_density_is_refused(family, words):
    with pytest.raises(UsageError, match=words):
        on_grid(family(scale=1.0), load("digits").grid)


class Together(dist.Normal):
    """The right shape, but each entry holds the sum over the features."""

    def log_prob(self, value):
        return super().log_prob(value).sum(-1, keepdim=True).expand(value.shape)


class Misshapen(MLPDecoder):
    def forward(self, z):
        return super().forward(z).reshape(-1, 4, 1)


def family_of(returned, **attributes):
    """Return a family that returns a function of eta."""
    found = {"measure": Measure.LEBESGUE, "support": Support("{x} finite", torch.isfinite), **attributes}
    return type(
        "Made", (Observation,), {"outputs": 1, "forward": lambda self, eta: returned(eta.squeeze(-1)), **found}
    )()


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (family_of(lambda eta: Together(eta, torch.ones(()))), "one feature depends on the value of another"),
        (family_of(lambda eta: eta), "returns torch.Tensor"),
        (family_of(lambda eta: torch.distributions.Normal(eta, 1.0)), "returns torch.distributions.normal.Normal"),
        (family_of(lambda eta: dist.Normal(eta, 1.0), measure="density"), "declares its measure, a Measure"),
        (family_of(lambda eta: dist.Normal(eta, 1.0), support=None), "declares its support, a Support"),
    ],
)
def test_a_family_that_is_not_what_it_says_is_refused_when_the_model_is_made(observation, words):
    with pytest.raises(UsageError, match=words):
        VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), observation)


def test_a_decoder_of_another_shape_is_refused_when_the_model_is_made():
    with pytest.raises(UsageError, match=r"= \(2, 3, 4, 1\) for z .* Misshapen returns \(6, 4, 1\)"):
        VAE(StandardNormal(2), Misshapen(2, (4,)), Normal(scale=1.0))


def test_a_distribution_is_no_prior():
    with pytest.raises(UsageError, match=r"needs to be an obsvae\.Prior, but is of type"):
        VAE(dist.Normal(torch.zeros(2), 1.0).to_event(1), MLPDecoder(2, (4,)), Normal(scale=1.0))


class Wide(Prior):
    def forward(self):
        return dist.Normal(torch.zeros(self.latent + 1), 1.0).to_event(1)


class Loose(Prior):
    def forward(self):
        return dist.Normal(torch.zeros(self.latent), 1.0)


@pytest.mark.parametrize("prior", [Wide(2), Loose(2), StandardNormal(3)], ids=lambda p: type(p).__name__)
def test_a_prior_of_another_shape_is_refused_when_the_model_is_made(prior):
    with pytest.raises(UsageError, match=r"the prior needs batch shape \(\) and event shape \(2,\), but"):
        VAE(prior, MLPDecoder(2, (4,), hidden=()), Normal(scale=1.0))


def gumbel():
    """Return a family whose mass of an interval is not known, of distributions that no other test knows."""

    class Gumbel(dist.Gumbel):
        pass

    class Extreme(Observation):
        outputs = 1
        measure = Measure.LEBESGUE
        support = Support("{x} finite", torch.isfinite)

        def forward(self, eta):
            return Gumbel(eta.squeeze(-1), torch.ones(()))

    return Extreme, Gumbel


def test_a_density_without_the_mass_of_an_interval_is_refused_on_a_grid_and_the_remedy_works():
    family, distribution = gumbel()
    grid = load("digits").grid
    with pytest.raises(
        UsageError, match=r"extreme on a grid needs the mass of an interval.*log_interval_mass.register"
    ):
        on_grid(family(), grid)

    @exact.log_interval_mass.register
    def _(p: distribution, interval):
        lower, upper = (torch.exp(-torch.exp(-(end - p.loc))) for end in (interval.low, interval.high))
        return torch.log(upper - lower)

    cells = on_grid(family(), grid)
    x = torch.arange(17.0).reshape(17, 1)
    eta = torch.full((17, 1, 1), 8.0)
    assert cells(eta).log_prob(x).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def angles(high):
    return np.random.default_rng(0).integers(0, high, size=(3000, 2))


def test_whole_degrees_with_the_bounds_of_a_turn_are_masses_that_sum_to_one(tmp_path):
    np.save(tmp_path / "wind.npy", angles(360))
    data = load(tmp_path / "wind.npy", bounds=(0, 360))
    for observation in (
        make_observation("discretised:inner=von-mises", data),
        on_grid(make_observation("von-mises", data), data.grid),
    ):
        observation.check(data.train)
        eta = torch.randn(1, 2, observation.outputs).expand(360, 2, observation.outputs)
        x = torch.arange(360.0)[:, None].expand(360, 2)
        torch.testing.assert_close(observation(eta).log_prob(x).exp().sum(0), torch.ones(2), rtol=0, atol=1e-4)


def test_an_angle_that_stands_for_two_values_is_refused_and_the_remedy_works(tmp_path):
    x = angles(361)
    np.save(tmp_path / "wind.npy", x)
    data = load(tmp_path / "wind.npy", bounds=(0, 360))
    with pytest.raises(UsageError, match=r"one of the 360 values 0, 1, .*found 360") as caught:
        make_observation("discretised:inner=von-mises", data).check(data.train)
    remedy = str(caught.value).split("store ")[1].split(" in the place of x")[0]
    np.save(tmp_path / "wind.npy", eval(remedy, {"x": x}))
    data = load(tmp_path / "wind.npy", bounds=(0, 360))
    for split in ("train", "validation", "test"):
        make_observation("discretised:inner=von-mises", data).check(data.split(split))


def test_a_turn_that_is_no_whole_number_of_steps_is_told_what_to_declare(tmp_path):
    np.save(tmp_path / "wind.npy", angles(360))
    with pytest.raises(UsageError, match=r"a whole number of grid steps.*such as bounds=\(0, 360\) for degrees"):
        make_observation("discretised:inner=von-mises", load(tmp_path / "wind.npy"))


@pytest.mark.parametrize("spec", ["categorical", "ordinal"])
def test_one_hot_columns_are_told_to_become_codes_and_that_works(spec, tmp_path):
    codes = np.random.default_rng(0).integers(0, 26, size=(100, 3))
    x = np.eye(26, dtype=np.float32)[codes]
    np.save(tmp_path / "letters.npy", x.reshape(100, -1))
    with pytest.raises(UsageError, match=r"save the codes.*x\.argmax\(-1, keepdims=True\)") as caught:
        make_observation(spec, load(tmp_path / "letters.npy"))
    assert "NUMBER" not in str(caught.value)
    np.save(tmp_path / "letters.npy", x.argmax(-1, keepdims=True))
    data = load(tmp_path / "letters.npy")
    observation = make_observation(spec, data)
    observation.check(data.train)
    assert make_observation("categorical", data).outputs == 26


def test_one_hot_columns_of_integers_are_told_to_become_codes_too():
    codes = np.random.default_rng(0).integers(0, 26, size=(100,))
    x = np.eye(26, dtype=np.uint8)[codes]
    for dtype in (np.uint8, np.int64, np.bool_):
        data = load(x.astype(dtype))
        with pytest.raises(UsageError, match=r"look like 26 one-hot columns.*; save the codes"):
            make_observation("categorical", data).check(data.train)
        make_observation("bernoulli", load(x.astype(np.int64))).check(data.train)
    data = load(x.argmax(-1, keepdims=True))
    make_observation("categorical", data).check(data.train)


def refusals(tmp_path):
    """Yield data that a family refuses, and what its message says to do about them."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 17, size=(100, 4))
    share = np.where(rng.uniform(size=(100, 4)) < 0.1, 0.0, rng.uniform(size=(100, 4)))
    yield "bernoulli", grey, {"bounds": (0, 16)}, "binarise='threshold'", ("bernoulli", {"binarise": "threshold"})
    yield "bernoulli", grey, {"bounds": (0, 16)}, "continuous-bernoulli", ("continuous-bernoulli", {})
    for spec in ("continuous-bernoulli", "truncated-normal", "unnormalised-bernoulli", "normal:link=sigmoid"):
        yield spec, 5 * share, {}, "bounds=(low, high)", (spec, {"bounds": (0, 5)})
    yield "beta", share, {"bounds": (0, 1)}, "bounds=(low, high)", ("beta", {"bounds": (-0.01, 1.01)})
    yield "beta", share, {"bounds": (0, 1)}, "continuous-bernoulli", ("continuous-bernoulli", {})
    yield "kumaraswamy", grey, {"bounds": (0, 16)}, "dequantise=True", ("kumaraswamy", {"dequantise": True})
    yield "poisson", share, {}, "take a family for real numbers such as normal", ("normal", {})
    yield "gamma", share, {}, "take zero-inflated", ("zero-inflated:inner=gamma", {})
    yield "gamma", -share, {}, "normal", ("normal", {})
    yield "binomial:n=3", grey, {}, "take a larger n", ("binomial:n=16", {})
    yield "binomial:n=3", grey, {}, "poisson", ("poisson", {})
    yield "binomial", share, {}, "save counts as integers", None
    yield "categorical:categories=3", grey, {}, "as many categories as the data have levels", ("categorical", {})
    yield "von-mises", 360 * share, {}, "bounds=(low, high)", ("von-mises", {"bounds": (0, 360)})
    yield "von-mises", 360 * share, {}, "normal", ("normal", {})
    yield "discretised:inner=normal", share, {}, "take the inner density", ("normal", {})
    sixteenths = grey / np.float32(16)
    declared = ("discretised:inner=normal", {"grid": (0, 1 / 16, 17)})
    yield "discretised:inner=normal", sixteenths, {}, "grid=(low, step, levels)", declared
    yield (
        "transformed:transform=log,inner=normal",
        share,
        {},
        "yeo-johnson",
        ("transformed:transform=yeo-johnson,inner=normal", {}),
    )
    yield "beta", grey, {"bounds": (0, 16), "scaling": "standardise"}, "leave out the scaling", None
    yield "normal:link=softplus", -grey, {}, "link=identity", ("normal", {})


def start(spec, path, options):
    data = load(path, **options)
    observation = make_observation(spec, data)
    for split in ("train", "validation", "test"):
        observation.check(data.split(split))
    observation.initialise(data.train)


def test_remedies_work_when_they_are_followed(tmp_path):
    path = tmp_path / "x.npy"
    for spec, x, options, words, followed in refusals(tmp_path):
        np.save(path, x)
        with pytest.raises(UsageError) as caught:
            start(spec, path, options)
        message = str(caught.value)
        assert words in message, message
        assert "\n" not in message
        assert "--" not in message, message  # it speaks Python
        if followed is not None:
            start(followed[0], path, {**options, **followed[1]})


def test_every_declared_option_is_an_argument_with_the_declared_default():
    for name, family in OBSERVATIONS.items():
        arguments = inspect.signature(family).parameters
        for option in options_of(name):
            default = arguments[option.name].default
            assert option.default == (None if default is inspect.Parameter.empty else default), (name, option.name)
    for name, wrapper in WRAPPERS.items():
        arguments = inspect.signature(wrapper.wrap).parameters
        given = {key for key, value in arguments.items() if value.kind is inspect.Parameter.KEYWORD_ONLY}
        assert given == {option.name for option in options_of(name)}
        for option in options_of(name):
            assert option.is_required is (arguments[option.name].default is inspect.Parameter.empty)
            assert option.is_required or option.default == arguments[option.name].default


@pytest.mark.parametrize(
    ("spec", "attribute", "value"),
    [
        ("normal:scale=0.3", "scale.value", 0.3),
        ("student-t:df=7", "df.value", 7.0),
        ("beta:floor=0.5", "concentration.floor", 0.5),
        ("continuous-bernoulli:matched=true,limit=3", "limit", 3.0),
        ("binomial:n=30", "n", 30),
        ("categorical:categories=20", "outputs", 20),
    ],
)
def test_an_option_reaches_the_family(spec, attribute, value):
    assert operator.attrgetter(attribute)(make_observation(spec)) == value


def ordinary():
    """Return the parameters that an ordinary Pyro program learns, which uses the global store."""
    pyro.clear_param_store()
    pyro.set_rng_seed(0)

    def model(x):
        mean = pyro.sample("mean", dist.Normal(0.0, 10.0))
        with pyro.plate("x", len(x)):
            pyro.sample("obs", dist.Normal(mean, 1.0), obs=x)

    guide = AutoNormal(model)
    svi = SVI(model, guide, Adam({"lr": 0.1}), Trace_ELBO())
    for _ in range(5):
        svi.step(torch.tensor([1.0, 2.0, 3.0]))
    return {name: value.detach().clone() for name, value in pyro.get_param_store().items()}


class Ordinary(Callback):
    """Runs another Pyro program between our epochs."""

    def __init__(self):
        self.found = []

    def on_epoch(self, history):
        self.found.append(ordinary())
        with pytest.raises(ValueError, match="constraint"):  # arguments are checked, as they are outside
            dist.Normal(0.0, -1.0)


def test_training_and_an_ordinary_pyro_program_within_it_do_not_disturb_each_other():
    data, expected, scores = load("digits"), ordinary(), []
    for callback in (Ordinary(), None):
        model, guide = make_pair("normal", data, latent=2, hidden=[8])
        history = fit(model, guide, data, epochs=2, progress=False, callbacks=[callback] if callback else [])
        found = log_likelihood(model, guide, data.test[:3], 30, progress=False)
        scores.append(([epoch.validation_elbo for epoch in history], found.weights.estimate.tolist()))
        for parameters in callback.found if callback else []:
            assert all(torch.equal(parameters[name], expected[name]) for name in expected)
    assert scores[0] == scores[1]
    after = ordinary()
    assert all(torch.equal(after[name], expected[name]) for name in expected)


def test_an_ordinary_pyro_program_before_between_and_after_gives_the_same_numbers():
    before = ordinary()
    assert before
    observation = make_observation("normal:scale=decoder")
    between = ordinary()
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), observation.outputs), observation)
    model(n=3)
    with torch.no_grad():
        model.given(torch.zeros(3, 2)).sample()
    after = ordinary()
    for found in (between, after):
        assert found.keys() == before.keys()
        assert all(torch.equal(found[name], before[name]) for name in before)
    assert not pyro.settings.get("module_local_params")


def test_another_observation_on_the_same_decoder_shares_all_but_itself():
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Normal(scale=1.0))
    other = model.with_observation(Normal(scale=2.0))
    assert other.prior is model.prior
    assert other.decoder is model.decoder
    z = torch.randn(3, 2)
    torch.testing.assert_close(other.given(z).scale, 2 * model.given(z).scale)
    torch.testing.assert_close(other.mean(z), model.mean(z))


class Tinted(Normal):
    """A family with a part that is a Pyro module, too."""

    def __init__(self):
        super().__init__(scale=1.0)
        self.tint = PyroModule[torch.nn.Linear](1, 1)

    def forward(self, eta):
        return super().forward(self.tint(eta))


def test_trying_a_family_out_leaves_it_free_to_become_a_part():
    observation, grid = Tinted(), load("digits").grid
    on_grid(observation, grid)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), observation)
    whole = PyroModule("whole")
    whole.model = model
    assert model(n=3).shape == (3, 4)
