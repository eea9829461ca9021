"""Works that are killed at random moments and go on, held against undisturbed ones."""

import itertools
import multiprocessing
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from obsvae.experiments.benchmarks.survival.child import AtWrite, work_in
from obsvae.experiments.benchmarks.survival.same import differences

# Kills that a work gets at most before it may end, and seconds after which one hangs.
_MOST, _HANGS = 4, 600.0
_LOADED = "obsvae.experiments.benchmarks.survival.child"


@dataclass(frozen=True)
class Life:
    """A work that was killed some times, and then ended.

    Attributes:
        command: its name.
        moments: number of kills at a random moment.
        writes: number of kills while it wrote.
        missed: number of kills that came too late, since it had ended.
        differing: files that differ from those of an undisturbed one.
        failure: the last line of what it said where it failed, else empty.
    """

    command: str
    moments: int
    writes: int
    missed: int
    differing: tuple[str, ...]
    failure: str

    @property
    def is_same(self) -> bool:
        """Whether it has ended, with the files of an undisturbed one."""
        return not self.differing and not self.failure


@dataclass(frozen=True)
class _End:
    exitcode: int | None
    seconds: float
    renamings: int
    said: str


def survival(commands: Sequence[str], kills: int, *, seed: int = 0, keep: Path | None = None) -> Iterator[Life]:
    """Kill works in turn until a number of kills is reached, and return each life once it has ended.

    Half of the kills are at a moment that is uniform over the time that an undisturbed work takes; half are right
    before or after a file is renamed to its name.

    Args:
        commands: names of works.
        kills: how many in all; a kill that comes when the work has ended does not count.
        seed: of the moments.
        keep: where folders of lives that differ are kept; None: nowhere.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="obsvae-survival-") as place:
        start = _Starter(Path(place))
        whole = {}
        for command in commands:
            start.prepare(command)
            whole[command] = start.undisturbed(command)
        done = 0
        for number, command in zip(itertools.count(), itertools.cycle(commands)):
            if done >= kills:
                return
            folder = start.copied(command, f"life-{number}")
            life = _life(start, command, folder, whole[command], min(kills - done, chance.randint(1, _MOST)), chance)
            done += life.moments + life.writes
            if keep is not None and not life.is_same:
                shutil.copytree(folder, keep / folder.name)
                shutil.copytree(start.place / f"{command}-whole", keep / f"{command}-whole", dirs_exist_ok=True)
            shutil.rmtree(folder)
            yield life


def _life(start: "_Starter", command: str, folder: Path, whole: _End, kills: int, chance: random.Random) -> Life:
    moments = writes = missed = 0
    while moments + writes < kills:
        if chance.random() < 0.5:
            end = start.killed(command, folder, AtWrite(chance.randint(1, whole.renamings), chance.random() < 0.5))
            writes += end.exitcode != 0
        else:
            end = start.killed(command, folder, None, chance.uniform(0.0, whole.seconds))
            moments += end.exitcode != 0
        if end.exitcode and end.exitcode > 0:  # it ended by itself, by an error
            return Life(command, moments, writes, missed, (), end.said)
        if end.exitcode == 0:  # it had ended, and the folder is whole
            missed += 1
            break
    end = start.killed(command, folder, None)
    failure = "" if end.exitcode == 0 else end.said or f"exit code {end.exitcode}"
    differing = differences(start.place / f"{command}-whole", folder)
    return Life(command, moments, writes, missed, tuple(differing), failure)


class _Starter:
    """Starts works in processes that have loaded all they need.

    Args:
        place: the folder in which all are.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([_LOADED])

    def prepare(self, command: str) -> None:
        """Make what a work needs."""
        folder = self.place / f"{command}-needs"
        folder.mkdir()
        end = self._ended(f"-{command}", folder, None, None)
        if end.exitcode != 0:
            raise RuntimeError(f"{command} could not be prepared: {end.said}")

    def copied(self, command: str, name: str) -> Path:
        """Return a folder with what a work needs."""
        return Path(shutil.copytree(self.place / f"{command}-needs", self.place / name))

    def undisturbed(self, command: str) -> _End:
        """Return how a work ends that nobody kills."""
        end = self._ended(command, self.copied(command, f"{command}-whole"), None, None)
        if end.exitcode != 0:
            raise RuntimeError(f"{command} fails even where nobody kills it: {end.said}")
        return end

    def killed(self, command: str, folder: Path, kill: AtWrite | None, after: float | None = None) -> _End:
        """Return how a work ends that kills itself, or is killed after some seconds, or is not."""
        return self._ended(command, folder, kill, after)

    def _ended(self, name: str, folder: Path, kill: AtWrite | None, after: float | None) -> _End:
        log = folder.with_name(f"{folder.name}.log")
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=work_in, args=(folder, name, kill, log, theirs))
        process.start()
        theirs.close()
        with ours:
            _received(ours.recv)
            start = time.monotonic()
            process.join(_HANGS if after is None else after)
            if process.is_alive():
                process.kill()
            process.join()
            seconds = time.monotonic() - start
            renamings = _received(ours.recv)
        said = log.read_text().strip().splitlines() if log.exists() else []
        return _End(process.exitcode, seconds, renamings or 0, said[-1] if said else "")


def _received(receive: Callable[[], int]) -> int | None:
    try:
        return receive()
    except EOFError:  # it was killed before it told
        return None
