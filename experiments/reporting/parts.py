"""The parts of a run's report: pictures, each with what it shows and what it means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from obsvae.errors import UsageError
from obsvae.experiments.reporting import latent_pictures, pictures
from obsvae.experiments.reporting.page import Part, Picture, Table
from obsvae.experiments.reporting.subject import Subject
from obsvae.experiments.reporting.tables import checks, columns, records


@dataclass(frozen=True)
class Builder:
    """What a part of the page is about, and what draws it."""

    text: str
    draw: Callable[[Subject], Sequence[Picture | Table]]

    def part(self, title: str, subject: Subject) -> Part:
        """Return the part, or a note on why it cannot be for these data or this family."""
        try:
            return Part(title, self.text, list(self.draw(subject)))
        except UsageError as error:
            return Part(title, note=str(error))


# By title, in the order of the page.
PARTS: Mapping[str, Builder] = {
    "How it learned": Builder(
        "Training and validation objective by epoch; the weights are those of the best validation.", pictures.learning
    ),
    "Reproductions": Builder(
        "What the decoder makes of held-out data. Mean, sample and parameter are different pictures.",
        pictures.reproduced,
    ),
    "Draws from the model": Builder("What the model makes of z from the prior.", pictures.samples),
    "Predictive checks": Builder(
        "Held-out data beside samples from the model as a whole, z from the prior: would it have made such data?",
        pictures.predictive,
    ),
    "How far to trust the likelihood": Builder(
        "The estimate against the number of particles: where it still climbs, it is not there yet.",
        pictures.likelihood,
    ),
    "The data with the lowest likelihood, and those where the guide is worst": Builder(
        "Pictures of failures: look at these before believing any mean.", pictures.worst
    ),
    "Calibration of the posterior": Builder(
        "Data drawn from the model itself: the z that made them should be like any draw from their posterior.",
        latent_pictures.calibration,
    ),
    "Latents": Builder(
        "Which dimensions are used, whether together they fill the prior, and where the data lie.",
        latent_pictures.latents,
    ),
    "Traversals, interpolations and neighbours": Builder("All pictures are means, E[x | z].", latent_pictures.walks),
}

# Of tables, whose columns have names, kinds and units of their own.
PARTS_OF_TABLES: Mapping[str, Builder] = {
    "Columns": Builder("What the schema says of each column, and how often it is missing.", columns.described),
    "How it learned": Builder(PARTS["How it learned"].text, columns.learning),
    "Reproductions": Builder("What the decoder makes of held-out data, column by column.", columns.reproduced),
    "Draws from the model": Builder(
        "Rows that the model makes of z from the prior, below rows of the data.", records.samples
    ),
    "Predictive checks": Builder(PARTS["Predictive checks"].text, checks.predictive),
    "Pairs of columns": Builder("Would the model have made data whose columns depend on one another so?", checks.pairs),
    "How far to trust the likelihood": PARTS["How far to trust the likelihood"],
    "The rows with the lowest likelihood, and those where the guide is worst": Builder(
        "Look at these before believing any mean.", records.worst
    ),
    "Calibration of the posterior": PARTS["Calibration of the posterior"],
    "Latents": PARTS["Latents"],
    "Traversals and neighbours": Builder(
        "What moves along the latents, and which rows are near one another.", records.walks
    ),
}


def parts_of(subject: Subject) -> Mapping[str, Builder]:
    """Return the parts of a run's report, by title."""
    return PARTS if subject.run.data.columns is None else PARTS_OF_TABLES
