"""Published tables by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obsvae.experiments.published import exemplar, frey_faces, iwae, not_miwae
from obsvae.experiments.published.likelihood import Effort
from obsvae.experiments.published.row import Row


@dataclass(frozen=True)
class Published:
    """A published table.

    Attributes:
        reference: where it was published.
        protocol: how its numbers came about, and what differs here.
        models: the names of its models; empty where it has methods.
        rows: train and score, from the options of its command.
        options: those options, with their defaults.
    """

    reference: str
    protocol: str
    models: Sequence[str]
    rows: Callable[[Mapping[str, Any]], Iterator[Row]]
    options: Mapping[str, object]


_EFFORT: Mapping[str, object] = {
    "models": None,
    "epochs": None,
    "minutes": None,
    "limit": None,
    "particles": 5000,
    "runs": None,
}


def _of_models(module: Any, first: Sequence[str]) -> Published:
    def rows(options: Mapping[str, Any]) -> Iterator[Row]:
        names = ("epochs", "minutes", "limit", "particles", "seed", "runs")
        return module.rows(options["models"], Effort(**{name: options[name] for name in names}))

    defaults = {**_EFFORT, "models": tuple(first)}
    return Published(module.REFERENCE, module.PROTOCOL, tuple(module.MODELS), rows, defaults)


def _of_filled(options: Mapping[str, Any]) -> Iterator[Row]:
    effort = not_miwae.Effort(options["steps"], options["particles"], options["seed"])
    return not_miwae.rows(options["tables"], options["methods"], effort)


PUBLISHED: Mapping[str, Published] = {
    not_miwae.NAME: Published(
        not_miwae.REFERENCE,
        not_miwae.PROTOCOL,
        (),
        _of_filled,
        {"tables": tuple(not_miwae.TABLES), "methods": tuple(not_miwae.METHODS), "steps": 30_000, "particles": 10_000},
    ),
    exemplar.NAME: _of_models(exemplar, ["standard"]),
    iwae.NAME: _of_models(iwae, ["vae", "dreg-50"]),
    frey_faces.NAME: _of_models(frey_faces, ["normal"]),
}
