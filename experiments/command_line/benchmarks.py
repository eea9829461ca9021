"""Arguments of the benchmarks."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.choices import STUDIES
from obsvae.experiments.benchmarks.imputation.tables import MASKS, RATES, TABLES
from obsvae.experiments.benchmarks.recommendation.run import KINDS, ROWS, SEEDS
from obsvae.experiments.benchmarks.survival.works import WORKS
from obsvae.experiments.benchmarks.training.families import FAMILIES
from obsvae.experiments.benchmarks.training.machine import cores
from obsvae.experiments.benchmarks.training.programs import PEERS
from obsvae.experiments.benchmarks.trust.parts import PARTS
from obsvae.experiments.command_line.arguments import Parser, one_of, positive_float, positive_int, seed
from obsvae.experiments.files import require_place
from obsvae.names import lookup

EXAMPLES = """\
  obsvae benchmark training --against torch numpyro pyro pythae --batch-sizes 32 100 256 --out training.csv
  obsvae benchmark training --families by-column --threads 1
  obsvae benchmark training --families bernoulli --data digits --rounds 1
  obsvae benchmark likelihood runs/mnist-bernoulli runs/mnist-normal --annealed 50
  obsvae benchmark trust --quick
  obsvae benchmark trust --what adversarial --out trust.csv
  obsvae benchmark imputation --tables Breast --out imputation.csv
  obsvae benchmark imputation --what densities
  obsvae benchmark choices --what banknote --epochs 100 --out choices.csv
  obsvae benchmark recommend --what table --sizes 2000 --draws 1 --out found.csv
  obsvae benchmark survival --kills 100 --commands train evaluate --out lives.csv
  obsvae benchmark soak --minutes 60 --out soak.csv
"""
# The options of each benchmark, with their defaults; those of others are refused.
DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "training": {
        "rounds": 5,
        "against": ("torch",),
        "families": tuple(FAMILIES),
        "batch_sizes": (100,),
        "data": "mnist",
        "steps": None,
        "threads": None,
        "out": None,
    },
    "likelihood": {"rounds": 3, "timed": 200, "annealed": 50, "temperatures": 200},
    "trust": {"what": "both", "limit": None, "particles": 500, "quick": False, "seed": 0, "out": None},
    "imputation": {
        "what": "errors",
        "tables": TABLES,
        "rates": RATES,
        "masks": MASKS,
        "quick": False,
        "seed": 0,
        "out": None,
    },
    "choices": {
        "what": "both",
        "epochs": None,
        "limit": 200,
        "particles": 500,
        "quick": False,
        "seed": 0,
        "out": None,
    },
    "recommend": {
        "what": "both",
        "sizes": ROWS,
        "draws": SEEDS,
        "minutes": None,
        "quick": False,
        "seed": 0,
        "out": None,
    },
    "survival": {"kills": 100, "commands": tuple(WORKS), "seed": 0, "out": None},
    "soak": {"minutes": 30.0, "seed": 0, "out": None},
}
WHAT: Mapping[str, Sequence[str]] = {
    "trust": [*PARTS, "both"],
    "imputation": ["errors", "densities", "both"],
    "recommend": [*KINDS, "both"],
    "choices": [*STUDIES, "both"],
}


def parsed(arguments: Sequence[str] | None, description: str) -> argparse.Namespace:
    """Return the arguments, with the defaults of the benchmark that they name."""
    parser = Parser(description, EXAMPLES)
    _add_arguments(parser)
    args = parser.parse_args(arguments)
    of = DEFAULTS[args.benchmark]
    for name in {name for options in DEFAULTS.values() for name in options} - set(of):
        if getattr(args, name) is not None:
            whose = " and ".join(other for other, options in DEFAULTS.items() if name in options)
            flag = f"--{name.replace('_', '-')}"
            parser.error(f"{flag} goes with {whose}, but the benchmark is {args.benchmark}: leave it out")
    for name in ("tables", "rates", "masks", "out") if args.what == "densities" else ():
        if getattr(args, name) is not None:
            parser.error(f"--{name} goes with --what errors or both, but got --what densities: leave it out")
    for name, default in of.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
    if (args.benchmark == "likelihood") != bool(args.runs):
        parser.error(
            "likelihood needs at least one run folder, and no other benchmark takes any, "
            f"but got {args.benchmark} with {len(args.runs)}"
        )
    if args.benchmark in WHAT:
        try:
            lookup("part", args.what, dict.fromkeys(WHAT[args.benchmark]))
        except UsageError as error:
            parser.error(f"argument --what: {error}")
    if args.out:
        require_place(args.out)
    if args.threads is not None and args.threads > cores():
        parser.error(f"--threads needs at most the {cores()} cores that there are, but got {args.threads}")
    return args


def _add_arguments(parser: Parser) -> None:
    """Add those of all benchmarks; what is not given is None."""
    parser.add_argument(
        "benchmark",
        type=one_of("benchmark", DEFAULTS),
        metavar="WHAT",
        help="training, likelihood, trust, imputation, recommend, choices, survival, soak",
    )
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders (likelihood)")
    group = parser.add_argument_group("training and likelihood")
    group.add_argument("--rounds", type=positive_int, metavar="N", help="how often each (default: 5, likelihood 3)")
    group = parser.add_argument_group("training: the time of a step, on a machine where nothing else runs")
    group.add_argument(
        "--against",
        type=one_of("program", PEERS),
        nargs="+",
        metavar="NAME",
        help=f"of {', '.join(PEERS)} (default: torch, a loop by hand with torch.compile); make peers creates the "
        "environments of numpyro and pythae",
    )
    group.add_argument(
        "--families",
        type=one_of("family", FAMILIES),
        nargs="+",
        metavar="NAME",
        help=f"of observations: {', '.join(FAMILIES)} (default: all)",
    )
    group.add_argument(
        "--batch-sizes", type=positive_int, nargs="+", metavar="N", help="data in a minibatch (default: 100)"
    )
    group.add_argument("--data", metavar="NAME", help="images for bernoulli and normal (default: mnist)")
    group.add_argument(
        "--steps", type=positive_int, metavar="N", help="timed at a time (default: images 500, by-column 5000)"
    )
    group.add_argument("--threads", type=positive_int, metavar="N", help="of each, on as many cores (default: all)")
    group = parser.add_argument_group("likelihood")
    group.add_argument("--timed", type=positive_int, metavar="N", help="test data (default: 200)")
    group.add_argument("--annealed", type=positive_int, metavar="N", help="of these (default: 50)")
    group.add_argument("--temperatures", type=positive_int, metavar="T", help="(default: 200)")
    group = parser.add_argument_group("of several (one that does not go with a benchmark is refused)")
    group.add_argument(
        "--what",
        metavar="PART",
        help="trust: adversarial (small models made to mislead), trained (digits, 1 to 3 latents) or both (default: "
        "both); imputation: errors (of filled entries), densities (of whole rows) or both (default: errors); "
        "recommend: table, array or both (default: both); choices: digits, banknote or both (default: both)",
    )
    group.add_argument("--quick", action="store_true", default=None, help="a small part, in about a minute")
    group.add_argument("--seed", type=seed, metavar="N", help="of whatever is random (default: 0)")
    group.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a line for each estimate, column, answer, round, work or turn, as .csv",
    )
    group = parser.add_argument_group("choices: what guide, prior, objective and observation are each worth")
    group.add_argument("--epochs", type=positive_int, metavar="N", help="(default: until validation stops improving)")
    group = parser.add_argument_group(
        "trust: estimates of log p(x) that are wrong and not flagged, by quadrature; choices takes these, too"
    )
    group.add_argument("--limit", type=positive_int, metavar="N", help="data of each model (default: 13, else 200)")
    group.add_argument("--particles", type=positive_int, metavar="K", help="refined (default: 500)")
    group = parser.add_argument_group("imputation: entries hidden from HI-VAE's tables, in the data folder")
    group.add_argument(
        "--tables",
        type=one_of("table", TABLES),
        nargs="+",
        metavar="NAME",
        help=f"(default: {' '.join(TABLES)})",
    )
    group.add_argument(
        "--rates", type=positive_int, nargs="+", metavar="PERCENT", help="of hidden entries (default: 10 20 50)"
    )
    group.add_argument("--masks", type=positive_int, metavar="N", help="lists of hidden entries (default: 3)")
    group = parser.add_argument_group("recommend: the family that data from known decoders are drawn from")
    group.add_argument("--sizes", type=positive_int, nargs="+", metavar="ROWS", help="of the data (default: 2000 500)")
    group.add_argument("--draws", type=positive_int, metavar="N", help="of each family and size (default: 5)")
    group.add_argument(
        "--minutes",
        type=positive_float,
        metavar="M",
        help="for each dataset (default: tables 2, arrays 1); of soak, in all (default: 30)",
    )
    group = parser.add_argument_group(
        "survival: small works that are killed at random moments, and go on; soak: the memory of a long process"
    )
    group.add_argument("--kills", type=positive_int, metavar="N", help="in all (default: 100)")
    group.add_argument(
        "--commands",
        type=one_of("command", WORKS),
        nargs="+",
        metavar="NAME",
        help=f"that are killed (default: {' '.join(WORKS)})",
    )
