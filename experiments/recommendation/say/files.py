"""The files of a recommendation."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.files import save_json, save_text
from obsvae.experiments.recommendation.results import Recommendation
from obsvae.experiments.recommendation.say.command import command
from obsvae.experiments.recommendation.say.page import page
from obsvae.experiments.recommendation.say.plain import plain
from obsvae.experiments.recommendation.say.schema import schema_text
from obsvae.experiments.recommendation.say.text import markdown

PAGE, TEXT, PLAIN, SCHEMA = "recommendation.html", "recommendation.md", "recommendation.json", "schema.toml"


def save(
    recommendation: Recommendation, data: Dataset, folder: str | Path, draws: Mapping[str, np.ndarray] | None = None
) -> list[Path]:
    """Write ``recommendation.md``, ``.json`` and ``.html``, and for a table ``schema.toml``, each whole.

    Args:
        recommendation: what to tell.
        data: which it is about.
        folder: where to.
        draws: by the name of the question, from its winner, of any shape, in data units; of a question without draws
            the page shows no histogram. Of images, ``(n, *event)`` under the name "", it shows some.

    Returns:
        The files, the page first.
    """
    to = Path(folder)
    schema = None if data.columns is None else schema_text(recommendation, data)
    train = command(recommendation, data, None if schema is None else to / SCHEMA)
    written = [save_text(to / PAGE, page(recommendation, data, draws or {}, train, schema))]
    written.append(save_text(to / TEXT, markdown(recommendation, train)))
    written.append(save_json(to / PLAIN, plain(recommendation, train)))
    return written if schema is None else [*written, save_text(to / SCHEMA, schema)]
