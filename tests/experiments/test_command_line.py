"""What the command line makes of arguments and errors."""

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.experiments.command_line import program
from obsvae.experiments.command_line.arguments import Parser
from obsvae.experiments.command_line.program import run
from obsvae.experiments.command_line.words import in_flags
from obsvae.inference.processes.alone import Processes, ProcessesParted


@pytest.mark.parametrize(
    ("python", "flags"),
    [
        ("declare wider bounds (bounds=(low, high)), or", "declare wider bounds (--bounds LOW HIGH), or"),
        ("take bounds=(0, 360)", "take --bounds 0 360"),
        ("declare it (grid=(low, step, levels))", "declare it (--grid LOW STEP LEVELS)"),
        ("precision='bf16' needs", "--precision bf16 needs"),
        ("take bounds=(-0.5, 1e+16) now", "take --bounds -0.5 1e+16 now"),
        ("spread levels out (dequantise=True)", "spread levels out (--dequantise)"),
        ("(binarise='threshold' or 'dynamic')", "(--binarise threshold or dynamic)"),
        ("take binarise='static'", "take --binarise static"),
        ("or scaling='standardise'", "or --standardise"),
        ("or scaling='unit-interval'", "or --unit-interval"),
        ("(proposal=Annealed())", "(--proposal ais)"),
        ("(proposal=Refined())", "(--proposal refined)"),
        ("proposal=Mine() and link=identity", "proposal=Mine() and link=identity"),
    ],
)
def test_errors_speak_in_flags(python, flags):
    assert in_flags(python) == flags


@pytest.mark.parametrize(
    ("text", "number"), [("-1e3", -1000), ("-.5", -0.5), ("-1E-3", -0.001), ("-5.", -5), ("-7", -7), ("-2.5e+1", -25)]
)
def test_a_negative_number_is_no_flag(text, number):
    parser = Parser("", "")
    parser.add_argument("--bounds", nargs=2, type=float)
    parser.add_argument("--epochs", type=int)
    assert parser.parse_args(["--bounds", text, "20", "--epochs", "3"]).bounds == [number, 20]


def test_a_flag_is_still_one():
    parser = Parser("", "")
    parser.add_argument("-e", action="store_true")
    parser.add_argument("--bounds", nargs="*", type=float)
    assert parser.parse_args(["--bounds", "-1e3", "-e"]).e


@pytest.mark.parametrize(
    "error", [ValueError("operands could not be broadcast"), RuntimeError("a fault"), KeyError("x")]
)
def test_a_fault_of_the_program_keeps_its_traceback(error):
    def broken(_):
        raise error

    with pytest.raises(type(error)) as caught:
        run(broken)
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("Unable to allocate 72.8 TiB for an array with shape (1, 2)"), "cannot allocate 72.8 TiB: take"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0"),
            "cannot allocate 20.00 GiB:",
        ),
        (RuntimeError("you tried to allocate 3200000000 bytes. Error code 12"), "cannot allocate 3.2 GB: take smaller"),
        (RuntimeError("Storage size calculation overflowed with sizes=[1, 2]"), "cannot allocate enough memory"),
        (MemoryError(), "cannot allocate enough memory: take smaller networks, batches or data"),
    ],
)
def test_too_little_memory_is_told_in_one_line(error, words, capsys):
    def broken(_):
        raise error

    with pytest.raises(SystemExit) as left:
        run(broken)
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


class Deserted(Processes):
    """The first of two processes, from which nobody answers any more, but for some methods."""

    answers = ()

    def ask(self, name):
        if name not in self.answers:
            raise ProcessesParted("another process has ended")
        return True

    def claim(self):
        return self.ask("claim")

    def leave(self):
        self.ask("leave")

    def leave_by_error(self):
        self.ask("leave_by_error")


def ends_well(arguments):
    pass


def ends_by_an_error(arguments):
    raise UsageError("take another")


def ends_by_the_parser(arguments):
    raise SystemExit(0)


@pytest.mark.parametrize("answers", [(), ("claim",), ("claim", "leave_by_error")])
@pytest.mark.parametrize(
    ("main", "code", "words"),
    [
        (ends_well, 1, "another process has ended"),
        (ends_by_the_parser, 1, "another process has ended"),
        (ends_by_an_error, 2, "take another"),
    ],
)
def test_processes_that_part_at_the_end_take_one_line(main, code, words, answers, monkeypatch, capsys):
    processes = Deserted(0, 2)
    processes.answers = answers
    monkeypatch.setattr(program, "join", lambda: processes)
    with pytest.raises(SystemExit) as left:
        run(main, [])
    assert left.value.code == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f": error: {words}")
