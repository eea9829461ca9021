"""What people write out of habit: an output activation with a loss, and the family that it stands for."""

import re

from obsvae.data.tables.schemas.families import innermost

SQUARED_ERROR, CROSS_ENTROPY = "identity with squared error", "sigmoid with cross-entropy"
_LOSSES = {SQUARED_ERROR: "squared error", CROSS_ENTROPY: "cross-entropy"}
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
        observation: as a text, perhaps with what it is scored as behind a comma; a wrapped family stands for none.
    """
    name, *options = (part.strip() for part in re.split("[:,]", observation))
    if name == "normal" and {"scale=decoder", "link=sigmoid", "link=softplus"} & set(options):
        return ""
    return _FAMILIES.get(name, "")


def habit_within(observation: str) -> str:
    """Return the habit that the innermost family of a text stands for, such as that of a Normal in a wrapper."""
    return _FAMILIES.get(innermost(observation), "")


def called(observation: str, habit: str) -> str:
    """Return a family by its name, with the loss that stands for it, or that it stands in for.

    Args:
        observation: as a text.
        habit: that it stands for; empty: none.
    """
    if not habit:
        return observation
    loss = _LOSSES[habit]
    return f"{observation}, which {loss} stands for," if habit_of(observation) else f"{observation}, in {loss}'s place,"
