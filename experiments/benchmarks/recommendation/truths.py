"""Decoders with known heads: families with parameters at which data are neither noise alone nor without any."""

from collections.abc import Mapping
from dataclasses import dataclass

# Options that are numbers of the data and no part of a family.
_NUMBERS = ("n=", "categories=", "components=", "floor=")


@dataclass(frozen=True)
class Truth:
    """A head, and what its decoder gives.

    Attributes:
        name: of the head.
        observation: p(x | z), with its parameters, as a text in the units of x.
        gains: standard deviation of each output over z.
        offsets: mean of each output over z.
        step: to which x is rounded; 0 for none.
        families: the right answers: the family that data are drawn from, and those that say the same of them.
    """

    name: str
    observation: str
    gains: tuple[float, ...] = (1.0,)
    offsets: tuple[float, ...] = (0.0,)
    step: float = 0.0
    families: tuple[str, ...] = ()

    def is_right(self, observation: str) -> bool:
        """Return whether an observation is of the true family, or of one that says the same."""
        return family_of(observation) in (self.families or (self.name,))


TRUTHS: Mapping[str, Truth] = {
    truth.name: truth
    for truth in (
        Truth("normal", "normal:scale=0.6"),
        Truth("normal:scale=decoder", "normal:scale=decoder", (1.0, 0.7), (0.0, -0.9)),
        Truth("student-t", "student-t:scale=0.5,df=2.5"),
        Truth("laplace", "laplace:scale=0.5"),
        Truth("log-normal", "log-normal:scale=0.5", (0.7,)),
        Truth("gamma", "gamma:concentration=2", (0.7,)),
        # A Kumaraswamy is nearly a Beta.
        Truth("beta", "beta:concentration=8", families=("beta", "kumaraswamy")),
        Truth("continuous-bernoulli", "continuous-bernoulli", (4.0,)),
        Truth("von-mises", "von-mises:concentration=4", (1.0, 1.0), (0.5, 0.0)),
        Truth("poisson", "poisson", (0.7,), (1.2,)),
        Truth("negative-binomial", "negative-binomial:dispersion=0.6", (0.7,), (1.5,)),
        Truth("binomial", "binomial:n=12", (1.2,)),
        Truth("zero-inflated:inner=poisson", "zero-inflated:inner=poisson", (1.0, 0.6), (-0.8, 1.5)),
        Truth(
            "zero-inflated:inner=negative-binomial",
            "zero-inflated:inner=negative-binomial,dispersion=0.4",
            (1.0, 0.6),
            (-0.8, 1.8),
        ),
        Truth("zero-inflated:inner=log-normal", "zero-inflated:inner=log-normal,scale=0.5", (1.0, 0.7), (-0.5, 0.0)),
        Truth("rounded normal", "normal:scale=1.5", (2.5,), step=1.0, families=("normal",)),
        Truth("bernoulli", "bernoulli", (2.0,)),
        Truth("categorical", "categorical:categories=4", (1.5, 1.5, 1.5, 1.5), (0.0, 0.3, -0.3, 0.0)),
        Truth("ordinal", "ordinal:categories=5", (2.0,), (1.0,)),
    )
}
# Some of them, for a quick look.
FEW = ("normal", "log-normal", "poisson", "bernoulli")


def family_of(observation: str) -> str:
    """Return the family of an observation's text: without the numbers of its data, and without their grid."""
    name, _, rest = observation.partition(":")
    options = [one for one in rest.replace(":", ",").split(",") if one and not one.startswith(_NUMBERS)]
    if name == "discretised":
        name, options = options[0].removeprefix("inner="), options[1:]
    return f"{name}:{','.join(options)}" if options else name
