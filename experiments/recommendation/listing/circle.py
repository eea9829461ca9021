"""When families of angles come in question."""

import math
from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import Proposal, from_z, is_no_number
from obsvae.experiments.recommendation.listing.variable import Variable

# Share of a turn that values have to cover to be taken for angles where nobody says.
_COVERED = 0.95
_REMEDY = 'for degrees declare observation = "von-mises" and bounds = [0, 360]'


def von_mises(v: Variable) -> Sequence[Proposal] | str:
    """Return the von Mises of angles: declared ones, or numbers from −π to π that cover the turn."""
    if is_no_number(v) or v.has_levels:
        return is_no_number(v) or "levels with an order, and not angles"
    if v.look.period is None:
        if v.look.is_whole or v.bounds is not None:
            return f"nobody has said that they are angles; {_REMEDY}"
        if v.look.high - v.look.low < _COVERED * 2 * math.pi:
            cover = f"they cover no turn ({v.look.low:g} to {v.look.high:g})"
            return f"nobody has said that they are angles, and {cover}; {_REMEDY}"
        reason = "from −π to π, as angles in radians"
    else:
        reason = f"angles: {v.look.period:g} is one turn"
    return [
        Proposal(v.masses("von-mises"), reason, "angles"),
        Proposal(v.masses("von-mises:concentration=decoder"), f"{reason}; spread by the row", from_z("von-mises")),
    ]
