"""Estimate a run's likelihood of held-out data by importance sampling."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import (
    Parser,
    add_device,
    count,
    device,
    one_of,
    positive_float,
    positive_int,
    seed,
)
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.evaluation.bracket import bracket_run
from obsvae.experiments.evaluation.curve import particle_curves
from obsvae.experiments.evaluation.evaluate import evaluate_run
from obsvae.experiments.files import save_figure
from obsvae.experiments.runs.run import load_run
from obsvae.inference import Amortised, Annealed, Proposal, Refined
from obsvae.inference.processes.joining import join

EXAMPLES = """\
  obsvae evaluate runs/mnist-normal --particles 1000
  obsvae evaluate runs/mnist-normal --proposal amortised --particles 5000 --split validation
  obsvae evaluate runs/mnist-normal --rounds 16 --pilot 200
  obsvae evaluate runs/mnist-normal --proposal ais --limit 100
  obsvae evaluate runs/mnist-normal --curve --limit 100
  obsvae evaluate runs/mnist-normal --proposal ais --bidirectional --limit 50
"""
PARTICLES = {"amortised": 1000, "refined": 1000, "ais": 32}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(
        f"{__doc__}\n\nWhere the data lie on a grid, the headline is the mass of the grid's cells, which compares with "
        "any mass;\nthe density stands beside it.",
        EXAMPLES,
        is_shared=True,
    )
    parser.add_argument("run", type=Path, help="a run folder, as obsvae train leaves it")
    parser.add_argument(
        "--proposal",
        type=one_of("proposal", PARTICLES),
        default="refined",
        metavar="NAME",
        help="source of the particles: the guide (amortised), mixtures fitted to each datum (refined, the default), or "
        "annealed importance sampling (ais: slow; hold others against it)",
    )
    parser.add_argument(
        "--particles", type=positive_int, metavar="K", help="per datum (default: 1000, and 32 chains for ais)"
    )
    parser.add_argument("--limit", type=positive_int, metavar="N", help="score the first N data only")
    parser.add_argument(
        "--split",
        type=one_of("split", SPLITS),
        metavar="NAME",
        help="train, validation or test (default: test)",
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="draw the estimate against K for amortised and refined, and the value of an earlier --proposal ais",
    )
    parser.add_argument(
        "--check",
        type=count,
        metavar="N",
        help="draw N data from the model, and measure how much of log p(x) the estimates miss (default: 200; 0: none)",
    )
    parser.add_argument(
        "--by-column",
        action=argparse.BooleanOptionalAction,
        help="score each entry of a table given the others of its row, with the gain over its column alone (default: "
        "for tables of at most 100 columns)",
    )
    fitting = parser.add_argument_group("refined particles (--proposal refined, or the start of --proposal ais)")
    fitting.add_argument("--starts", type=positive_int, metavar="N", help="climbs at first (default: 2)")
    fitting.add_argument("--steps", type=count, metavar="N", help="steps that fit a Normal (default: 4)")
    fitting.add_argument("--rounds", type=count, metavar="N", help="how often Normals are added (default: 8)")
    fitting.add_argument("--ess", type=positive_float, metavar="SHARE", help="target of the ESS (default: 0.8)")
    fitting.add_argument(
        "--pilot", type=positive_int, metavar="N", help="pilot particles (default: 100), or pilot chains (default: 8)"
    )
    annealing = parser.add_argument_group("annealing (--proposal ais)")
    annealing.add_argument("--temperatures", type=positive_int, metavar="T", help="at first (default: 200)")
    annealing.add_argument("--most", type=positive_int, metavar="T", help="temperatures at most (default: 3200)")
    annealing.add_argument(
        "--spread",
        type=positive_float,
        metavar="NATS",
        help="more temperatures where pilot chains differ more (default: 1)",
    )
    annealing.add_argument("--leapfrog", type=positive_int, metavar="N", help="steps of a transition (default: 5)")
    annealing.add_argument(
        "--start",
        type=one_of("start", ["prior", "refined"]),
        metavar="NAME",
        help="where the chains start: the prior (default), which knows nothing of refined particles, or a fitted "
        "Normal, widened, which is faster, and misses the modes that they miss",
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
    if args.check is not None and (args.curve or args.proposal == "ais"):
        other = "--curve" if args.curve else "--proposal ais"
        raise UsageError(f"--check measures what amortised and refined estimates miss; leave it out beside {other}")
    if args.by_column is not None and (args.curve or args.bidirectional):
        other = "--curve" if args.curve else "--bidirectional"
        raise UsageError(f"--by-column and --no-by-column are of an evaluation; leave them out beside {other}")
    split = args.split or "test"
    proposal = proposal_of(args)
    if args.bidirectional and args.split is not None:
        raise UsageError("--bidirectional draws its data from the model; leave out --split")
    particles = args.particles or PARTICLES[args.proposal]
    settings = {"particles": particles, "memory": args.memory * 2**20, "seed": args.seed}

    processes = join()
    if processes.size > 1 and (args.curve or args.bidirectional):
        raise UsageError("processes share an evaluation alone; run --curve or --bidirectional without torchrun")
    with processes.in_turn():
        trained = load_run(args.run)
        trained.data  # noqa: B018 - a known dataset may have to be downloaded
    for part in (trained.model, trained.guide):
        part.to(processes.device(device(args)))
    if isinstance(proposal, Annealed) and args.bidirectional:
        bracketed = bracket_run(trained, args.limit or 100, proposal=proposal, others=PARTICLES["refined"], **settings)
        text, files = bracketed.text(), [bracketed.save(args.run / "likelihood/simulated.csv")]
    elif args.curve:
        curves = particle_curves(trained, split=split, limit=args.limit, **settings)
        text, files = curves.text(), [save_figure(args.run / "figures/likelihood.png", curves.figure())]
    else:
        check = {} if args.check is None else {"check": args.check}
        found = evaluate_run(
            trained,
            split=split,
            limit=args.limit,
            proposal=proposal,
            by_column=args.by_column,
            processes=processes,
            **check,
            **settings,
        )
        text, files = "\n".join([found.table(), *map(str, found.findings)]), found.files
    print(in_flags(text))
    print(f"written: {', '.join(map(str, files))}")


def proposal_of(args: argparse.Namespace) -> Proposal:
    """Return the proposal that a command asks for.

    Raises:
        UsageError: for settings of another proposal.
    """
    fitting = _given(args, "starts", "steps", "rounds", "ess")
    annealing = _given(args, "temperatures", "most", "spread", "leapfrog", "start")
    pilot = _given(args, "pilot")
    if args.proposal != "ais":
        if annealing or args.bidirectional:
            names = [*annealing, *["bidirectional"] * args.bidirectional]
            raise UsageError(f"{_flags(names)}: for annealing alone; add --proposal ais")
        if args.curve and (fitting or pilot):
            raise UsageError(
                f"{_flags([*fitting, *pilot])}: not for --curve, which draws the proposals as they are by default"
            )
        if args.proposal == "refined":
            return Refined(**fitting, **pilot)
        if fitting or pilot:
            raise UsageError(f"{_flags([*fitting, *pilot])}: for refined particles alone; add --proposal refined")
        return Amortised()
    if args.curve:
        raise UsageError("--curve draws amortised and refined; leave out --proposal ais, whose saved value it adds")
    if annealing.pop("start", "prior") == "refined":
        return Annealed(start=Refined(**fitting), **annealing, **pilot)
    if fitting:
        raise UsageError(f"{_flags(fitting)}: for a refined start alone; add --start refined")
    return Annealed(**annealing, **pilot)


def _given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return the values of arguments that were given, by name."""
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def _flags(names: Iterable[str]) -> str:
    return " and ".join(f"--{name}" for name in names)


if __name__ == "__main__":
    run(main)
