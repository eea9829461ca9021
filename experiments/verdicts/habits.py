"""What people write out of habit: an output activation with a loss, and the family that it stands for."""

SQUARED_ERROR, CROSS_ENTROPY = "identity with squared error", "sigmoid with cross-entropy"
# The loss alone, for half a sentence.
LOSSES = {SQUARED_ERROR: "squared error", CROSS_ENTROPY: "cross-entropy"}
_FAMILIES = {
    "normal": SQUARED_ERROR,
    "bernoulli": CROSS_ENTROPY,
    "continuous-bernoulli": CROSS_ENTROPY,
    "unnormalised-bernoulli": CROSS_ENTROPY,
}


def habit_of(observation: str) -> str:
    """Return the habit that a family stands for, such as ``identity with squared error``; empty where there is none.

    A Normal whose decoder tells σ, or whose link is not the identity, is no squared error.

    Args:
        observation: as a text; a wrapped family stands for none.
    """
    name, _, options = observation.partition(":")
    said = {option.strip() for option in options.split(",")}
    if name == "normal" and ("scale=decoder" in said or said & {"link=sigmoid", "link=softplus"}):
        return ""
    return _FAMILIES.get(name, "")
