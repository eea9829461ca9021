"""Time training and estimates, count wrong ones, weigh choices, try kills and soaks."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from tabulate import tabulate

from obsvae.experiments.benchmarks.choices import STUDIES, choices
from obsvae.experiments.benchmarks.imputation.densities import NOTE, densities
from obsvae.experiments.benchmarks.imputation.report import EXPLAINED, lines_of, text_of
from obsvae.experiments.benchmarks.imputation.run import QUICK, STANDARD, Result, imputation
from obsvae.experiments.benchmarks.likelihood import compare_estimators, has_peer, throughput
from obsvae.experiments.benchmarks.recommendation import report as found
from obsvae.experiments.benchmarks.recommendation.run import KINDS, MINUTES, Outcome, recommendations
from obsvae.experiments.benchmarks.recommendation.truths import FEW, TRUTHS
from obsvae.experiments.benchmarks.soak import report as soaked
from obsvae.experiments.benchmarks.soak.run import Moment, soak
from obsvae.experiments.benchmarks.survival import report as survived
from obsvae.experiments.benchmarks.survival.run import Life, survival
from obsvae.experiments.benchmarks.training import report as timed
from obsvae.experiments.benchmarks.training.families import FAMILIES
from obsvae.experiments.benchmarks.training.machine import busy_line, cores
from obsvae.experiments.benchmarks.training.programs import lacking, ours, peer
from obsvae.experiments.benchmarks.training.run import Comparison, compare
from obsvae.experiments.benchmarks.trust.parts import PARTS, run_part
from obsvae.experiments.benchmarks.trust.verdicts import Verdicts
from obsvae.experiments.command_line.benchmarks import parsed
from obsvae.experiments.command_line.program import run
from obsvae.experiments.csv_files import csv_text
from obsvae.experiments.files import save_figure, save_text
from obsvae.experiments.recommendation.recommend import recommend


def main(arguments: Sequence[str] | None = None) -> None:
    args = parsed(arguments, __doc__ or "")
    BENCHMARKS[args.benchmark](args)


def _training(args: argparse.Namespace) -> None:
    programs = [*ours(args.data), *filter(None, map(peer, args.against))]
    threads = cores() if args.threads is None else args.threads
    head = f"{timed.EXPLAINED}\n\nThreads of each: {threads}; {busy_line()}"
    print(head, *lacking(args.against), sep="\n", flush=True)
    found = list[Comparison]()
    for name in args.families:
        family = FAMILIES[name]
        data = family.data(args.data)
        able = [program for program in programs if program.families is None or name in program.families]
        for batch_size in args.batch_sizes:
            steps = family.steps if args.steps is None else args.steps
            sizes = {"batch_size": batch_size, "steps": steps, "rounds": args.rounds, "threads": threads}
            found.append(compare(name, data, able, **sizes, tell=print))
            print(f"\n{timed.text_of(found[-1])}", flush=True)
            if args.out:
                save_text(args.out, timed.lines_of(found))
    if args.out:
        print(f"written to {args.out}")


def _likelihood(args: argparse.Namespace) -> None:
    print(f"Nats per datum over the first {args.annealed} test data; times over {args.timed}.")
    print(f"The times are medians of {args.rounds} rounds, in which the estimators take turns.")
    for folder in args.runs:
        rows = compare_estimators(folder, args.timed, args.annealed, args.rounds, args.temperatures)
        print(f"\n{tabulate(rows, 'keys', floatfmt='.5g', missingval='–')}", flush=True)
    print(f"\nOf {args.runs[0].name}:\n{tabulate(throughput(args.runs[0], args.rounds), 'keys', floatfmt='.3g')}")
    if not has_peer():
        print("pythae is not installed, and was left out (pip install pythae==0.1.2)")


def _trust(args: argparse.Namespace) -> None:
    found = list[Verdicts]()
    for name in PARTS if args.what == "both" else [args.what]:
        tried = run_part(name, particles=args.particles, data=args.limit, quick=args.quick, seed=args.seed)
        print(f"{PARTS[name].report(tried)}\n", flush=True)
        found.append(tried.verdicts)
        if args.out:
            save_text(args.out, Verdicts.joined(found).text())
    if args.out:
        print(f"written to {args.out}")


def _imputation(args: argparse.Namespace) -> None:
    if args.what != "densities":
        settings = QUICK if args.quick else STANDARD
        print(EXPLAINED, flush=True)
        found = list[Result]()
        every = imputation(args.tables, args.rates, args.masks, settings=settings, seed=args.seed)
        for _, results in groupby(every, lambda result: (result.table, result.rate)):
            start = len(found)
            for result in results:
                found.append(result)
                if args.out:
                    save_text(args.out, lines_of(found))
            print(f"\n{text_of(found[start:])}", flush=True)
        print(f"\nAll:\n{text_of(found, notes=False)}")
        if args.out:
            print(f"written to {args.out}")
    if args.what != "errors":
        print(f"\nLog-density of rows that were held out\n{NOTE}")
        for rows in densities(quick=args.quick, seed=args.seed):
            print(f"\n{tabulate(rows, 'keys', floatfmt='.4g', missingval='–')}", flush=True)


def _recommend(args: argparse.Namespace) -> None:
    kinds = KINDS if args.what == "both" else (args.what,)
    truths, sizes, draws = (FEW, (300,), 1) if args.quick else (tuple(TRUTHS), args.sizes, args.draws)
    given = 0.2 if args.quick and args.minutes is None else args.minutes
    minutes = MINUTES if given is None else dict.fromkeys(KINDS, given)
    print(f"{found.EXPLAINED}\n", flush=True)
    outcomes = list[Outcome]()
    for some in recommendations(
        recommend, kinds=kinds, rows=sizes, seeds=draws, truths=truths, minutes=minutes, seed=args.seed
    ):
        outcomes += some
        if args.out:
            save_text(args.out, found.lines_of(outcomes))
    print("\n\n".join(filter(None, [found.summary(outcomes), found.confusion(outcomes), found.wrong(outcomes)])))
    if args.out:
        print(f"written to {args.out}")


def _choices(args: argparse.Namespace) -> None:
    rows = list[dict[str, Any]]()
    print("Nats per datum of the test data: refined log p, the guide's ELBO, and what that misses of it.", flush=True)
    for name in STUDIES if args.what == "both" else [args.what]:
        options = {"limit": args.limit, "particles": args.particles, "seed": args.seed, "quick": args.quick}
        for row in choices(name, epochs=args.epochs, **options):
            rows.append(row)
            print(f"{name}: {row['part']} {row['choice']}: {row['log p']:.2f}", flush=True)
            if args.out:
                save_text(args.out, csv_text(rows))
    print(f"\n{tabulate(rows, 'keys', floatfmt='.2f')}")
    if args.out:
        print(f"written to {args.out}")


def _survival(args: argparse.Namespace) -> None:
    print(f"{survived.EXPLAINED}\n", flush=True)
    lives = list[Life]()
    for life in survival(args.commands, args.kills, seed=args.seed):
        lives.append(life)
        if args.out:
            save_text(args.out, survived.lines_of(lives))
    print(survived.table(lives))
    if args.out:
        print(f"written to {args.out}")


def _soak(args: argparse.Namespace) -> None:
    moments = list[Moment]()
    for moment in soak(args.minutes, seed=args.seed):
        moments.append(moment)
        if args.out:
            save_text(args.out, soaked.lines_of(moments))
    print(soaked.summary(moments))
    if args.out:
        drawn = save_figure(args.out.with_suffix(".png"), soaked.figure(moments))
        print(f"written to {args.out} and {drawn}")


BENCHMARKS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "training": _training,
    "likelihood": _likelihood,
    "trust": _trust,
    "imputation": _imputation,
    "recommend": _recommend,
    "choices": _choices,
    "survival": _survival,
    "soak": _soak,
}


if __name__ == "__main__":
    run(main)
