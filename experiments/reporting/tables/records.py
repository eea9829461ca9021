"""Rows of a table: drawn from the model, the worst, those near one another, and what moves along the latents."""

import numpy as np
import torch

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.errors import UsageError
from obsvae.experiments.evaluation.about import called
from obsvae.experiments.reporting.page import Picture, Table, picture
from obsvae.experiments.reporting.pictures import gaps, lowest_likelihood, nats
from obsvae.experiments.reporting.subject import TRAINING, Subject
from obsvae.experiments.reporting.tables.cells import beside, columns_of, heads, texts
from obsvae.inference import active_units, nearest, prior_draws, reproduce_columns, walk_columns
from obsvae.inference.conditions import alike, rows_of

_SHOWN, _NEIGHBOURS, _LATENTS = 10, 3, 4
_OF_DATA, _OF_NEIGHBOURS = 5, 5


def samples(subject: Subject) -> list[Table]:
    """Return rows of the data, and rows that the model draws."""
    columns = columns_of(subject)
    drawn = prior_draws(subject.model, _SHOWN, subject.seed, c=alike(subject.c, _SHOWN))["sample"].cpu().numpy()
    observed = texts(subject.x[:_OF_DATA].cpu().numpy(), columns)
    rows = [[f"row {name}", *cells] for name, cells in zip(subject.called, observed, strict=False)]
    rows += [["drawn", *cells] for cells in texts(drawn, columns, digits=4)]
    return [Table("Held-out rows, then samples x ~ p(x | z) at draws z ~ p(z).", ("", *heads(columns)), rows)]


def worst(subject: Subject) -> list[Picture | Table]:
    """Return the rows that fare worst."""
    estimate, lowest = lowest_likelihood(subject)
    title = "The lowest log p(x) in nats; in brackets what the decoder makes of the row at the guide's mean of z."
    found: list[Picture | Table] = [_rows(subject, lowest[:_SHOWN], estimate, "log p(x)", title)]
    drawn, gap = gaps(subject)
    if gap is not None:
        title = "The largest amortisation gaps: refined less amortised estimate in nats."
        found += [*drawn, _rows(subject, np.argsort(-gap)[:_SHOWN], gap, "gap", title)]
    return found


def walks(subject: Subject) -> list[Picture | Table]:
    """Draw what each column is expected to be along the latents, and return neighbours."""
    if len(subject.x) < 2:
        raise UsageError(f"walks need at least 2 data, but there are {len(subject.x)}")
    columns, train = columns_of(subject), subject.run.data.train[:TRAINING]
    means, of_train = subject.means(), subject.means_of_training()
    number = min(_LATENTS, max(1, int(active_units(means).sum())))
    dimensions = torch.argsort(means.var(0), descending=True)[:number].tolist()
    values = np.linspace(-3, 3, 31).tolist()
    centre = torch.zeros_like(means[0])
    along = walk_columns(
        subject.trained, centre, dimensions, values, columns, subject.x[0], rows_of(subject.c, slice(1))
    )
    figure = inference.plot_column_walks(
        [of.cpu().numpy() for of in along], subject.x.cpu().numpy(), columns, dimensions, values
    )
    caption = (
        "One latent at a time from −3 to 3, the others at 0, the centre of the prior; the most varying latents. "
        "Lines: E[x | z], on the range of the held-out data. Areas: the probabilities of levels."
    )
    caption += " Conditions are those of the first row." if subject.c is not None else ""
    caption += " The columns that change most." if len(columns) > 8 else ""
    k = min(_NEIGHBOURS, len(train))
    rows = []
    near = nearest(means[:_OF_NEIGHBOURS], of_train, k)
    names = called(subject.run.data, subject.run.data.rows["train"].numpy())
    for i, of in enumerate(near):
        mine = texts(subject.x[[i]].cpu().numpy(), columns)[0]
        rows.append([f"row {subject.called[i]}", *mine])
        others = texts(train[torch.from_numpy(of)].cpu().numpy(), columns)
        rows += [[f"near: row {names[j]}", *cells] for j, cells in zip(of, others, strict=True)]
    title = f"Held-out rows, each above the {k} training rows whose means of z are nearest."
    return [picture(figure, "Traversals", caption), Table(title, ("", *heads(columns)), rows)]


def _rows(subject: Subject, which: np.ndarray, values: np.ndarray, name: str, title: str) -> Table:
    at = torch.from_numpy(which)
    columns, x, c = columns_of(subject), subject.x[at], rows_of(subject.c, at)
    made = reproduce_columns(subject.trained, subject.run.guide, x, columns, c=c, seed=subject.seed)
    cells = beside(texts(x.cpu().numpy(), columns), texts(made.cpu().numpy(), columns, digits=4))
    rows = [[str(subject.called[i]), nats(values[i]), *of] for i, of in zip(which, cells, strict=True)]
    return Table(title, ("row", name, *heads(columns)), rows)
