"""What judges of the estimates say: data from the model, and another proposal."""

from pathlib import Path

import numpy as np

from obsvae.errors import UsageError
from obsvae.experiments.evaluation.findings import Finding, in_words
from obsvae.experiments.evaluation.per_datum import Estimates, read_per_datum
from obsvae.inference import LogLikelihood, MissedMass, Proposal

# Stands in the settings of annealing that starts from refined particles.
_FITTED = "start={"
# Nats that a mean may be too low, share of missed z, and number of standard errors, beyond which is warned.
_MUCH_NATS, _MANY, _ERRORS = 0.1, 0.01, 4.0


def of_missed_mass(found: MissedMass, remedy: str) -> Finding:
    """Return how much of log p(x) the estimates miss on data from the model: a warning where that is not little.

    Args:
        found: what was measured.
        remedy: what to do about data whose estimate is not to be trusted, as the proposal has it.
    """
    summary = found.summary()
    if summary["unusable"]:
        return Finding("missed", f"{found}; look at the decoder's outputs for draws of the prior, or train again")
    if summary["missed"] > _MANY * summary["n"]:
        return Finding("missed", f"{found}: the proposal leaves out parts of the posteriors; {remedy}")
    if not summary["gap"] <= _MUCH_NATS:
        return Finding("missed", f"{found}: take more particles")
    return Finding("bracketed", str(found))


def disagreements(
    likelihood: LogLikelihood,
    rows: np.ndarray,
    measure: str,
    other: Estimates,
    other_name: str,
    row_names: np.ndarray | None = None,
) -> list[Finding]:
    """Return the data of which two proposals tell different things, by more than their errors.

    An estimate is a lower bound in expectation: of two, the lower one is wrong. Data are left out, and counted, where
    the lower one is flagged, which tells that it is wrong, or where one has no estimate or no standard error.

    Args:
        likelihood: of the data, by one proposal.
        rows: of the data in their source, ``(N,)``.
        measure: of the numbers.
        other: what another proposal has left; data that it has not scored, or scored by another measure, are left out.
        other_name: of that proposal.
        row_names: of these, ``(N,)``, where they have any.
    """
    place = {row: i for i, row in enumerate(other.rows.tolist())}
    both = np.array([i for i, row in enumerate(rows.tolist()) if row in place], dtype=int)
    if other.measure != measure or not len(both):
        return []
    there = np.array([place[row] for row in rows[both].tolist()])
    w = likelihood.weights
    difference = other.log_likelihood[there] - w.estimate[both]
    error = np.sqrt(np.square(w.standard_error[both]) + np.square(other.standard_error[there]))
    differ = np.abs(difference) > _ERRORS * error + _MUCH_NATS
    one_is_flagged, other_is_flagged = w.flagged[both], other.flagged[there]
    # Two that agree are no proof where one of them is flagged, nor is a difference where the lower one is.
    unknown = ~np.isfinite(difference) | ~np.isfinite(error)
    lower_is_flagged = np.where(difference > 0, one_is_flagged, other_is_flagged)
    judged = ~unknown & np.where(differ, ~lower_is_flagged, ~(one_is_flagged | other_is_flagged))
    differ &= judged
    n = int(judged.sum())
    left = len(both) - n
    out = f"; {left} more cannot be judged, since an estimate is flagged or lacking" if left else ""
    names = f"{likelihood.proposal} and {other_name}"
    if not n:
        text = f"{names} cannot be held against each other: for each of {left} data an estimate is flagged or lacking"
        return [Finding("no reference", text)]
    if not differ.any():
        return [Finding("bracketed", f"{names} agree within their errors on {n} data{out}")]
    which, by = both[differ], difference[differ]
    listed = in_words(which, rows if row_names is None else row_names)
    worst = np.abs(by).argmax()
    told = f"{other_name} is {by[worst]:+.2f} nats from {likelihood.proposal} at datum {which[worst]}"
    text = (
        f"{names} disagree by more than their errors on {len(which)} of {n} data: {listed}; {told}; "
        f"the lower of two is wrong{out}"
    )
    return [Finding("disagreement", text, tuple(which.tolist()))]


def judged_by(
    file: Path,
    other: str,
    likelihood: LogLikelihood,
    rows: np.ndarray,
    measure: str,
    proposal: Proposal,
    names: np.ndarray,
) -> list[Finding]:
    """Return what the estimates of another proposal, in a file, say of these."""
    try:
        estimates = read_per_datum(file)
    except UsageError as error:  # these estimates are made: they are not lost for a file of others
        return [Finding("no reference", str(error))]
    if _FITTED in estimates.proposal or getattr(proposal, "start", None) is not None:
        text = "annealing that starts from refined particles knows their modes alone: it is not held against them"
        return [Finding("no reference", text)]
    return disagreements(likelihood, rows, measure, estimates, other, names)
