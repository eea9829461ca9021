"""Train several observation distributions on the same data with the same networks, and rank them on one scale."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from candidate import Job, csv_text, read_curve, read_result, read_scores, scored_as, threads_each
from command import Parser, add_data, add_network, device, positive_int, run
from jobs import open_folder, run_jobs
from pair import pair_config
from tabulate import tabulate

from data import Dataset, load
from inference import (
    KHAT_LIMIT,
    Curve,
    Difference,
    load_config,
    plot_learning,
    plot_ranking,
    rank,
    save_figure,
    save_text,
    spread,
)
from model import Observation, make_observation, on_common_scale, require_one_dataset

EXAMPLES = """\
  python scripts/compare.py --data digits --observations normal continuous-bernoulli discretised:inner=logistic \\
      categorical ordinal --latent 8 --hidden 128 128 --epochs 60 --seeds 3 --jobs 2 --out runs/digits-compared
  python scripts/compare.py --data mnist --observations bernoulli normal:scale=shared continuous-bernoulli \\
      discretised:inner=mixture,components=3,inner=logistic,scale=decoder --seeds 3 --jobs 2 --out runs/cmp
"""

_RESULT_KEYS = (
    "rank",
    "observation",
    "log p",
    "to the best",
    "± s.e. (paired)",
    "bits/dim",
    "sd over seeds",
    "ESS",
    "k̂",
    f"k̂ > {KHAT_LIMIT}",
    "its own measure",
    "log p, its own",
)
_LEARNING_KEYS = (
    "observation",
    "parameters",
    "s to train",
    "epochs to 1 % of best",
    "s to 1 % of best",
    "best epoch",
    "diverged",
)


@dataclass(frozen=True)
class Row:
    """One line of the tables: a candidate, or one of the likelihoods that a loss is scored under.

    Attributes:
        name: of the candidate, with what it is scored as.
        folders: its finished runs.
        results: what they left.
        note: what went wrong, or what to know.
        suffix: which of the scores.
        diverged: share of its seeds.
    """

    name: str
    folders: list[Path]
    results: list[dict[str, Any]]
    note: str
    suffix: str = ""
    diverged: float = 0.0

    def common(self) -> list[np.ndarray]:
        """Return the scores of each datum on the common scale, for each seed."""
        return [read_scores(folder)[f"common{self.suffix}"] for folder in self.folders]

    def own(self, key: str) -> Any:
        """Return something that all seeds' own scores share, such as their measure."""
        return self.results[0]["scores"][self.suffix]["own"][key]

    def values(self, scale: str, key: str) -> list[float]:
        """Return a number of each seed's summary; what was NaN is NaN again."""
        found = [result["scores"][self.suffix][scale][key] for result in self.results]
        return [math.nan if value is None else value for value in found]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    add_data(parser)
    parser.add_argument("--observations", nargs="+", required=True, metavar="SPEC", help="name:option=value,...")
    add_network(parser)
    parser.add_argument("--seeds", type=positive_int, default=1, metavar="N", help="runs of each (default: 1)")
    parser.add_argument("--jobs", type=positive_int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N test data only")
    parser.add_argument("--memory", type=positive_int, default=256, metavar="MB", help="for scoring (default: 256)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/compared"), help="folder; an interrupted comparison in it goes on"
    )
    args = parser.parse_args(arguments)
    if len({*args.observations}) < len(args.observations):
        raise ValueError(f"--observations names one of its candidates twice: {' '.join(args.observations)}")

    configs = {spec: pair_config(args, spec, "normal") for spec in args.observations}
    data = load(**next(iter(configs.values()))["data"])
    observations = {spec: make_observation(spec, data) for spec in args.observations}
    refused = {spec: why for spec, o in observations.items() if (why := refusal(o, data))}
    taken = {
        f"{spec}{suffix}": scored
        for spec, observation in observations.items()
        if spec not in refused
        for suffix, scored in scored_as(observation).items()
    }
    if not taken:
        raise ValueError(f"no candidate takes these data; of {args.observations[0]}: {refused[args.observations[0]]}")
    on_common_scale(taken, data.grid)  # before any training, so that nothing is trained in vain

    training = {"epochs": args.epochs, "batch_size": args.batch_size, "lr": args.lr}
    evaluation = {"particles": args.particles, "limit": args.limit, "memory": args.memory * 2**20, "seed": args.seed}
    shared = {**configs[args.observations[0]], "observation": None, **training, "evaluation": evaluation}
    open_folder(args.out, {**shared, "data_sha256": data.sha256, "device": device(args).type})
    seeds = range(args.seed, args.seed + args.seeds)
    jobs = [
        Job(
            configs[spec],
            {**training, "seed": seed},
            evaluation,
            device(args).type,
            folder_of(args.out, spec, seed),
            threads_each(args.jobs),
        )
        for seed in seeds  # each candidate once before any twice
        for spec in args.observations
        if spec not in refused
    ]
    run_jobs(jobs, args.jobs)
    rows = [row for spec in args.observations for row in rows_of(spec, seeds, args.out, observations[spec], refused)]
    report(args.out, rows, data, args.jobs)


def refusal(observation: Observation, data: Dataset) -> str:
    """Return why an observation refuses the data; empty where it takes them."""
    try:
        for split in ("train", "validation", "test"):
            observation.check(data.split(split), data.rows[split])
    except ValueError as error:
        return str(error)
    return ""


def folder_of(out: Path, spec: str, seed: int) -> Path:
    """Return the run folder of a candidate with a seed."""
    return out / re.sub(r"[^A-Za-z0-9.=-]+", "_", spec) / f"seed-{seed}"


def rows_of(
    spec: str, seeds: Sequence[int], out: Path, observation: Observation, refused: Mapping[str, str]
) -> list[Row]:
    """Return the rows of a candidate: one for each likelihood that it is scored under."""
    if spec in refused:
        return [Row(spec, [], [], f"not trained: {refused[spec]}")]
    found = {folder: read_result(folder) or {} for folder in (folder_of(out, spec, seed) for seed in seeds)}
    ended = {folder: result for folder, result in found.items() if "scores" in result}
    failures = [result["message"] for result in found.values() if "message" in result]
    diverged = sum(str(result.get("status")).startswith("diverged") for result in found.values()) / len(found)
    note = f"{len(failures)} of {len(found)} seeds: {failures[0]}" if failures else ""
    if observation.is_bound:
        note = "; ".join(filter(None, [note, "log p, its own, is a lower bound of the mass"]))
    return [
        Row(f"{spec}{suffix}", list(ended), list(ended.values()), note, suffix, diverged)
        for suffix in scored_as(observation)
    ]


def report(out: Path, rows: Sequence[Row], data: Dataset, at_once: int) -> None:
    """Write and print the tables, and draw the figures."""
    ended = {row.name: row for row in rows if row.results}
    if not ended:
        raise ValueError("no candidate came to an end: " + "; ".join(f"{row.name}: {row.note}" for row in rows))
    require_one_dataset({str(folder): data_of(folder) for row in ended.values() for folder in row.folders})
    ranking = rank({name: row.common() for name, row in ended.items()})
    ordered = [ended[name] for name in ranking] + [row for row in rows if not row.results]
    curves = {row.name: [read_curve(folder, row.suffix) for folder in row.folders] for row in ordered}
    best = ordered[0]
    scale = "mass of the grid cell" if data.grid is not None else f"{best.own('measure')} in data units"
    results = [result_of(row, place, ranking.get(row.name)) for place, row in enumerate(ordered, 1)]
    learning = [learning_of(row, curves[row.name]) for row in ordered]
    n = best.results[0]["scores"][best.suffix]["common"]["n"]
    titles = (
        f"Ranked by {scale}: nats per datum, means over {n} test data and {len(best.results)} seeds",
        "Does learning get harder? Validation on the same scale",
    )
    remarks = warnings(ordered)
    if at_once > 1:
        remarks.append(f"Seconds are those of {at_once} processes side by side.")

    def text(form: str) -> str:
        tables = [tabulate(table, "keys", form, floatfmt=".4g", missingval="–") for table in (results, learning)]
        parts = [part for pair in zip(titles, tables, strict=True) for part in pair]
        return "\n\n".join([*parts, *remarks])

    save_text(out / "table.md", text("github") + "\n")
    save_text(out / "table.csv", csv_text([a | b for a, b in zip(results, learning, strict=True)]))
    # How often training failed altogether belongs to the answer.
    ranked = {
        f"{row.name} ({row.diverged:.0%} of seeds diverged)" if row.diverged else row.name: curves[row.name]
        for row in ordered
        if row.results
    }
    save_figure(out / "figures/learning.png", plot_learning(ranked, scale))
    save_figure(out / "figures/ranking.png", plot_ranking(ranking, scale))
    print(text("simple"))
    print(
        f"\nwritten to {out}: table.md, table.csv, figures/ranking.png, figures/learning.png, and a folder for each run"
    )


def data_of(folder: Path) -> str:
    """Return in words what a run is a model of."""
    config = load_config(folder)
    settings = ", ".join(f"{key} {value}" for key, value in config["data"].items() if value and key != "name")
    name = f"{config['data']['name']} (SHA-256 {config['data_sha256'][:8]})"
    return f"{name} with {settings}" if settings else name


def result_of(row: Row, place: int, difference: Difference | None) -> dict[str, Any]:
    """Return a row's scores, None where it has none."""
    if difference is None:
        return dict.fromkeys(_RESULT_KEYS) | {"observation": row.name}
    common = row.values("common", "nats_per_datum")
    values = (
        place,
        row.name,
        statistics.mean(common),
        difference.mean,
        difference.standard_error,
        statistics.mean(row.values("common", "bits_per_dim")),
        spread(common),
        statistics.mean(row.values("common", "ess_median")),
        statistics.mean(row.values("common", "khat_median")),
        statistics.mean(row.values("common", f"khat_above_{KHAT_LIMIT}")),
        row.own("measure"),
        statistics.mean(row.values("own", "nats_per_datum")),
    )
    return dict(zip(_RESULT_KEYS, (None if value != value else value for value in values), strict=True))


def learning_of(row: Row, curves: Sequence[Curve]) -> dict[str, Any]:
    """Return how a row's runs went; None for what never ran."""
    if not curves:
        return dict.fromkeys(_LEARNING_KEYS) | {"observation": row.name, "diverged": row.diverged}
    epochs = [curve.epochs_to() for curve in curves]
    values = (
        row.name,
        row.results[0]["parameters"],
        statistics.mean(result["seconds"] for result in row.results),
        statistics.median(epochs),
        statistics.median(curve.seconds[n - 1] for curve, n in zip(curves, epochs, strict=True)),
        statistics.median(result["best_epoch"] for result in row.results),
        row.diverged,
    )
    return dict(zip(_LEARNING_KEYS, values, strict=True))


def warnings(rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know to read the tables."""
    doubtful = [
        row.name for row in rows if row.results and not max(row.values("common", f"khat_above_{KHAT_LIMIT}")) <= 0.1
    ]
    lines = []
    if doubtful:
        lines.append(
            f"warning: k̂ > {KHAT_LIMIT} for more than a tenth of the data, or too few particles for k̂: "
            f"{', '.join(doubtful)}. Their log p is probably too low, by unknown amounts; the ranking may be wrong."
        )
    return [*lines, *(f"{row.name}: {row.note}" for row in rows if row.note)]


if __name__ == "__main__":
    run(main)
