"""The tables of results on a report's page."""

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from comparison_report import data_of
from report_parts import Subject

from inference import Difference, amortisation_gap, rank


def scale_of(subject: Subject) -> tuple[str, str]:
    """Return what the run is a model of, and its measure: numbers compare where both are the same."""
    return data_of(Path(subject.path)), subject.model.observation.measure.value


def different(subjects: Sequence[Subject]) -> list[str]:
    """Return a line where not all runs compare."""
    if len({scale_of(subject) for subject in subjects}) == 1:
        return []
    return [
        "the runs are of different data or measures, and stand in tables of their own; scripts/compare.py ranks "
        "densities and masses together where the data lie on a grid"
    ]


def results(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return a table for each scale, its runs from best to worst."""
    tables = []
    for (data, measure), group in groupby(sorted(subjects, key=scale_of), scale_of):
        members = {subject.name: subject for subject in group}
        # Differences are over the data that all of them have an estimate for.
        usable = np.logical_and.reduce([subject.refined.weights.usable for subject in members.values()])
        ranking = dict.fromkeys(members, Difference(math.nan, math.nan))
        if usable.any():
            ranking = rank({name: [subject.refined.weights.estimate[usable]] for name, subject in members.items()})
        rows = []
        for name, difference in ranking.items():
            subject = members[name]
            summary = subject.refined.summary()
            gaps = np.array([])
            if subject.amortised is not None:
                gaps = amortisation_gap(subject.refined.weights, subject.amortised.weights)
                gaps = gaps[np.isfinite(gaps)]
            rows.append(
                [
                    name,
                    subject.config["observation"],
                    f"{short(summary['nats_per_datum'], '.2f')} ± {short(summary['standard_error'], '.2f')}",
                    f"{short(difference.mean, '.2f')} ± {short(difference.standard_error, '.2f')}",
                    short(summary["bits_per_dim"], ".3f"),
                    short(summary["khat_median"], ".2f"),
                    short(summary["ess_median"], ".0f"),
                    f"{summary['flagged']:.1%}",
                    short(gaps.mean() if len(gaps) else math.nan, ".2f"),
                ]
            )
        tables.append(
            {
                "title": f"{measure.capitalize()} of {data}: nats per datum over {summary['n']} data.",
                "columns": [
                    "run",
                    "observation",
                    "log p(x) ± s.e.",
                    "to the best ± s.e. (paired)",
                    "bits/dim",
                    "k̂",
                    f"ESS of {summary['particles']}",
                    "flagged",
                    "amortisation gap",
                ],
                "rows": rows,
            }
        )
    return tables


def short(value: object, digits: str = ".4g") -> str:
    """Return a number with so many digits, a dash where there is none, and anything else as it is."""
    if not isinstance(value, float):
        return str(value)
    return "–" if math.isnan(value) else f"{value:{digits}}"
