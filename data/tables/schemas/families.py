"""The kind of values that each family stands for."""

from obsvae.data.columns import Kind

KINDS = {
    "bernoulli": Kind.BINARY,
    "continuous-bernoulli": Kind.PROPORTION,
    "beta": Kind.PROPORTION,
    "kumaraswamy": Kind.PROPORTION,
    "logit-normal": Kind.PROPORTION,
    "truncated-normal": Kind.PROPORTION,
    "unnormalised-bernoulli": Kind.PROPORTION,
    "normal": Kind.REAL,
    "laplace": Kind.REAL,
    "logistic": Kind.REAL,
    "student-t": Kind.REAL,
    "log-normal": Kind.POSITIVE,
    "gamma": Kind.POSITIVE,
    "weibull": Kind.POSITIVE,
    "poisson": Kind.COUNT,
    "negative-binomial": Kind.COUNT,
    "binomial": Kind.COUNT,
    "ordinal": Kind.ORDINAL,
    "categorical": Kind.CATEGORY,
    "von-mises": Kind.ANGLE,
}
OF_TRANSFORMS = {"log": Kind.POSITIVE, "logit": Kind.PROPORTION, "yeo-johnson": Kind.REAL}
LEVELS = (Kind.BINARY, Kind.CATEGORY, Kind.ORDINAL)
FOR_LEVELS = {Kind.BINARY: "bernoulli", Kind.CATEGORY: "categorical", Kind.ORDINAL: "ordinal"}


def kind_of(observation: str) -> Kind | None:
    """Return the kind of values that a family's text is for; None for a family that is not the library's own.

    Args:
        observation: such as ``"zero-inflated:inner=log-normal"``, of which the innermost family counts, or the
            innermost transform around it.

    """
    kind = KINDS.get(innermost(observation))
    names = [name for key, name in _items(observation) if key == "transform"]
    return OF_TRANSFORMS.get(names[-1], kind) if names else kind


def innermost(observation: str) -> str:
    """Return the name of the innermost family of a text."""
    names = [name for key, name in _items(observation) if key == "inner" and name]
    return names[-1] if names else observation.partition(":")[0].strip()


def needs_bounds(observation: str) -> bool:
    """Return whether a family's text says nothing without the bounds of its data, or without a greatest value."""
    name = innermost(observation)
    bounded = KINDS.get(name) in (Kind.PROPORTION, Kind.ANGLE)
    return bounded or (name == "binomial" and not any(key == "n" for key, _ in _items(observation)))


def _items(observation: str) -> list[tuple[str, str]]:
    items = observation.partition(":")[2].replace(":", ",").split(",")
    return [(key.strip(), value.strip()) for key, _, value in (item.partition("=") for item in items)]
