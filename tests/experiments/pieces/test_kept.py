"""Pieces of interrupted work are kept, and not computed again."""

import numpy as np
import pytest

from obsvae.errors import UsageError
from obsvae.experiments.lock import FolderLock
from obsvae.experiments.pieces import kept
from obsvae.experiments.pieces.kept import kept_pieces

ORIGIN = {"particles": 50, "weights": "a" * 64}


def piece(number):
    return {"x": np.full((2, number), number / 3), "flags": np.array([True, False]), "n": np.arange(number)}


def work(folder, fails_at=None, origin=ORIGIN, parts=("a", "b"), each=4):
    """Return what a work of two parts finds, and the pieces that it computed."""
    computed = []

    def compute(part, number):
        if (part, number) == fails_at:
            raise KeyboardInterrupt
        computed.append((part, number))
        return piece(number)

    with kept_pieces(folder, "work", origin) as pieces:
        found = [
            {name: (v.dtype, v.tobytes(), v.shape) for name, v in one.items()}
            for part in parts
            for one in pieces.part(part).part("of").each(each, lambda number, part=part: compute(part, number))
        ]
    return found, computed


@pytest.fixture
def at_once(monkeypatch):
    """Save each piece."""
    monkeypatch.setattr(kept, "EVERY", 0.0)


@pytest.mark.parametrize("fails_at", [("a", 0), ("a", 3), ("b", 0), ("b", 2)])
def test_work_goes_on_where_it_was_interrupted(fails_at, tmp_path, at_once, capsys):
    whole, all_pieces = work(tmp_path / "whole")
    assert len(all_pieces) == 8
    assert not (tmp_path / "whole").exists()
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "cut", fails_at)
    capsys.readouterr()
    found, computed = work(tmp_path / "cut")
    assert found == whole
    assert computed == all_pieces[all_pieces.index(fails_at) :]
    told = capsys.readouterr().err
    assert told.startswith("the work goes on: ") == (fails_at != ("a", 0))
    assert told.count("\n") <= 1
    assert not (tmp_path / "cut").exists()


def test_short_work_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kept.KeptPieces, "save", None)
    work(tmp_path / "short")
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "short", ("b", 1))
    assert not (tmp_path / "short").exists()
    assert capsys.readouterr().err == ""


def test_what_waits_is_saved_at_an_interrupt_where_it_is_worth_it(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "LEAST", 0.0)
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "cut", ("b", 2))
    _, computed = work(tmp_path / "cut")
    assert computed == [("b", 2), ("b", 3)]


def test_what_was_computed_from_anything_else_is_not_used(tmp_path, at_once, capsys):
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "cut", ("b", 2))
    other = {**ORIGIN, "particles": 60}
    capsys.readouterr()
    _, computed = work(tmp_path / "cut", origin=other)
    assert len(computed) == 8
    told = capsys.readouterr().err
    assert "not used: " in told
    assert "particles 50, not 60" in told
    _, computed = work(tmp_path / "cut")  # and it is still there
    assert computed == [("b", 2), ("b", 3)]
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize("content", [b"", b"x" * 100, None])
def test_a_damaged_file_is_told_and_computed_again(content, tmp_path, at_once, capsys):
    whole, _ = work(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "cut", ("b", 2))
    (file,) = (tmp_path / "cut").glob("*/a-of-1.safetensors")
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    capsys.readouterr()
    found, computed = work(tmp_path / "cut")
    assert found == whole
    assert computed == [("a", 1), ("a", 2), ("a", 3), ("b", 2), ("b", 3)]
    assert f"not used: {file} is damaged" in capsys.readouterr().err


def test_a_work_without_parts_is_kept_too(tmp_path, at_once):
    def found(last):
        with kept_pieces(tmp_path / "cut", "work", ORIGIN) as pieces:
            for number, one in enumerate(pieces.each(3, piece)):
                assert len(one["n"]) == number
                if number == last:
                    raise KeyboardInterrupt
        return pieces.files.keys()

    with pytest.raises(KeyboardInterrupt):
        found(1)
    assert found(None) == {"all-0", "all-1"}


def test_one_process_at_a_time_keeps_pieces_in_a_folder(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    with FolderLock(folder):
        with pytest.raises(UsageError, match="another process is working in"):
            work(folder)
        assert folder.is_dir()
