"""When does the choice matter? MNIST warped from binary to mid-grey, and the likelihood of four decoders on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from candidate import Job, csv_text, read_result, threads_each
from command import Parser, add_network, device, positive_int, run
from jobs import open_folder, refusal, run_jobs
from pair import FORMAT
from tabulate import tabulate

from data import load
from inference import plot_against, save_figure, save_text
from model import make_observation

EXAMPLES = """\
  python scripts/warp_study.py --jobs 2 --out runs/warp
  python scripts/warp_study.py --data digits --gammas -0.5 0 0.4 --epochs 5 --latent 4 --hidden 64 --out runs/warp-small
"""
GAMMAS = (-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)
CLAMPED = "limit=9.21024"  # the logit of 1 - 1e-4
TRAINED = {
    "Bernoulli": "unnormalised-bernoulli",
    "continuous Bernoulli": "continuous-bernoulli",
    "continuous Bernoulli, trained clamped": f"continuous-bernoulli:{CLAMPED}",
    "Normal": "normal:scale=decoder,link=sigmoid",
    "Beta": "beta:concentration=decoder",
}
RESCORED = {
    "Bernoulli": {
        "as it stands, clamped": f"continuous-bernoulli:{CLAMPED}",
        "mean matched, clamped": f"continuous-bernoulli:matched=true,{CLAMPED}",
    },
    "continuous Bernoulli": {"clamped": f"continuous-bernoulli:{CLAMPED}"},
}
SCORES = ("mean_log_weight", "nats_per_datum", "standard_error", "khat_median")
EXPLANATION = """\
All numbers are densities over [0, 1], in nats per image. Exact: the continuous Bernoulli as it is. Clamped: its
parameter kept within [1e-4, 1 - 1e-4], as in the code of the paper, so that no density exceeds 9.2 (2.22 nats a
value). The two differ where data lie closer to 0 or 1 than that density can tell: a background spread evenly below
1/256 has a density of up to 256 (5.5 nats), and data at exactly 0 and 1, as for gamma < 0, have no upper bound at all.
The Normal, whose mean alone is kept within [0, 1], loses what it spreads beyond."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument("--data", default="mnist", metavar="NAME", help="data on a grid, with bounds (default: mnist)")
    parser.add_argument("--gammas", type=float, nargs="+", default=list(GAMMAS), metavar="G", help="-0.5 ... below 0.5")
    add_network(parser)
    parser.set_defaults(latent=20, hidden=[500, 500], epochs=10)
    parser.add_argument("--jobs", type=positive_int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--particles", type=positive_int, default=100, metavar="K", help="per datum (default: 100)")
    parser.add_argument("--limit", type=positive_int, default=1000, metavar="N", help="test data (default: 1000)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/warp"), help="folder; an interrupted study in it goes on"
    )
    args = parser.parse_args(arguments)

    training = {"epochs": args.epochs, "batch_size": args.batch_size, "lr": args.lr, "seed": args.seed}
    # The ELBO is the guide's, and what the paper estimates is by the guide's particles, too.
    evaluation = {
        "proposal": "amortised",
        "particles": args.particles,
        "limit": args.limit,
        "memory": 2**28,
        "seed": args.seed,
    }
    network = {"architecture": args.architecture, "latent": args.latent, "hidden": args.hidden, "guide": "normal"}
    # Noise within the cells, as in the paper, before they are warped.
    warped = {gamma: {"name": args.data, "dequantise": True, "warp": gamma} for gamma in args.gammas}
    refused: dict[tuple[str, float], str] = {}
    for gamma, one in warped.items():
        data = load(**one)
        for name, spec in TRAINED.items():
            if why := refusal(make_observation(spec, data), data):
                refused[name, gamma] = why
    settings = {"data": args.data, "data_sha256": data.sha256, **network, **training, **evaluation}
    open_folder(args.out, {**settings, "device": device(args).type})
    jobs = {
        (name, gamma): Job(
            {"format": FORMAT, "data": one, "observation": spec, **network},
            training,
            evaluation,
            device(args).type,
            args.out / f"{name.replace(', ', '-').replace(' ', '-')}_{gamma:g}",
            threads_each(args.jobs),
            RESCORED.get(name, {}),
        )
        for gamma, one in warped.items()
        for name, spec in TRAINED.items()
        if (name, gamma) not in refused
    }
    run_jobs(list(jobs.values()), args.jobs)
    results = {key: read_result(job.out) or {} for key, job in jobs.items()}
    report(args.out, results | {key: {"message": why} for key, why in refused.items()})


def report(out: Path, results: Mapping[tuple[str, float], dict[str, Any]]) -> None:
    """Write the table and the figure, and print the table."""
    found: dict[str, dict[float, dict[str, float]]] = {}
    failures: dict[str, dict[float, str]] = {}
    for (name, gamma), result in results.items():
        for suffix, scores in result.get("scores", {}).items():
            found.setdefault(f"{name}{suffix}", {})[gamma] = scores["own"]
        if "message" in result:
            failures.setdefault(name, {})[gamma] = result["message"]
    if not found:
        raise ValueError(f"no run came to an end: {failures}")
    rows = [
        {"decoder": name, "gamma": gamma, **{key: scores[key] for key in SCORES}}
        for name, by_gamma in found.items()
        for gamma, scores in by_gamma.items()
    ]
    save_text(out / "table.csv", csv_text(rows))
    gammas = sorted({gamma for _, gamma in results})
    tables = {
        f"{title}, nats per image": [
            {"trained as, scored as": name, **{f"γ = {g:g}": by_gamma.get(g, {}).get(key) for g in gammas}}
            for name, by_gamma in found.items()
        ]
        for title, key in (("ELBO", "mean_log_weight"), ("Importance-weighted log-likelihood", "nats_per_datum"))
    }
    notes = [
        f"{name} at γ = {', '.join(f'{g:g}' for g in why)}: {next(iter(why.values()))}"
        for name, why in failures.items()
    ]

    def text(form: str) -> str:
        parts = [
            f"{title}\n\n{tabulate(rows, 'keys', form, floatfmt='.1f', missingval='–')}"
            for title, rows in tables.items()
        ]
        return "\n\n".join([*parts, EXPLANATION, *notes])

    save_text(out / "table.md", text("github") + "\n")
    panels: dict[str, dict[str, dict[float, float]]] = {
        "exact; for γ < 0, where data are at 0 and 1, densities have no bound": {},
        "continuous Bernoulli clamped to [1e-4, 1 − 1e-4]": {},
    }
    exact, clamped = panels.values()
    for name, by_gamma in found.items():
        line = {gamma: by_gamma[gamma]["mean_log_weight"] for gamma in gammas if gamma in by_gamma}
        (clamped if "clamped" in name else exact)[name.replace(", clamped", "")] = line
    figure = plot_against(panels, "γ (−½ binary, 0 as it is, ½ grey)", "ELBO, nats per image", linear=2000.0)
    save_figure(out / "figures/warp.png", figure)
    print(text("simple"))
    print(f"\nwritten to {out}: table.md, table.csv, figures/warp.png, and a folder for each run")


if __name__ == "__main__":
    run(main)
