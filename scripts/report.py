"""Write one self-contained page on one or more runs: results, pictures, checks, and what the diagnostics mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from command import Parser, positive_int, run, seed
from evaluation import doubtful
from jinja2 import Environment, StrictUndefined
from pair import restore
from report_parts import Subject, parts_of
from report_results import different, results, short
from tqdm import tqdm

from data import Dataset
from guides import AmortisedDelta, AmortisedNormal
from inference import (
    Amortised,
    Refined,
    is_point_mass,
    log_likelihood,
    posterior,
    save_text,
)
from model import VAE

EXAMPLES = """\
  python scripts/report.py runs/mnist-normal --out report.html
  python scripts/report.py runs/a runs/b --limit 500 --particles 1000 --out report.html
"""

TEMPLATE = Path(__file__).with_name("report.html.jinja")
# Share of the data that may be flagged before the page warns.
_FLAGGED = 0.1
GLOSSARY = (
    ("log p(x)", "The log-likelihood of held-out data in nats per datum, an average of importance weights. In "
     "expectation it is a lower bound. A density is per unit of the data and may be positive; a mass is never."),
    ("measure", "A density and a mass are never compared: they stand in tables of their own."),
    ("k̂", "Pareto k̂ of the weights. At most 0.7: the average of the weights can be trusted. Above: it converges too "
     "slowly; the estimate is probably too low, by an unknown amount, whatever its standard error."),
    ("ESS", "Effective sample size: so many equal weights would make the same noise. Below 10 it is flagged."),
    ("flagged", "The share of data whose estimate is not to be trusted: k̂ above 0.7 or unknown, or an ESS below 10."),
    ("amortisation gap", "The refined less the amortised estimate: what the guide misses of each datum's posterior."),
    ("probability integral transform", "Where a held-out value ranks among values that the model draws; uniform where "
     "the model is right. A curve outside the grey band is more than chance."),
    ("coverage", "How many held-out values lie within the model's central intervals. Below the line: the model is too "
     "sure; above: not sure enough."),
    ("calibration", "Data are drawn from the model, and the latent that made each is ranked among draws from its "
     "posterior. A bow outside the band: a posterior that is too narrow, too wide, or beside the truth."),
    ("active", "A latent dimension whose posterior mean varies over data by more than 0.01; the others are the prior."),
    ("mean, sample, parameter", "E[x | z], a draw from p(x | z), and the link's output, where that is not the mean."),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders, as scripts/train.py leaves them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page, a name that ends in .html")
    parser.add_argument(
        "--limit", type=positive_int, default=200, metavar="N", help="look at the first N test data (default: 200)"
    )
    parser.add_argument("--particles", type=positive_int, default=500, metavar="K", help="per datum (default: 500)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of all draws (default: 0)")
    args = parser.parse_args(arguments)
    if args.out.suffix != ".html":
        raise ValueError(f"--out needs a name that ends in .html, but got {args.out}")
    names = [path.resolve().name for path in args.runs]
    if len(set(args.runs)) < len(args.runs):
        raise ValueError(f"a run is named twice: {' '.join(map(str, args.runs))}")
    if len(set(names)) < len(names):  # folders such as a/seed-0 and b/seed-0
        names = [str(path) for path in args.runs]
    # All are read before anything is computed: one that cannot be is told at once.
    restored = [restore(path) for path in args.runs]
    subjects, warnings = [], []
    for name, path, (config, data, model, guide) in zip(names, args.runs, restored, strict=True):
        subject, told = look_at(name, path, config, data, model, guide, args.limit, args.particles, args.seed)
        subjects.append(subject)
        warnings += told
    counted = f"{len(subjects)} run{'s' if len(subjects) > 1 else ''}"
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    written = save_text(
        args.out,
        page.render(
            title="What the decoder's output says" if len(subjects) > 1 else f"Report on {names[0]}",
            subtitle=f"{counted}; the first {args.limit} test data at most, "
            f"{args.particles} particles for each, seed {args.seed}.",
            warnings=[*different(subjects), *warnings],
            results=results(subjects),
            runs=[section(number, subject) for number, subject in enumerate(subjects)],
            glossary=GLOSSARY,
        ),
    )
    print("\n".join([*(f"warning: {line}" for line in [*different(subjects), *warnings]), f"written: {written}"]))


def look_at(
    name: str,
    path: Path,
    config: dict[str, Any],
    data: Dataset,
    model: VAE,
    guide: AmortisedNormal | AmortisedDelta,
    limit: int,
    particles: int,
    seed: int,
) -> tuple[Subject, list[str]]:
    """Return what is reported on, and what a reader must know first."""
    warnings = []
    corrections = model.observation.corrections()
    if corrections:
        model = VAE(model.prior, model.decoder, corrections["mean matched"])
        warnings.append(
            f"{config['observation']} is a loss, not a likelihood; the page scores its decoder under the continuous "
            "Bernoulli with the mean matched"
        )
    x = data.test[:limit]
    labels = data.labels.get("test")
    settings = {"keep_weights": len(x), "seed": seed}
    refined = log_likelihood(model, guide, x, particles, proposal=Refined(), **settings)
    amortised = None
    if not is_point_mass(posterior(guide, x[:1])):
        amortised = log_likelihood(model, guide, x, particles, proposal=Amortised(), **settings)
    subject = Subject(
        name,
        str(path),
        config,
        data,
        model,
        not corrections,
        guide,
        x,
        labels[:limit] if labels is not None and len(labels) else None,
        refined,
        amortised,
        seed,
    )
    if (stopped := config["outcome"]["stopped"]) not in ("finished", "patience"):
        warnings.append(f"training was cut short ({stopped}): these are not the numbers of a trained model")
    flagged = float(refined.weights.flagged.mean())
    lost = [line for line in doubtful(refined, model.observation.is_bound) if line.startswith("warning: ")]
    warnings += [line.removeprefix("warning: ") for line in lost]
    if flagged > _FLAGGED:
        warnings.append(f"{flagged:.0%} of the likelihood estimates are flagged: probably too low, by unknown amounts")
    if model.observation.is_bound:
        warnings.append("its log p is a lower bound of the mass, through uniform noise")
    return subject, [f"{name}: {line}" for line in warnings]


def section(number: int, subject: Subject) -> dict[str, Any]:
    """Return a run's section of the page."""
    parts = parts_of(subject)
    config, training = subject.config, subject.config.get("training", {})
    settings = {
        "data": config["data"]["name"],
        "guide": config["guide"],
        "architecture": f"{config['architecture']}, hidden {config['hidden']}, z of {config['latent']}",
        "training": ", ".join(f"{key} {value}" for key, value in training.items() if value is not None),
        "ended": config["outcome"]["stopped"],
        "weights of epoch": config["outcome"]["best_epoch"],
        **{f"learned {key}": short(value) for key, value in subject.model.observation.describe().items()},
    }
    rows = [[key, str(value)] for key, value in settings.items()]
    return {
        "id": f"run-{number}",
        "name": subject.name,
        "observation": config["observation"],
        "configuration": {"columns": ["setting", "value"], "rows": rows},
        "parts": [make() for make in tqdm(parts.values(), desc=subject.name, unit="part", disable=None)],
    }


if __name__ == "__main__":
    run(main)
