"""Training programs timed in turn, round after round."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.training.job import training_rows, write_job
from obsvae.experiments.benchmarks.training.process import Process, ProgramEnded
from obsvae.experiments.benchmarks.training.programs import Program

# The first step of all is one of its kind in many programs, so that compiling is over with the second alone.
FIRST = 2
# Seconds between programs: threads of the one before may still wait actively for work.
_PAUSE = 0.3


@dataclass
class Timed:
    """What a program took.

    Attributes:
        program: its name.
        seconds: of each round.
        first: seconds to the end of the second step, compiling included.
        elbo: in nats per datum, of training data after all steps; None for another loss.
    """

    program: str
    seconds: list[float] = field(default_factory=list)
    first: float = float("nan")
    elbo: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What all programs took for the same steps.

    Attributes:
        family: the family of the observation.
        batch_size: data in a minibatch.
        steps: of a round.
        timed: of each program, this project's first.
    """

    family: str
    batch_size: int
    steps: int
    timed: Sequence[Timed]

    @property
    def all_steps(self) -> int:
        """The number of steps that each program took in all."""
        return FIRST + self.steps * len(self.timed[0].seconds)

    def ms(self, timed: Timed) -> list[float]:
        """Return the milliseconds of a step in each round."""
        return [1000 * seconds / self.steps for seconds in timed.seconds]

    def ratios(self, timed: Timed) -> list[float]:
        """Return this project's time over the program's, in each round."""
        return [ours / theirs for ours, theirs in zip(self.timed[0].seconds, timed.seconds, strict=True)]


def compare(
    family: str,
    data: Dataset,
    programs: Sequence[Program],
    *,
    batch_size: int,
    steps: int,
    rounds: int,
    threads: int,
    tell: Callable[[str], None],
) -> Comparison:
    """Return what each program takes for the same steps from the same start, in turn.

    A program that cannot do it is left out, and told of, unless it is the first.

    Args:
        family: a name in ``FAMILIES``.
        data: of it.
        programs: this project's first.
        batch_size: data in a minibatch.
        steps: in a round; rounded to whole passes over the data.
        rounds: how often each program is asked.
        threads: of each.
        tell: is called with a line on each program that is left out.

    Raises:
        UsageError: where the first program ends, as where there is no C++ compiler.
    """
    of_pass = len(training_rows(data, batch_size, steps)) // batch_size
    if not of_pass:
        raise UsageError(
            f"batch-sizes need to be at most {len(data.train)}, the training data of {family}; got {batch_size}"
        )
    steps = max(1, round(steps / of_pass)) * of_pass
    with TemporaryDirectory() as scratch, ExitStack() as stack:
        job = write_job(Path(scratch), family, data, batch_size=batch_size, steps=steps, threads=threads)
        running = dict[str, tuple[Process, Timed]]()

        def ask(name: str, what: Callable[[Process, Timed], None]) -> None:
            try:
                what(*running[name])
            except ProgramEnded as error:
                del running[name]
                if name == programs[0].name:
                    raise UsageError(f"{name} could not train {family}, and nothing is timed: {error}") from None
                tell(f"{name} is left out of {family}: it ended ({error})")

        for program in programs:
            line = [*program.line, str(job), *program.behind]
            process = stack.enter_context(Process(line, program.folder, program.variables, threads))
            running[program.name] = process, Timed(program.name)
            ask(program.name, _begin)
        for turn in range(rounds):
            names = list(running)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                time.sleep(_PAUSE)
                ask(name, lambda process, timed: timed.seconds.append(process.ask(steps=steps)["seconds"]))
        for name in list(running):
            ask(name, _end)
        return Comparison(family, batch_size, steps, [timed for _, timed in running.values()])


def _begin(process: Process, timed: Timed) -> None:
    timed.first = process.ask(steps=FIRST)["seconds"]


def _end(process: Process, timed: Timed) -> None:
    timed.elbo = process.ask(elbo=True)["elbo"]
