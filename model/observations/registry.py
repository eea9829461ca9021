"""Observations by name, for the command line and notebooks."""

import inspect
import math
from typing import Any, Protocol

import torch
from torch import Tensor

from model.lookup import lookup
from model.observations.base import Observation, Units
from model.observations.bernoulli import Bernoulli
from model.observations.beta import Beta
from model.observations.binomial import Binomial
from model.observations.categorical import Categorical
from model.observations.continuous_bernoulli import ContinuousBernoulli
from model.observations.gamma import Gamma
from model.observations.kumaraswamy import Kumaraswamy
from model.observations.laplace import Laplace
from model.observations.log_normal import LogNormal
from model.observations.logistic import Logistic
from model.observations.logit_normal import LogitNormal
from model.observations.negative_binomial import NegativeBinomial
from model.observations.normal import Normal
from model.observations.ordinal import Ordinal
from model.observations.poisson import Poisson
from model.observations.student_t import StudentT
from model.observations.transformed import Transformed
from model.observations.truncated_normal import TruncatedNormal
from model.observations.unnormalised_bernoulli import UnnormalisedBernoulli
from model.observations.von_mises import VonMises
from model.observations.weibull import Weibull

OBSERVATIONS: dict[str, type[Observation]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "beta": Beta,
    "kumaraswamy": Kumaraswamy,
    "logit-normal": LogitNormal,
    "truncated-normal": TruncatedNormal,
    "normal": Normal,
    "laplace": Laplace,
    "logistic": Logistic,
    "student-t": StudentT,
    "log-normal": LogNormal,
    "gamma": Gamma,
    "weibull": Weibull,
    "poisson": Poisson,
    "negative-binomial": NegativeBinomial,
    "binomial": Binomial,
    "ordinal": Ordinal,
    "categorical": Categorical,
    "von-mises": VonMises,
    "unnormalised-bernoulli": UnnormalisedBernoulli,
}
# Options that a grid answers, and how many fewer they are than its levels.
FROM_LEVELS = {"categories": 0, "n": 1}


class GridLike(Protocol):
    """The lattice low + step · k, k = 0 … levels − 1."""

    @property
    def low(self) -> float: ...  # noqa: D102
    @property
    def step(self) -> float: ...  # noqa: D102
    @property
    def levels(self) -> int: ...  # noqa: D102


class ScalingLike(Protocol):
    """The affine map x = offset + scale · u that the user chose."""

    @property
    def offset(self) -> Tensor: ...  # noqa: D102
    @property
    def scale(self) -> Tensor: ...  # noqa: D102


class DataLike(Protocol):
    """What an observation must know of the data."""

    @property
    def event_shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def bounds(self) -> tuple[float, float] | None: ...  # noqa: D102
    @property
    def grid(self) -> GridLike | None: ...  # noqa: D102
    @property
    def scaling(self) -> ScalingLike: ...  # noqa: D102


def make_observation(spec: str, data: DataLike | None = None) -> Observation:
    """Return the observation that a text describes, in the data units of ``data``.

    Args:
        spec: ``name`` or ``name:option=value,option=value``, such as ``normal:scale=shared,link=sigmoid``.
        data: anything with ``event_shape``, ``bounds``, ``grid`` and ``scaling``. A family on [0, 1] or on the circle
            is mapped to the bounds, a family on levels to the grid, one on the real line to the scaling; positive ones
            and counts take x as it is. None: x is in the family's own units.

    Raises:
        ValueError: for an unknown name (naming the nearest), an unknown option (naming the valid ones), a value of the
            wrong kind, or data that lack what the family needs to know.
    """
    name, _, text = spec.partition(":")
    family = lookup("observation", name, OBSERVATIONS)
    parameters = inspect.signature(family).parameters
    options = _parse(name, text, {k: p for k, p in parameters.items() if k != "event_shape"})
    if data is not None and "event_shape" in parameters:
        options["event_shape"] = data.event_shape
    for option in FROM_LEVELS.keys() & parameters.keys() - options.keys():
        if data is None or data.grid is None:
            raise ValueError(f"{name} needs the number of levels, as the data declare no grid: {name}:{option}=NUMBER")
        options[option] = data.grid.levels - FROM_LEVELS[option]
    inner = family(**options)
    return inner if data is None else _in_data_units(inner, data)


def _parse(name: str, text: str, parameters: dict[str, inspect.Parameter]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for item in filter(None, text.split(",")):
        key, equals, value = item.partition("=")
        if key not in parameters or not equals:
            valid = ", ".join(parameters) or "none"
            raise ValueError(f"{name} has no option {item!r}; its options are: {valid} (written option=value)")
        if key in options:
            raise ValueError(f"{name} got option {key!r} twice: {text}")
        options[key] = _convert(name, key, value, parameters[key].annotation)
    return options


def _convert(name: str, key: str, value: str, kind: Any) -> Any:
    """Return the value of an option as its type: bool, int, float, str, or a number where it reads as one."""
    try:
        if kind is bool:
            return {"true": True, "false": False}[value.lower()]
        if kind in (int, float, str):
            return kind(value)
    except (KeyError, ValueError):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
        raise ValueError(f"{name}: option {key} takes {kinds[kind]}, but got {value!r}") from None
    try:
        return float(value)
    except ValueError:
        return value


def _in_data_units(inner: Observation, data: DataLike) -> Observation:
    """Wrap an observation with the affine map from its units to data units, where they differ."""
    identity = torch.zeros(()), torch.ones(())
    chosen = data.scaling.offset.cpu(), data.scaling.scale.cpu()
    affine = chosen if inner.units is Units.SCALED else identity
    if inner.units is Units.UNIT_INTERVAL and data.bounds is not None:
        low, high = torch.tensor(data.bounds, dtype=torch.float32)
        affine = low, high - low  # in float32, so that the upper bound maps to exactly 1
    elif inner.units is Units.CIRCLE and data.bounds is not None:
        low, high = torch.tensor(data.bounds, dtype=torch.float32)
        affine = (low + high) / 2, (high - low) / (2 * math.pi)
    elif inner.units is Units.LEVELS and data.grid is not None:
        affine = torch.tensor(float(data.grid.low)), torch.tensor(float(data.grid.step))
    if not (_same(chosen, identity) or _same(chosen, affine)):
        own = "" if inner.units is Units.OWN else " and takes its scale from the data's bounds or grid"
        raise ValueError(
            f"{inner.name} works on {inner.units.value}{own}; leave out the scaling, or take a family for real numbers "
            "such as normal"
        )
    return inner if _same(affine, identity) else Transformed(inner, *affine)


def _same(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return all(s.shape == t.shape and bool((s == t).all()) for s, t in zip(a, b, strict=True))
