"""Pieces of a work on rows, in a folder until its result is written."""

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from obsvae.experiments.files import save_json, save_tensors
from obsvae.experiments.lock import FolderLock
from obsvae.experiments.pieces.origin import fingerprint, first_difference
from obsvae.inference.pieces import Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes

# Seconds of work between two times of saving, and those that are worth it where the work ends by an error.
EVERY, LEAST = 30.0, 3.0
_ORIGIN, _FORMAT = "origin.json", "1"


@contextlib.contextmanager
def kept_pieces(
    folder: Path, work: str, origin: Mapping[str, Any], processes: Processes = ALONE
) -> Iterator["KeptPieces"]:
    """Give the pieces of a work, which outlast a kill of it: the same work takes them up, and computes the others.

    They are saved about every 30 s, each file whole, and at an interrupt. They go once the work has ended; where it
    ends by an error they stay, and so do those that were computed from anything else, which is told in a line.

    Args:
        folder: which no other process may keep pieces in meanwhile; it is there while there are pieces.
        work: what it is, as a noun.
        origin: all that the numbers depend on, as :func:`origin_of` returns it.
        processes: that share the work; each keeps its own.

    Raises:
        UsageError: where another process does such work there.
        OSError: where the folder cannot be written to.
    """
    origin = {**origin, "processes": processes.size, "process": processes.rank}
    with contextlib.ExitStack() as stack:
        if processes.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FolderLock(folder))
            stack.callback(_remove_empty, folder)
        kept = KeptPieces(folder / fingerprint(origin), origin)
        if processes.is_first:
            for line in kept.told(work):
                print(line, file=sys.stderr)
        try:
            yield kept
        except OSError:  # such as a full disk, which takes no more pieces either
            raise
        except BaseException:
            if kept.seconds_since() > LEAST:
                kept.save()
            raise
        processes.gather(None)  # not before the first process has written the result
        shutil.rmtree(kept.folder, ignore_errors=True)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@dataclass(frozen=True)
class _File:
    path: Path
    count: int
    seconds: float


class KeptPieces(Pieces):
    """The pieces of a work and of its parts in a folder: files of successive pieces, named by the first one.

    Args:
        folder: of this work alone.
        origin: what they are computed from.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        self.folder, self.origin = folder, origin
        self.waiting: dict[str, tuple[int, list[Piece]]] = {}
        self.saved_at = time.monotonic()
        self.damaged: list[str] = []
        self.files = {path.stem: file for path in sorted(folder.glob("*.safetensors")) if (file := self._look(path))}

    def part(self, name: str) -> "_Part":
        """Return the pieces of a part of the work."""
        return _Part(self, name)

    def each(self, count: int, compute: Callable[[int], Piece]) -> Iterator[Piece]:
        """Return the pieces of a work that has no parts."""
        return self.part("all").each(count, compute)

    def seconds_since(self) -> float:
        """Return the seconds since pieces were saved."""
        return time.monotonic() - self.saved_at

    def keep(self, name: str, number: int, piece: Piece) -> None:
        """Keep a piece of a part until it is saved with others, which it is where it is time to."""
        self.waiting.setdefault(name, (number, []))[1].append(piece)
        if self.seconds_since() > EVERY:
            self.save()

    def save(self) -> None:
        """Write all that wait, each part's whole and on the disk."""
        if not self.waiting:
            return
        if not (self.folder / _ORIGIN).exists():
            save_json(self.folder / _ORIGIN, dict(self.origin))
        seconds = self.seconds_since() / len(self.waiting)
        for name, (first, pieces) in self.waiting.items():
            tensors = {
                f"{number}/{key}": torch.from_numpy(values)
                for number, piece in enumerate(pieces)
                for key, values in piece.items()
            }
            notes = {
                "format": _FORMAT,
                "origin": fingerprint(self.origin),
                "count": str(len(pieces)),
                "seconds": repr(seconds),
            }
            save_tensors(self.folder / f"{name}-{first}.safetensors", tensors, notes, is_flushed=True)
        self.waiting.clear()
        self.saved_at = time.monotonic()

    def told(self, work: str) -> list[str]:
        """Return in lines what is there of the work, and what is there of others."""
        lines = [*self.damaged]
        if self.files:
            seconds = sum(file.seconds for file in self.files.values())
            lines.append(f"the {work} goes on: {seconds:.0f} s of it are kept in {self.folder.parent}")
        for other in sorted(self.folder.parent.glob(f"*/{_ORIGIN}")):
            if other.parent == self.folder:
                continue
            try:
                why = first_difference(json.loads(other.read_text(encoding="utf-8")), self.origin)
            except (ValueError, AttributeError):
                why = f"{_ORIGIN} is damaged"
            lines.append(f"not used: {other.parent} keeps pieces with {why}; remove them if you do not want them")
        return lines

    def stored(self, name: str) -> Iterator[tuple[Piece, float]]:
        """Return the pieces of a part that are there, from the first on, each with the seconds that it took."""
        number = 0
        while (file := self.files.get(f"{name}-{number}")) is not None:
            tensors = load_file(file.path)
            for place in range(file.count):
                start = f"{place}/"
                piece = {key.removeprefix(start): v for key, v in tensors.items() if key.startswith(start)}
                yield piece, file.seconds / file.count
            number += file.count

    def _look(self, path: Path) -> _File | None:
        """Return what a file holds; None, and a line to tell, where it is damaged or of another work."""
        try:
            with safe_open(path, framework="np") as held:
                notes = held.metadata() or {}
            if (notes["format"], notes["origin"]) != (_FORMAT, fingerprint(self.origin)):
                raise KeyError("format or origin")
            return _File(path, int(notes["count"]), float(notes["seconds"]))
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            self.damaged.append(f"not used: {path} is damaged ({error}); what it held is computed again")
            return None


class _Part(Pieces):
    """The pieces of a part of a work that is kept."""

    def __init__(self, whole: KeptPieces, name: str) -> None:
        self.whole, self.name = whole, name

    def part(self, name: str) -> "_Part":
        return _Part(self.whole, f"{self.name}-{name}")

    def each(self, count: int, compute: Callable[[int], Piece]) -> Iterator[Piece]:
        done = 0
        for piece, seconds in self.whole.stored(self.name):
            self.seconds += seconds
            done += 1
            yield piece
        for number in range(done, count):
            piece = compute(number)
            self.whole.keep(self.name, number, piece)
            yield piece
