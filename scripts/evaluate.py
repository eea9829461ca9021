"""Estimate a run's likelihood of held-out data by importance sampling, datum by datum."""

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from command import Parser, add_device, device, one_of, positive_int, run, seed
from pair import restore
from tabulate import tabulate
from torch import Tensor

from guides import AmortisedDelta, AmortisedNormal
from inference import (
    Amortised,
    Annealed,
    LogLikelihood,
    Proposal,
    Refined,
    log_likelihood,
    save_datatree,
    save_json,
    to_datatree,
)
from model import VAE, Measure

EXAMPLES = """\
  python scripts/evaluate.py runs/mnist-normal --particles 1000
  python scripts/evaluate.py runs/mnist-normal --particles 5000 --limit 1000 --split validation
"""
PROPOSALS: dict[str, Callable[[], Proposal]] = {"amortised": Amortised, "refined": Refined, "ais": Annealed}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("run", type=Path, help="a run folder, as scripts/train.py leaves it")
    parser.add_argument(
        "--proposal",
        type=one_of("proposal", PROPOSALS),
        default="refined",
        metavar="NAME",
        help="where the particles come from: the guide (amortised), a mixture fitted to each datum (refined, the "
        "default), or annealed importance sampling (ais: slow; hold others against it)",
    )
    parser.add_argument(
        "--particles", type=positive_int, metavar="K", help="per datum (default: 1000; for ais, K chains: 32)"
    )
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N data only")
    parser.add_argument(
        "--split",
        type=one_of("split", ["train", "validation", "test"]),
        default="test",
        metavar="NAME",
        help="train, validation or test (default: test)",
    )
    parser.add_argument("--memory", type=positive_int, default=128, metavar="MB", help="working memory (default: 128)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the particles (default: 0)")
    add_device(parser)
    args = parser.parse_args(arguments)

    proposal = PROPOSALS[args.proposal]()
    particles = args.particles or (32 if args.proposal == "ais" else 1000)
    config, data, model, guide = restore(args.run)
    where = device(args)
    model, guide = model.to(where), guide.to(where)
    x = data.split(args.split)[: args.limit].to(where)

    def score(candidate: VAE) -> tuple[LogLikelihood, dict[str, Any]]:
        start = time.perf_counter()
        found = log_likelihood(
            candidate, guide, x, particles, proposal=proposal, memory=args.memory * 2**20, seed=args.seed
        )
        own = {"measure": candidate.observation.measure.value, "is_bound": candidate.observation.is_bound}
        return found, {**found.summary(), **own, "seconds": time.perf_counter() - start}

    metrics = {
        "observation": config["observation"],
        "parameters": model.observation.describe(),
        "data": config["data"],
        "split": args.split,
        "proposal": proposal.name,
        "seed": args.seed,
        "unit": "nats per datum, in data units",
        "training": config["outcome"],
    }
    corrections = model.observation.corrections()
    if not corrections:
        likelihood, scores = score(model)
        metrics |= scores
        lines = [table({config["observation"]: metrics})]
    else:
        scored = {name: score(VAE(model.prior, model.decoder, other)) for name, other in corrections.items()}
        likelihood, _ = scored["mean matched"]
        none = {"measure": Measure.NONE.value, "n": len(x), "particles": particles}
        metrics |= dict.fromkeys(scored["mean matched"][1]) | none
        metrics["corrections"] = {name: scores for name, (_, scores) in scored.items()}
        lines = [
            f"{config['observation']} is a loss, not a likelihood: it does not integrate to one. Its decoder is scored",
            "under the continuous Bernoulli instead, as it stands and with the mean matched.",
            table(metrics["corrections"]),
        ]
    lines += named(likelihood)
    if model.observation.is_bound:
        lines.append(
            "note: these are lower bounds, in expectation, of the log-mass of x, through uniform noise; "
            "scripts/compare.py gives the mass itself"
        )
    if (stopped := config["outcome"]["stopped"]) not in ("finished", "patience"):
        lines.append(f"warning: training was cut short ({stopped}): these are not the numbers of a trained model")
    # Saved before anything is printed: a closed pipe costs the text alone.
    file = args.run / "metrics.json"
    lines += replaced(file, metrics)
    save_json(file, metrics)
    save_posterior(args.run, guide, x, likelihood, data.labels.get(args.split))
    print("\n".join([*lines, f"written to {file} and {args.run / 'posterior.nc'}"]))


def named(likelihood: LogLikelihood) -> list[str]:
    """Return lines that name the data without an estimate, and those whose estimate is not to be trusted."""
    lines = []
    weights = likelihood.weights
    if len(lost := np.flatnonzero(~weights.usable)):
        lines.append(
            f"warning: no estimate for {indices(lost)}: their weights are NaN, infinite or all 0; their x may be "
            "impossible under the model, or the decoder's outputs not finite; the means are over the others"
        )
    if len(flagged := np.flatnonzero(weights.flagged & weights.usable)):
        lines.append(
            f"flagged (k̂ above 0.7 or unknown, or an ESS below 10): {indices(flagged)}; more particles, or --proposal "
            "ais, may tell more"
        )
    return lines


def indices(which: np.ndarray, most: int = 20) -> str:
    """Return the indices of data in words."""
    more = f" and {len(which) - most} more" if len(which) > most else ""
    return f"datum {', '.join(map(str, which[:most]))}{more}"


def replaced(file: Path, metrics: dict[str, Any]) -> list[str]:
    """Return a line on the metrics that a file holds already, where they were made with other settings."""
    if not file.is_file():
        return []
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        settings = {key: (before[key], metrics[key]) for key in ("split", "n", "proposal", "particles", "seed")}
    except (ValueError, KeyError, TypeError):
        return [f"note: {file} held no metrics, and was replaced"]
    changed = [f"{key} {old}" for key, (old, new) in settings.items() if old != new]
    return [f"note: these replace the metrics with {', '.join(changed)}"] if changed else []


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return results side by side, with units, and what k̂ warns of below."""
    columns = list(results.values())
    lines = [
        ("log-likelihood", "nats per datum", "{nats_per_datum:.2f}"),
        ("its standard error", "nats per datum", "{standard_error:.2f}"),
        ("bits per dimension", "bits", "{bits_per_dim:.4f}"),
        ("mean log-weight", "nats per datum", "{elbo:.2f}"),
        ("Pareto smoothed, no bound", "nats per datum", "{smoothed:.2f}"),
        ("jackknife, no bound", "nats per datum", "{jackknife:.2f}"),
        ("measure", "in data units", "{measure}"),
        ("particles K", "per datum", "{particles}"),
        ("data", "", "{n}"),
        ("evaluations of p(x, z)", "per datum", "{evaluations:.0f}"),
        ("ESS, median", "of K", "{ess_median:.1f}"),
        ("k̂, median", "", "{khat_median:.2f}"),
        ("k̂ above 0.7", "share of data", "{khat_above_0_7:.3f}"),
        ("flagged", "share of data", "{flagged:.3f}"),
        ("time", "s", "{seconds:.1f}"),
    ]
    # A dot in a field's name would be an attribute to str.format.
    named = [{key.replace(".", "_"): value for key, value in column.items()} for column in columns]
    rows = [[title, unit, *(text.format(**column) for column in named)] for title, unit, text in lines]
    align = ["left", "left", *["right"] * len(columns)]
    return "\n".join(
        [
            tabulate(rows, ["", "unit", *results], disable_numparse=True, colalign=align),
            *(warning(name, column["khat_above_0.7"]) for name, column in results.items()),
        ]
    )


def warning(name: str, share: float) -> str:
    """Return what the share of k̂ above 0.7 says of an estimate."""
    if math.isnan(share):
        return f"warning: {name}: too few particles for k̂: nothing says whether to trust this estimate"
    if share > 0:
        return (
            f"warning: {name}: k̂ > 0.7 for {100 * share:.1f} % of the data: there the estimate is probably too low, by "
            "an unknown amount, whatever its standard error, and more particles hardly help"
        )
    return f"k̂ is at most 0.7 for every datum of {name}: it gives no reason to distrust the estimate"


def save_posterior(
    out: Path, guide: AmortisedNormal | AmortisedDelta, x: Tensor, likelihood: LogLikelihood, labels: Tensor | None
) -> None:
    """Write draws of z for the first 200 data, and the likelihood's diagnostics, for ArviZ."""
    few = likelihood.first(200)
    n = len(few.elbo)
    named = {"label": labels[:n]} if labels is not None and len(labels) else {}  # a user's file has none
    save_datatree(out / "posterior.nc", to_datatree(guide, x[:n], few, named))


if __name__ == "__main__":
    run(main)
