"""Observations by name, for the command line and notebooks."""

import math
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model.observations.base import Observation
from obsvae.model.observations.by_column_text import BY_COLUMN, families_of
from obsvae.model.observations.circle.von_mises import VonMises
from obsvae.model.observations.counts.binomial import Binomial
from obsvae.model.observations.counts.negative_binomial import NegativeBinomial
from obsvae.model.observations.counts.poisson import Poisson
from obsvae.model.observations.data_like import ColumnLike, DataLike, View
from obsvae.model.observations.levels.bernoulli import Bernoulli
from obsvae.model.observations.levels.categorical import Categorical
from obsvae.model.observations.levels.ordinal import Ordinal
from obsvae.model.observations.positive.gamma import Gamma
from obsvae.model.observations.positive.log_normal import LogNormal
from obsvae.model.observations.positive.weibull import Weibull
from obsvae.model.observations.real_line.laplace import Laplace
from obsvae.model.observations.real_line.logistic import Logistic
from obsvae.model.observations.real_line.normal import Normal
from obsvae.model.observations.real_line.student_t import StudentT
from obsvae.model.observations.support import Units
from obsvae.model.observations.unit_interval.beta import Beta
from obsvae.model.observations.unit_interval.continuous_bernoulli import ContinuousBernoulli
from obsvae.model.observations.unit_interval.kumaraswamy import Kumaraswamy
from obsvae.model.observations.unit_interval.logit_normal import LogitNormal
from obsvae.model.observations.unit_interval.truncated_normal import TruncatedNormal
from obsvae.model.observations.unit_interval.unnormalised_bernoulli import UnnormalisedBernoulli
from obsvae.model.observations.wrappers.by_column import ByColumn, Part
from obsvae.model.observations.wrappers.dequantised import Dequantised
from obsvae.model.observations.wrappers.discretised import Discretised
from obsvae.model.observations.wrappers.mixture import Mixture
from obsvae.model.observations.wrappers.partial import Partial
from obsvae.model.observations.wrappers.transformed import Transformed
from obsvae.model.observations.wrappers.transforms import Affine, Bounds
from obsvae.model.observations.wrappers.wrapper import Wrapper
from obsvae.model.observations.wrappers.zero_inflated import ZeroInflated
from obsvae.names import lookup
from obsvae.options import Option

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
# A name and its options.
_Part = tuple[str, dict[str, Any]]


def make_observation(spec: str, data: DataLike | None = None) -> Observation:
    """Return the observation that a text describes, in the data units of ``data``.

    Args:
        spec: ``name`` or ``name:option=value,option=value``, such as ``normal:scale=shared,link=sigmoid``. A wrapper
            has ``inner=NAME`` among its options, and the options of that after it:
            ``discretised:inner=mixture,components=5,inner=logistic,scale=decoder``. For a table: a family that all
            columns have, or ``by-column``, the families that the data name, of which
            ``by-column:{"NAME" = "FAMILY", …}`` replaces some.
        data: anything with ``event_shape``, ``unit_shape``, ``bounds``, ``grid``, ``scaling``, ``has_missing`` and
            ``columns``. A family on [0, 1] or on the circle is mapped to the bounds, a family on levels to the grid,
            one on the real line to the scaling; positive ones and counts take x as it is. None: x is in the family's
            own units.

    Raises:
        UsageError: for an unknown name (naming the nearest), an unknown option (naming the valid ones), a value of the
            wrong kind, or data that lack what the family needs to know.
    """
    if data is not None and data.columns is not None:
        made: Observation = _by_column(spec, data.columns)
    elif spec.partition(":")[0] == BY_COLUMN:
        raise UsageError(f"{BY_COLUMN} needs a table, whose columns have families; take one family for all features")
    else:
        made = _build(_parse(spec), data)
    return Partial(made, data.event_shape) if data is not None and data.has_missing else made


def _build(chain: Sequence[_Part], data: DataLike | None) -> Observation:
    """Return the first of a chain from the outermost to the innermost, around the rest."""
    (name, options), *inner = chain
    if inner:
        wrapped = WRAPPERS[name].wrap(lambda view: _build(inner, view), data, **options)
        # Inner observations are made in data units; what remains is a transform's own unit.
        return wrapped if data is None or wrapped.is_in_data_units else _in_data_units(wrapped, data)
    made = OBSERVATIONS[name].for_data(data, **options)
    return made if data is None else _in_data_units(made, data)


def _by_column(spec: str, columns: Sequence[ColumnLike]) -> ByColumn:
    """Return an observation of a table: columns of equal family, bounds and grid share a part."""
    alike: dict[tuple[str, object, object], list[int]] = {}
    for d, (column, family) in enumerate(zip(columns, families_of(spec, columns), strict=True)):
        grid = column.grid
        lattice = None if grid is None else (grid.low, grid.step, grid.levels)
        alike.setdefault((family, column.bounds, lattice), []).append(d)
    parts = []
    for (family, _, _), members in alike.items():
        first, shape = columns[members[0]], (len(members),)
        view = View(shape, shape, bounds=first.bounds, grid=first.grid)
        try:
            parts.append(Part(_build(_parse(family), view), tuple(members)))
        except UsageError as error:
            raise type(error)(f"column {first.name!r}: {error}") from None
    return ByColumn(parts, [column.name for column in columns])


def options_of(name: str) -> tuple[Option, ...]:
    """Return the options of a family or a wrapper, by name; a wrapper has ``inner`` beside them.

    Raises:
        UsageError: for an unknown name.
    """
    return lookup("observation", name, OBSERVATIONS | WRAPPERS).options


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
        owners = ((*part, option) for part in reversed(chain) for option in options_of(part[0]) if option.name == key)
        owner = next(owners, None)
        if owner is not None and not equals:
            raise UsageError(f"{owner[0]} needs a value of option {key!r}, but got {spec}; write {key}=VALUE")
        if owner is None:
            raise UsageError(_no_option(item, chain))
        name, options, option = owner
        if key in options:
            raise UsageError(f"{name} got option {key!r} twice: {spec}; leave one of them out")
        options[key] = option.read(name, value)
    last = chain[-1][0]
    if last in WRAPPERS:
        raise UsageError(f"{last} needs an inner observation: {last}:inner=NAME, such as {last}:inner=logistic")
    for name, options in chain:
        missing = [option.name for option in options_of(name) if option.is_required and option.name not in options]
        if missing:
            raise UsageError(f"{name} needs option {missing[0]}: {name}:{missing[0]}=VALUE,inner={last}")
    return chain


def _no_option(item: str, chain: Sequence[_Part]) -> str:
    """Return the message for an option that no part of the chain has."""
    valid = {name: [*(o.name for o in options_of(name)), *(["inner"] if name in WRAPPERS else [])] for name, _ in chain}
    if len(chain) == 1:
        ((name, options),) = valid.items()
        if not options:
            return f"{name} has no option {item!r}: it takes none"
        return f"{name} has no option {item!r}; its options are: {', '.join(options)} (written option=value)"
    each = "; ".join(f"{name}: {', '.join(options) or 'none'}" for name, options in valid.items())
    whole = ":inner=".join(name for name, _ in chain)
    return f"no part of {whole} has an option {item!r}; their options are: {each} (written option=value)"


def _in_data_units(inner: Observation, data: DataLike) -> Observation:
    """Wrap an observation with the affine map from its units to data units, where they differ."""
    identity = torch.zeros(()), torch.ones(())
    chosen = data.scaling.offset.cpu(), data.scaling.scale.cpu()
    affine = chosen if inner.support.units is Units.SCALED else identity
    transform: Affine | None = None
    if inner.support.units is Units.UNIT_INTERVAL and data.bounds is not None:
        transform = Bounds(*torch.tensor(data.bounds, dtype=torch.float32))
        affine = transform.offset, transform.factor
    elif inner.support.units is Units.CIRCLE and data.bounds is not None:
        low, high = torch.tensor(data.bounds, dtype=torch.float32)
        affine = (low + high) / 2, (high - low) / (2 * math.pi)
    elif inner.support.units is Units.LEVELS and data.grid is not None:
        affine = torch.tensor(float(data.grid.low)), torch.tensor(float(data.grid.step))
    if not (_same(chosen, identity) or _same(chosen, affine)):
        own = "" if inner.support.units is Units.OWN else " and takes its scale from the data's bounds or grid"
        raise UsageError(
            f"{inner.name} works on {inner.support.units.value}{own}; leave out the scaling, or take a family for real "
            "numbers such as normal"
        )
    return inner if _same(affine, identity) else Transformed(inner, transform or Affine(*affine))


def _same(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return all(s.shape == t.shape and bool((s == t).all()) for s, t in zip(a, b, strict=True))
