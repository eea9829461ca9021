"""Observations by name, for the command line and notebooks."""

import inspect
import math
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from model.lookup import lookup
from model.observations.base import Observation, Units
from model.observations.bernoulli import Bernoulli
from model.observations.beta import Beta
from model.observations.binomial import Binomial
from model.observations.categorical import Categorical
from model.observations.continuous_bernoulli import ContinuousBernoulli
from model.observations.data_like import DataLike
from model.observations.dequantised import Dequantised
from model.observations.discretised import Discretised
from model.observations.gamma import Gamma
from model.observations.kumaraswamy import Kumaraswamy
from model.observations.laplace import Laplace
from model.observations.log_normal import LogNormal
from model.observations.logistic import Logistic
from model.observations.logit_normal import LogitNormal
from model.observations.mixture import Mixture
from model.observations.negative_binomial import NegativeBinomial
from model.observations.normal import Normal
from model.observations.ordinal import Ordinal
from model.observations.poisson import Poisson
from model.observations.student_t import StudentT
from model.observations.transformed import Transformed
from model.observations.transforms import Affine
from model.observations.truncated_normal import TruncatedNormal
from model.observations.unnormalised_bernoulli import UnnormalisedBernoulli
from model.observations.von_mises import VonMises
from model.observations.weibull import Weibull
from model.observations.wrapper import Wrapper
from model.observations.zero_inflated import ZeroInflated

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
WRAPPERS: dict[str, type[Wrapper]] = {
    "discretised": Discretised,
    "dequantised": Dequantised,
    "mixture": Mixture,
    "zero-inflated": ZeroInflated,
    "transformed": Transformed,
}
# Options that a grid answers, and how many fewer they are than its levels.
FROM_LEVELS = {"categories": 0, "n": 1}


# A name and its options.
_Part = tuple[str, dict[str, Any]]


def make_observation(spec: str, data: DataLike | None = None) -> Observation:
    """Return the observation that a text describes, in the data units of ``data``.

    Args:
        spec: ``name`` or ``name:option=value,option=value``, such as ``normal:scale=shared,link=sigmoid``. A wrapper
            has ``inner=NAME`` among its options, and the options of that after it:
            ``discretised:inner=mixture,components=5,inner=logistic,scale=decoder``.
        data: anything with ``event_shape``, ``bounds``, ``grid`` and ``scaling``. A family on [0, 1] or on the circle
            is mapped to the bounds, a family on levels to the grid, one on the real line to the scaling; positive ones
            and counts take x as it is. None: x is in the family's own units.

    Raises:
        ValueError: for an unknown name (naming the nearest), an unknown option (naming the valid ones), a value of the
            wrong kind, or data that lack what the family needs to know.
    """
    return _build(_parse(spec), data)


def _build(chain: Sequence[_Part], data: DataLike | None) -> Observation:
    """Return the first of a chain from the outermost to the innermost, around the rest."""
    (name, options), *inner = chain
    if inner:
        wrapped = WRAPPERS[name].wrap(lambda view: _build(inner, view), data, **options)
        # Inner observations are made in data units; what remains is a transform's own unit.
        return _in_data_units(wrapped, data) if isinstance(wrapped, Transformed) and data is not None else wrapped
    family = OBSERVATIONS[name]
    parameters = inspect.signature(family).parameters
    if data is not None and "event_shape" in parameters:
        options["event_shape"] = data.event_shape
    for option in FROM_LEVELS.keys() & parameters.keys() - options.keys():
        if data is None or data.grid is None:
            raise ValueError(f"{name} needs the number of levels, as the data declare no grid: {name}:{option}=NUMBER")
        options[option] = data.grid.levels - FROM_LEVELS[option]
    made = family(**options)
    return made if data is None else _in_data_units(made, data)


def options_of(name: str) -> dict[str, inspect.Parameter]:
    """Return the options of a family or wrapper; those of a wrapper beside ``inner``, which each has."""
    if name in WRAPPERS:
        parameters = inspect.signature(WRAPPERS[name].wrap).parameters
        return {key: p for key, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    return {key: p for key, p in inspect.signature(OBSERVATIONS[name]).parameters.items() if key != "event_shape"}


def _parse(spec: str) -> list[_Part]:
    """Return names and options from the outermost to the innermost.

    ``inner=NAME`` opens the next; an option belongs to the innermost one so far that has it.
    """
    first, *items = re.split("[:,]", spec)
    lookup("observation", first, OBSERVATIONS | WRAPPERS)
    chain: list[_Part] = [(first, {})]
    for item in filter(None, items):
        key, equals, value = item.partition("=")
        if key == "inner" and equals and chain[-1][0] in WRAPPERS:
            if not value:
                break  # as if there were none
            lookup("observation", value, OBSERVATIONS | WRAPPERS)
            chain.append((value, {}))
            continue
        owner = next((part for part in reversed(chain) if key in options_of(part[0])), None)
        if owner is None or not equals:
            raise ValueError(_no_option(item, chain))
        name, options = owner
        if key in options:
            raise ValueError(f"{name} got option {key!r} twice: {spec}")
        options[key] = _convert(name, key, value, options_of(name)[key].annotation)
    last = chain[-1][0]
    if last in WRAPPERS:
        raise ValueError(f"{last} needs an inner observation: {last}:inner=NAME, such as {last}:inner=logistic")
    for name, options in chain:
        missing = [key for key, p in options_of(name).items() if p.default is p.empty and key not in options]
        if name in WRAPPERS and missing:
            raise ValueError(f"{name} needs option {missing[0]}: {name}:{missing[0]}=VALUE,inner={last}")
    return chain


def _no_option(item: str, chain: Sequence[_Part]) -> str:
    """Return the message for an option that no part of the chain has."""
    valid = {name: [*options_of(name), *(["inner"] if name in WRAPPERS else [])] for name, _ in chain}
    if len(chain) == 1:
        ((name, options),) = valid.items()
        return f"{name} has no option {item!r}; its options are: {', '.join(options) or 'none'} (written option=value)"
    each = "; ".join(f"{name}: {', '.join(options) or 'none'}" for name, options in valid.items())
    whole = ":inner=".join(name for name, _ in chain)
    return f"no part of {whole} has an option {item!r}; their options are: {each} (written option=value)"


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
    return inner if _same(affine, identity) else Transformed(inner, Affine(*affine))


def _same(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return all(s.shape == t.shape and bool((s == t).all()) for s, t in zip(a, b, strict=True))
