"""What refined particles and annealing tell of each other, and what is missed on data from the model."""

import numpy as np
import pytest

from obsvae.experiments.evaluation.judges import disagreements, of_missed_mass
from obsvae.experiments.evaluation.per_datum import Estimates
from obsvae.inference import LogLikelihood, MissedMass, diagnose


def likelihood_of(levels):
    """Return estimates at these levels, of good weights."""
    noise = np.random.default_rng(0).normal(0.0, 0.1, (400, len(levels)))
    evaluations = np.full(len(levels), 400)
    return LogLikelihood(
        diagnose(noise + np.asarray(levels)), np.asarray(levels), 400, evaluations, features=4, proposal="refined"
    )


def estimates_of(rows, levels, flagged=(), measure="mass"):
    return Estimates(
        np.asarray(rows), np.asarray(levels), np.full(len(rows), 0.01), np.isin(np.arange(len(rows)), flagged), measure
    )


ROWS = np.array([5, 7, 9])


def test_a_datum_that_annealing_puts_higher_is_named_by_its_row():
    other = estimates_of([9, 5, 1], [-3.0, 10.0, 99.0])
    (found,) = disagreements(likelihood_of([-1.0, -2.0, -3.0]), ROWS, "mass", other, "ais")
    assert found.kind == "disagreement"
    assert found.is_warning
    assert found.data == (0,)
    assert "on 1 of 2 data: datum 0 (row 5); ais is +11." in found.text


def test_rows_are_called_by_their_names_where_they_have_any():
    other, names = estimates_of(ROWS, [10.0, -2.0, -3.0]), np.array(["Ann", "Bob", "Cy"], dtype=object)
    (found,) = disagreements(likelihood_of([-1.0, -2.0, -3.0]), ROWS, "mass", other, "ais", names)
    assert "refined and ais disagree by more than their errors on 1 of 3 data: datum 0 (row Ann);" in found.text


@pytest.mark.parametrize(
    ("levels", "flagged", "kind", "words"),
    [
        ([-1.0, -2.0, -3.0], (), "bracketed", "refined and ais agree within their errors on 3 data"),
        ([-1.0, -9.0, -3.0], (1,), "bracketed", "on 2 data; 1 more cannot be judged, since an estimate is flagged"),
        ([-1.0, np.nan, -3.0], (1,), "bracketed", "on 2 data; 1 more cannot be judged"),
        ([-1.0, 9.0, -3.0], (1,), "disagreement", "on 1 of 3 data"),
        ([-9.0, -9.0, -9.0], (0, 1, 2), "no reference", "for each of 3 data an estimate is flagged or lacking"),
    ],
)
def test_what_is_told(levels, flagged, kind, words):
    found = disagreements(likelihood_of([-1.0, -2.0, -3.0]), ROWS, "mass", estimates_of(ROWS, levels, flagged), "ais")
    assert [one.kind for one in found] == [kind]
    assert words in found[0].text


def test_other_data_and_other_measures_are_left_out():
    likelihood = likelihood_of([-1.0, -2.0, -3.0])
    assert disagreements(likelihood, ROWS, "density", estimates_of(ROWS, [0.0] * 3), "ais") == []
    assert disagreements(likelihood, ROWS, "mass", estimates_of([1, 2, 3], [0.0] * 3), "ais") == []


def test_much_missed_mass_is_a_warning():
    own = np.zeros(100)
    little = of_missed_mass(MissedMass(np.zeros(100), np.full(100, 0.01), own), "do that")
    assert (little.kind, little.is_warning) == ("bracketed", False)
    upper = np.zeros(100)
    upper[:3] = 5.0
    own[:3] = 12.0
    much = of_missed_mass(MissedMass(np.zeros(100), upper, own), "do that")
    assert much.is_warning
    assert "0.150 ± 0.086 nats too low; 3 of 100 z were missed" in much.text
    assert much.text.endswith("leaves out parts of the posteriors; do that")
    few = of_missed_mass(MissedMass(np.zeros(100), np.full(100, 0.3), np.zeros(100)), "do that")
    assert few.is_warning
    assert "0 of 100 z were missed (95 %: fewer than 3.0 % of all data from the model): take more particles" in few.text
    assert of_missed_mass(MissedMass(np.zeros(100), *np.full((2, 100), np.nan)), "do that").is_warning
