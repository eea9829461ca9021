"""Estimate a run's likelihood of held-out data by importance sampling, datum by datum."""

import argparse
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from command import Parser, add_device, device, one_of, positive_int, run, seed
from evaluation import DRAWS, data_in_posterior, doubtful, per_datum_file, replaced, save_per_datum, table
from pair import restore
from references import bracket, curve

from inference import (
    Amortised,
    Annealed,
    LogLikelihood,
    Proposal,
    Refined,
    log_likelihood,
    save_datatree,
    save_json,
    to_arviz,
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
        bracket(args.run, model, guide, args.limit or 100, particles, PARTICLES["refined"], proposal, settings)
        return
    x = data.split(args.split)[: args.limit].to(where)
    if args.curve:
        curve(args.run, args.split, model, guide, x, particles, settings)
        return

    few = data_in_posterior(x)

    def score(candidate: VAE) -> tuple[LogLikelihood, dict[str, Any]]:
        start = time.perf_counter()
        kept = {"keep_weights": few, "keep_particles": few}
        found = log_likelihood(candidate, guide, x, particles, proposal=proposal, **settings, **kept)
        own = {"measure": candidate.observation.measure.value, "is_bound": candidate.observation.is_bound}
        return found, {**found.summary(), **own, "seconds": time.perf_counter() - start}

    metrics = {
        "observation": config["observation"],
        "parameters": model.observation.describe(),
        "data": config["data"],
        "split": args.split,
        "proposal": proposal.name,
        "proposal_settings": dataclasses.asdict(proposal),
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
        model = VAE(model.prior, model.decoder, corrections["mean matched"])
        none = {"measure": Measure.NONE.value, "n": len(x), "particles": particles}
        metrics |= dict.fromkeys(scored["mean matched"][1]) | none
        metrics["corrections"] = {name: scores for name, (_, scores) in scored.items()}
        lines = [
            f"{config['observation']} is a loss, not a likelihood: it does not integrate to one. Its decoder is scored",
            "under the continuous Bernoulli instead, as it stands and with the mean matched; what is saved of each",
            "datum is the latter.",
            table(metrics["corrections"]),
        ]
    lines += doubtful(likelihood, model.observation.is_bound)
    if model.observation.is_bound:
        lines.append(
            "note: these are lower bounds, in expectation, of the log-mass of x, through uniform noise; "
            "scripts/compare.py gives the mass itself"
        )
    if (stopped := config["outcome"]["stopped"]) not in ("finished", "patience"):
        lines.append(f"warning: training was cut short ({stopped}): these are not the numbers of a trained model")
    labels = data.labels.get(args.split)
    known = {"label": labels[:few]} if labels is not None and len(labels) else {}  # a user's file has none
    # Saved before anything is printed: a closed pipe costs the text alone.
    file = args.run / "metrics.json"
    lines += replaced(file, metrics)
    files = [
        save_json(file, metrics),
        save_per_datum(per_datum_file(args.run, args.split, proposal.name), likelihood, proposal),
    ]
    tree = to_arviz(model, guide, x[:few], likelihood.first(few), labels=known, draws=DRAWS, seed=args.seed)
    files.append(save_datatree(args.run / "posterior.nc", tree))
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


if __name__ == "__main__":
    run(main)
