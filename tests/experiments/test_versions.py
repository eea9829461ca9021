"""Workers of a scheduler need what this process has."""

from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from obsvae.errors import UsageError
from obsvae.experiments.jobs.workers import Workers


class Scheduler:
    """A client of a scheduler that is none: what each worker answers to what it is asked, by a function."""

    def __init__(self, **workers):
        self.workers, self.asked = workers, []
        self.scheduler = SimpleNamespace(identity=None)

    def sync(self, identity):
        return {"workers": {name: {"status": "running"} for name in self.workers}}

    def run(self, ask, workers, on_error):
        self.asked += workers
        return {name: answer for name in workers if (answer := self.workers[name](ask)) is not None}


def same(ask):
    return ask()


def has(package, answer):
    return lambda ask: answer if getattr(ask, "args", None) == (package,) else ask()


def silent(ask):
    return None


def lost(ask):
    return OSError("it did not answer")


@pytest.fixture
def workers():
    found = Workers(None, "tcp://x:1")
    found.client = Scheduler()
    return found


@pytest.mark.parametrize("package", ["obsvae", "torch", "pyro-ppl", "numpy"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [("0.0.1", "a has {0} 0.0.1, but this process has"), (PackageNotFoundError("x"), "a has no {0}; install {0} ")],
)
def test_others_are_refused_at_the_start(package, answer, words, workers):
    workers.client.workers = {"b": same, "a": has(package, answer)}
    with pytest.raises(UsageError, match=words.format(package)):
        workers.present()


def test_another_one_that_comes_later_is_told_of_once_and_left_out(workers, capsys):
    workers.client.workers = {"a": same}
    assert workers.present() == {"a": True}
    workers.client.workers["b"] = has("torch", "0.0.1")
    assert workers.present() == workers.present() == {"a": True}
    told = capsys.readouterr().err
    assert told.count("the worker b has torch 0.0.1, but this process has ") == 1
    assert told.endswith("there; it is left out until then\n")
    assert told.count("\n") == 1
    del workers.client.workers["b"]
    workers.present()
    workers.client.workers["b"] = same
    assert workers.present() == {"a": True, "b": True}


@pytest.mark.parametrize("answer", [silent, lost])
def test_who_does_not_answer_is_left_out_until_it_does(answer, workers, capsys):
    workers.client.workers = {"a": same, "b": answer}
    assert workers.present() == {"a": True}
    workers.client.workers["b"] = same
    workers.client.asked.clear()
    assert workers.present() == {"a": True, "b": True}
    assert set(workers.client.asked) == {"b"}
    assert capsys.readouterr().err == ""
