"""Estimate a run's likelihood of held-out data by importance sampling, datum by datum."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from command import Parser, add_device, csv_text, device, one_of, positive_int, run, seed
from evaluation import doubtful, per_datum_file, read_per_datum, replaced, save_per_datum, save_posterior, table
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
    bidirectional,
    counts_up_to,
    estimates_by_particles,
    log_likelihood,
    plot_particles,
    save_figure,
    save_json,
    save_text,
)
from model import VAE, Measure

EXAMPLES = """\
  python scripts/evaluate.py runs/mnist-normal --particles 1000
  python scripts/evaluate.py runs/mnist-normal --proposal amortised --particles 5000 --split validation
  python scripts/evaluate.py runs/mnist-normal --proposal ais --limit 100
  python scripts/evaluate.py runs/mnist-normal --curve --limit 100
  python scripts/evaluate.py runs/mnist-normal --proposal ais --bidirectional --limit 50
"""
PARTICLES = {"amortised": 1000, "refined": 1000, "ais": 32}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("run", type=Path, help="a run folder, as scripts/train.py leaves it")
    parser.add_argument(
        "--proposal",
        type=one_of("proposal", PARTICLES),
        default="refined",
        metavar="NAME",
        help="where the particles come from: the guide (amortised), mixtures fitted to each datum (refined, the "
        "default), or annealed importance sampling (ais: slow; hold others against it)",
    )
    parser.add_argument(
        "--particles", type=positive_int, metavar="K", help="per datum (default: 1000, and 32 chains for ais)"
    )
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N data only")
    parser.add_argument(
        "--split",
        type=one_of("split", ["train", "validation", "test"]),
        default="test",
        metavar="NAME",
        help="train, validation or test (default: test)",
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="draw the estimate against K for amortised and refined, and the value of an earlier --proposal ais",
    )
    annealing = parser.add_argument_group("annealing (--proposal ais)")
    annealing.add_argument("--temperatures", type=positive_int, metavar="T", help="(default: 200)")
    annealing.add_argument(
        "--start",
        type=one_of("start", ["refined", "prior"]),
        metavar="NAME",
        help="where the chains start: a fitted Normal, widened (refined, the default), or the prior",
    )
    annealing.add_argument(
        "--bidirectional",
        action="store_true",
        help="draw N data (--limit, default 100) from the model, bracket their likelihood between chains there and "
        "back, and hold amortised and refined against it",
    )
    parser.add_argument("--memory", type=positive_int, default=128, metavar="MB", help="working memory (default: 128)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the particles (default: 0)")
    add_device(parser)
    args = parser.parse_args(arguments)
    proposal = proposal_of(args)
    particles = args.particles or PARTICLES[args.proposal]

    config, data, model, guide = restore(args.run)
    where = device(args)
    model, guide = model.to(where), guide.to(where)
    settings = {"memory": args.memory * 2**20, "seed": args.seed}
    if args.bidirectional:
        assert isinstance(proposal, Annealed)
        bracket(args.run, model, guide, args.limit or 100, particles, proposal, settings)
        return
    x = data.split(args.split)[: args.limit].to(where)
    if args.curve:
        curve(args.run, args.split, model, guide, x, particles, settings)
        return

    def score(candidate: VAE) -> tuple[LogLikelihood, dict[str, Any]]:
        start = time.perf_counter()
        found = log_likelihood(candidate, guide, x, particles, proposal=proposal, **settings)
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
            "under the continuous Bernoulli instead, as it stands and with the mean matched; what is saved of each",
            "datum is the latter.",
            table(metrics["corrections"]),
        ]
    lines += doubtful(likelihood)
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
    files = [
        save_json(file, metrics),
        save_per_datum(per_datum_file(args.run, args.split, proposal.name), likelihood),
        save_posterior(args.run, guide, x, likelihood, data.labels.get(args.split)),
    ]
    print("\n".join([*lines, f"written: {', '.join(map(str, files))}"]))


def proposal_of(args: argparse.Namespace) -> Proposal:
    """Return the proposal that a command asks for.

    Raises:
        ValueError: for settings of annealing without it.
    """
    annealing = {"temperatures": args.temperatures, "start": args.start, "bidirectional": args.bidirectional or None}
    given = [f"--{name}" for name, value in annealing.items() if value is not None]
    if args.proposal != "ais":
        if given:
            raise ValueError(f"{' and '.join(given)}: for annealing alone; add --proposal ais")
        return Amortised() if args.proposal == "amortised" else Refined()
    if args.curve:
        raise ValueError("--curve draws amortised and refined; leave out --proposal ais, whose saved value it adds")
    start = None if args.start == "prior" else Refined()
    return Annealed(start=start) if args.temperatures is None else Annealed(args.temperatures, start=start)


def curve(
    folder: Path,
    split: str,
    model: VAE,
    guide: AmortisedNormal | AmortisedDelta,
    x: Tensor,
    particles: int,
    settings: dict[str, Any],
) -> None:
    """Draw the estimates against the number of particles."""
    model.observation.require_likelihood()
    reference, file = None, per_datum_file(folder, split, "ais")
    if file.is_file():
        estimate, error = read_per_datum(file)
        x = x[: len(estimate)]  # the same data, or the curves could not be held against it
        estimate, error = estimate[: len(x)], error[: len(x)]
        reference = ("AIS", float(estimate.mean()), float(np.sqrt(np.square(error).sum()) / len(x)))
    counts = counts_up_to(particles)
    curves = {}
    for proposal in (Amortised(), Refined()):
        found = log_likelihood(model, guide, x, particles, proposal=proposal, keep_weights=True, **settings)
        assert found.log_weights is not None
        means = estimates_by_particles(found.log_weights, counts).tolist()
        curves[proposal.name] = dict(zip(counts, means, strict=True))
    rows = [{"K": k, **{name: points[k] for name, points in curves.items()}} for k in counts]
    figure = save_figure(folder / "figures/likelihood.png", plot_particles(curves, len(x), reference))
    print(tabulate(rows, "keys", floatfmt=".3f"))
    if reference is None:
        print(f"no {file}: --proposal ais leaves it, and its value is drawn then, too")
    else:
        print(f"AIS over the same {len(x)} data: {reference[1]:.3f} ± {reference[2]:.3f}")
    print(f"written: {figure}")


def bracket(
    folder: Path,
    model: VAE,
    guide: AmortisedNormal | AmortisedDelta,
    n: int,
    particles: int,
    proposal: Annealed,
    settings: dict[str, Any],
) -> None:
    """Bracket the likelihood of simulated data, and hold the other estimates against it."""
    found = bidirectional(model, guide, n, particles, proposal=proposal, **settings)
    lower, upper = found.bounds()
    others = {
        other.name: log_likelihood(model, guide, found.x, PARTICLES[other.name], proposal=other, **settings)
        for other in (Amortised(), Refined())
    }
    columns = {
        **{name: likelihood.weights.estimate for name, likelihood in others.items()},
        "ais, there (lower bound)": lower,
        "ais, back (upper bound)": upper,
    }
    rows = [
        {
            "estimate": name,
            "log p, nats per datum": values.mean(),
            "to the lower bound": (values - lower).mean(),
            "± s.e.": (values - lower).std(ddof=1) / np.sqrt(n) if n > 1 else float("nan"),
        }
        for name, values in columns.items()
    ]
    data = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    file = save_text(folder / "likelihood/simulated.csv", csv_text(data))
    gap = upper - lower
    print(f"{n} data drawn from the model")
    print(tabulate(rows, "keys", floatfmt=".3f"))
    print(f"gap of the bounds: mean {gap.mean():.3f}, largest {gap.max():.3f} at datum {gap.argmax()}")
    print(f"written: {file}")


if __name__ == "__main__":
    run(main)
