"""Processes add up, agree, and hear of each other's ends."""

import os
import signal

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference.processes.alone import ALONE, Processes, ProcessesParted
from obsvae.inference.processes.joining import join
from tests.inference.processes.together import together


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
def test_the_parts_are_all_rows_in_order(n, size):
    parts = [range(n)[Processes(rank, size).part(n)] for rank in range(size)]
    assert [row for part in parts for row in part] == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_without_others_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    join.cache_clear()
    assert join() is ALONE
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("RANK", "0")
    join.cache_clear()
    assert join() is ALONE


def values(processes):
    total = processes.sum(torch.tensor([1.0, 10.0 * processes.rank]))
    tensors = [torch.tensor([processes.rank, 7]), torch.tensor(processes.is_first)]
    processes.spread(tensors)
    with processes.in_turn():
        pass
    return total.tolist(), processes.gather(processes.rank), [tensor.tolist() for tensor in tensors]


def test_they_add_up_gather_and_take_what_the_first_has(tmp_path):
    assert together(3, values, tmp_path) == [([3.0, 30.0], [0, 1, 2], [[0, 7], True])] * 3


class Halt(Exception):  # noqa: N818 - as StopTraining
    pass


def lead(processes, is_interrupted):
    done = []
    processes.lead(lambda: done.append(processes.rank))
    if is_interrupted:
        with processes.deferring_interrupts():
            if processes.rank == 1:
                os.kill(os.getpid(), signal.SIGINT)
            try:
                processes.lead(lambda: None)
            except KeyboardInterrupt:
                done.append("interrupted")
        return done

    def halt():
        raise Halt

    try:
        processes.lead(halt, Halt)
    except Halt:
        done.append("halted")
    return done


@pytest.mark.parametrize(("is_interrupted", "end"), [(False, "halted"), (True, "interrupted")])
def test_where_one_ends_in_order_all_do(is_interrupted, end, tmp_path):
    assert together(2, lead, tmp_path, is_interrupted) == [[0, end], [end]]


def same(processes):
    processes.require_same("options", {"lr": 1.0, "seed": processes.rank})


def test_what_differs_is_refused(tmp_path):
    for error in together(2, same, tmp_path):
        assert isinstance(error, UsageError)
        assert "seed is 0 in process 0 and 1 in process 1" in str(error)


def die(processes):
    if processes.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    processes.gather(0)


def test_the_death_of_one_is_heard_by_the_others(tmp_path):
    found = together(2, die, tmp_path)
    assert found[1] is None
    assert isinstance(found[0], ProcessesParted)
    assert "another process has ended" in str(found[0])


def claim(processes):
    return processes.gather(processes.claim())


def test_one_process_tells_of_the_end(tmp_path):
    found = together(3, claim, tmp_path)
    assert sorted(found[0]) == [False, False, True]
