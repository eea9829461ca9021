"""Interrupts are kept until the end of a work, and end no other one."""

import os
import signal

import pytest

from obsvae.inference.processes.interrupts import Interrupts


@pytest.fixture(autouse=True)
def handled():
    """Let interrupts come as in the foreground: shells have programs in the background ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(interrupts, end=None):
    """Do a work in which an interrupt comes, and which ends by an error where one is given."""
    with interrupts.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.count == 1
        if end is not None:
            raise end


def test_an_interrupt_that_nobody_has_ended_by_comes_at_last():
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt):
        interrupted(interrupts)
    assert interrupts.count == 0


def test_an_interrupt_within_another_that_keeps_it_comes_at_the_end_of_that_one():
    outer, inner, reached = Interrupts(), Interrupts(), []

    def within():
        with outer.deferred():
            interrupted(inner)
            reached.append(outer.count)

    with pytest.raises(KeyboardInterrupt):
        within()
    assert reached == [1]
    assert inner.count == outer.count == 0


@pytest.mark.parametrize("end", [ZeroDivisionError, SystemExit])
def test_an_interrupt_of_a_work_that_failed_does_not_end_the_next_one(end):
    interrupts, before = Interrupts(), signal.getsignal(signal.SIGINT)
    with pytest.raises(end):
        interrupted(interrupts, end)
    assert interrupts.count == 0
    assert signal.getsignal(signal.SIGINT) is before
    with interrupts.deferred():
        pass
