"""One self-contained page on one or more runs: results, pictures, checks, and what the diagnostics mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.experiments.evaluation.tables import short
from obsvae.experiments.files import require_place, save_text
from obsvae.experiments.reporting.glossary import GLOSSARY
from obsvae.experiments.reporting.page import Part, Table, rendered
from obsvae.experiments.reporting.parts import parts_of
from obsvae.experiments.reporting.results import different, tables
from obsvae.experiments.reporting.subject import Subject, look_at
from obsvae.experiments.reporting.verdicts import verdicts
from obsvae.experiments.runs.run import Run, load_run
from obsvae.whole_numbers import whole

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


@dataclass(frozen=True)
class Section:
    """What the page says of one run."""

    id: str
    name: str
    observation: str
    configuration: Table
    parts: Sequence[Part]


@dataclass(frozen=True)
class Report:
    """A page on runs, before it is written.

    Attributes:
        title: of the page.
        subtitle: what was looked at.
        warnings: what a reader must know first.
        notes: what else to know of the numbers.
        results: tables of likelihoods.
        verdicts: what to take of the runs, a sentence for each table.
        sections: one for each run.
    """

    title: str
    subtitle: str
    warnings: Sequence[str]
    notes: Sequence[str]
    results: Sequence[Table]
    verdicts: Sequence[str]
    sections: Sequence[Section]

    def html(self) -> str:
        """Return the page; it needs no other file."""
        return rendered(
            _TEMPLATE,
            title=self.title,
            subtitle=self.subtitle,
            warnings=self.warnings,
            notes=self.notes,
            results=self.results,
            verdicts=self.verdicts,
            runs=self.sections,
            glossary=GLOSSARY,
        )

    def save(self, out: Path) -> Path:
        """Write the page, whole."""
        return save_text(out, self.html())


def write_report(
    runs: Run | str | Path | Sequence[Run | str | Path],
    out: str | Path,
    *,
    limit: int = 200,
    particles: int = 500,
    seed: int = 0,
) -> Path:
    """Write a self-contained page on runs.

    Args:
        runs: a run or its folder, or several.
        out: the file, with a name that ends in .html.
        limit: look at the first test data, this many at most.
        particles: K, for each datum.
        seed: of all draws.

    Raises:
        UsageError: for another name, numbers that are not whole, no run or one that is named twice, and a folder
            without a run.
    """
    file = page_file(out)
    return make_report(runs, limit=limit, particles=particles, seed=seed).save(file)


def make_report(
    runs: Run | str | Path | Sequence[Run | str | Path], *, limit: int = 200, particles: int = 500, seed: int = 0
) -> Report:
    """Return a page on runs, as :func:`write_report` writes it."""
    limit, particles, seed = whole("limit", limit), whole("particles", particles), whole("seed", seed, least=0)
    # All are read before anything is computed: one that cannot be is told at once.
    several = [runs] if isinstance(runs, Run | str | Path) else runs
    loaded = [one if isinstance(one, Run) else load_run(one) for one in several]
    for one in loaded:
        _ = one.data
    names = _names(loaded)
    subjects = [
        look_at(one, name, limit=limit, particles=particles, seed=seed) for name, one in zip(names, loaded, strict=True)
    ]
    told = {
        is_warning: [
            f"{one.name}: {found.text}" for one in subjects for found in one.findings if found.is_warning is is_warning
        ]
        for is_warning in (True, False)
    }
    counted = f"{len(subjects)} run{'s' if len(subjects) > 1 else ''}"
    return Report(
        title="What the decoder's output says" if len(subjects) > 1 else f"Report on {names[0]}",
        subtitle=f"{counted}; the first {limit} test data at most, {particles} particles for each, seed {seed}.",
        warnings=[*different(subjects), *told[True]],
        notes=told[False],
        results=tables(subjects),
        verdicts=verdicts(subjects),
        sections=[_section(number, subject) for number, subject in enumerate(subjects)],
    )


def page_file(out: str | Path) -> Path:
    """Return the file of a page; refuse a name that no browser would take for one."""
    if Path(out).suffix != ".html":
        raise UsageError(f"a report needs a name that ends in .html, but got {out}; choose another name")
    return require_place(Path(out))


def _names(runs: Sequence[Run]) -> list[str]:
    """Return short names that differ."""
    folders = [run.folder.resolve() for run in runs]
    if not folders:
        raise UsageError("a report needs at least one run, but got none")
    if len(set(folders)) < len(folders):
        raise UsageError(f"a run is named twice: {' '.join(str(run.folder) for run in runs)}")
    names = [folder.name for folder in folders]
    # Folders such as a/seed-0 and b/seed-0 need more than their last name.
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def _learned(parameters: Mapping[str, object]) -> dict[str, str]:
    """Return learned parameters by name; those of a table's families by the columns that share them."""
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            found |= {f"{inner} of {name}": text for inner, text in _learned(value).items()}
        else:
            found[f"learned {name}"] = _range(value)
    return found


def _range(value: object) -> str:
    """Return a learned parameter: a number, or the least and the greatest of many."""
    if isinstance(value, list):
        numbers = np.ravel(value).tolist()
        return f"{short(min(numbers))} … {short(max(numbers))}" if numbers else "–"
    return short(value)


def _section(number: int, subject: Subject) -> Section:
    config, training = subject.run.config, subject.run.config["training"]
    settings = {
        "data": config["data_name"],
        "guide": config["guide"],
        "prior": config["prior"],
        "architecture": f"{config['architecture']}, hidden {config['hidden']}, z of {config['latent']}",
        **{name: config[name] for name in ("decoder", "encoder") if config.get(name)},
        "training": ", ".join(f"{key} {value}" for key, value in training.items() if value is not None),
        "ended": config["outcome"]["stopped"],
        "weights of epoch": config["outcome"]["best_epoch"],
        **_learned(subject.run.model.observation.describe()),
    }
    rows = [[key, str(value)] for key, value in settings.items()]
    bar = tqdm(parts_of(subject).items(), desc=subject.name, unit="part", disable=None)
    return Section(
        f"run-{number}",
        subject.name,
        config["observation"],
        Table("", ["setting", "value"], rows),
        [builder.part(title, subject) for title, builder in bar],
    )
