"""What the columns are, how each was learned, and how it is reproduced."""

import numpy as np

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.experiments.reporting import pictures
from obsvae.experiments.reporting.page import Picture, Table, picture
from obsvae.experiments.reporting.subject import Subject
from obsvae.experiments.reporting.tables.cells import columns_of
from obsvae.experiments.runs.shares import load_shares
from obsvae.inference import reproduce_columns
from obsvae.inference.conditions import rows_of

_REPRODUCED = 1000
_NAMED = 5  # levels of a column that are written out


def described(subject: Subject) -> list[Table]:
    """Return a table of the columns, with the shares that are missing."""
    data, measures = subject.run.data, subject.model.measures
    missing = [np.isnan(x.cpu().numpy()).mean(0) for x in (data.train, subject.x)]
    rows = [
        [
            column.name,
            column.kind.value if column.levels is None else f"{column.kind.value}: {_several(column.levels)}",
            column.observation,
            column.unit or "–",
            measures[column.name].value if column.name in measures else "–",
            *(_share(share[d]) for share in missing),
        ]
        for d, column in enumerate(columns_of(subject))
    ]
    columns = ("column", "values", "family", "unit", "measure", "missing in training", "missing here")
    whole = [float(share.mean()) for share in missing]
    title = f"Of all entries {_share(whole[0])} are missing in training, and {_share(whole[1])} in the data looked at."
    if any(whole):
        title += " They are integrated out: log p(x) of a row is that of its entries that are seen."
    return [Table(title if any(whole) else "No entry is missing.", columns, rows)]


def learning(subject: Subject) -> list[Picture | Table]:
    """Draw the learning curve, and what each column has gained."""
    names, shares = load_shares(subject.run.folder)
    best = subject.run.config["outcome"]["best_epoch"]
    caption = (
        "The share of each column in the validation ELBO, E log p(x_d | z), less that after the first epoch. By "
        "itself a share depends on the column's unit: the same lengths have log 10 nats less each in millimetres than "
        "in centimetres. The gains do not, and compare. What the first epoch taught is not in them. They add up to "
        "what the ELBO and the KL divergence, which is of no single column, have gained together. A missing entry "
        "counts 0."
    )
    at = len(shares) if best is None else best
    gains = shares[at - 1] - shares[0]
    rows = [
        [names[d], f"{shares[0, d]:.3f}", f"{shares[at - 1, d]:.3f}", f"{gains[d]:+.3f}"] for d in np.argsort(-gains)
    ]
    title = "The shares in nats per datum, each in the unit of its column: compare the gains alone."
    return [
        *pictures.learning(subject),
        picture(inference.plot_column_gains(names, shares, best), "Gain of each column", caption),
        Table(title, ("column", "after epoch 1", f"after epoch {at}", "gain"), rows),
    ]


def reproduced(subject: Subject) -> list[Picture]:
    """Draw each column, observed against reproduced."""
    first = slice(_REPRODUCED)
    columns, x, c = columns_of(subject), subject.x[first], rows_of(subject.c, first)
    made = reproduce_columns(subject.trained, subject.run.guide, x, columns, c=c, seed=subject.seed)
    figure = inference.plot_column_reproductions(x.cpu().numpy(), made.cpu().numpy(), columns)
    caption = (
        "At the guide's mean of z: E[x | z] of numbers, and the likeliest level of others, with the number of data and "
        "coloured by the share of the observed level. R² is held against the mean of these data. Each row is seen by "
        "the encoder whole: no entry is predicted from the others here."
    )
    caption += " The first 24 columns." if len(columns) > 24 else ""
    return [picture(figure, "Columns, observed against reproduced", caption)]


def _share(share: float) -> str:
    return f"{share:.1%}" if share else "none"


def _several(texts: tuple[str, ...]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return f"{', '.join(texts[:_NAMED])}{more}"
