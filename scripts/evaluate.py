"""Estimate a run's likelihood of held-out data by importance sampling."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import Parser, add_device, device, one_of, positive_int, seed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.evaluation.bracket import bracket_run
from obsvae.experiments.evaluation.curve import particle_curves
from obsvae.experiments.evaluation.evaluate import evaluate_run
from obsvae.experiments.files import save_figure
from obsvae.experiments.run import load_run
from obsvae.inference import Amortised, Annealed, Proposal, Refined

EXAMPLES = """\
  obsvae evaluate runs/mnist-normal --particles 1000
  obsvae evaluate runs/mnist-normal --proposal amortised --particles 5000 --split validation
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
    settings = {"particles": particles, "memory": args.memory * 2**20, "seed": args.seed}

    trained = load_run(args.run)
    for part in (trained.model, trained.guide):
        part.to(device(args))
    if isinstance(proposal, Annealed) and args.bidirectional:
        bracketed = bracket_run(trained, args.limit or 100, proposal=proposal, others=PARTICLES["refined"], **settings)
        text, files = bracketed.text(), [bracketed.save(args.run / "likelihood/simulated.csv")]
    elif args.curve:
        curves = particle_curves(trained, split=args.split, limit=args.limit, **settings)
        text, files = curves.text(), [save_figure(args.run / "figures/likelihood.png", curves.figure())]
    else:
        found = evaluate_run(trained, split=args.split, limit=args.limit, proposal=proposal, **settings)
        text, files = "\n".join([found.table(), *map(str, found.findings)]), found.files
    print(in_flags(text))
    print(f"written: {', '.join(map(str, files))}")


def proposal_of(args: argparse.Namespace) -> Proposal:
    """Return the proposal that a command asks for.

    Raises:
        UsageError: for settings of annealing without it.
    """
    annealing = {"temperatures": args.temperatures, "start": args.start, "bidirectional": args.bidirectional or None}
    given = [f"--{name}" for name, value in annealing.items() if value is not None]
    if args.proposal != "ais":
        if given:
            raise UsageError(f"{' and '.join(given)}: for annealing alone; add --proposal ais")
        return Amortised() if args.proposal == "amortised" else Refined()
    if args.curve:
        raise UsageError("--curve draws amortised and refined; leave out --proposal ais, whose saved value it adds")
    start = None if args.start == "prior" else Refined()
    return Annealed(start=start) if args.temperatures is None else Annealed(args.temperatures, start=start)


if __name__ == "__main__":
    run(main)
