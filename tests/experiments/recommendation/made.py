"""Recommendations made by hand."""

import numpy as np

from obsvae.data.inspection.look import Look
from obsvae.experiments.recommendation.question import Candidate, Question, Refusal
from obsvae.experiments.recommendation.results import Answer, Contender, Recommendation
from obsvae.inference import Curve, Difference, Misfit

BEHIND = Difference(-1.2, 0.1)


def look(name="income", **changes):
    said = {
        "name": name,
        "features": 1,
        "present": 270,
        "missing": 30,
        "distinct": 250,
        "low": 0.5,
        "high": 812.25,
        "is_whole": False,
        "step": None,
        "phase": None,
        "share_zero": 0.0,
        "share_one": 0.0,
        "share_low": 0.004,
        "share_high": 0.004,
        "mean": 30.5,
        "variance": 1200.0,
        "skew": 4.2,
        "tail": 5.5,
        "dispersion": None,
        "heaped": None,
        "period": None,
        "levels": None,
        "scales": 1.0,
    }
    return Look(**{**said, **changes})


def candidate(name, complexity=1, is_habit=None, reason="positive and skewed"):
    return Candidate(name, reason, "g", complexity, name == "normal" if is_habit is None else is_habit)


def curves(best=-3.0, seeds=2, epochs=20, rate=3.0, seconds=0.2):
    steps = np.arange(1, epochs + 1)
    return tuple(Curve(seconds * steps, best + 0.01 * seed - 2 * np.exp(-steps / rate)) for seed in range(seeds))


def contender(name, mean=0.0, error=0.04, *, final=None, choosing=None, **more):
    """Return a confirmed contender, with the same difference on both kinds of rows unless said otherwise."""
    found = Difference(mean, 0.0 if mean == 0 else error)
    said = {
        "screened": Difference(mean / 2, error),
        "difference": found if choosing is None else choosing,
        "final": found if final is None else final,
        "nats": -3.0 + mean,
        "curves": curves(-3.0 + mean),
        "seconds": 4.0,
        "seeds": 2,
    }
    of = {key: more.pop(key) for key in ("complexity", "is_habit", "reason") if key in more}
    return Contender(candidate(name, **of), **{**said, **more})


def dropped(name, why="screened: 1.2 nats behind the best marginal", screened=BEHIND, **of):
    return Contender(candidate(name, **of), screened=screened, dropped=why)


def answer(name="income", contenders=(), winner="log-normal", tied=None, refused=(), grid=None, **more):
    shown = more.pop("look", look(name))
    question = Question(name, shown, tuple(one.candidate for one in contenders), tuple(refused), grid)
    return Answer(question, tuple(contenders), winner, (winner,) if tied is None else tied, **more)


def clear(name="income", **more):
    """Return an answer with a winner, ahead of another family and of squared error."""
    found = [contender("log-normal"), contender("gamma", -0.31), contender("normal", -2.1, 0.1)]
    refused = [Refusal("bernoulli", "needs x to be 0 or 1, but x holds 812.25")]
    return answer(name, found, refused=refused, **{"gain": Difference(0.4, 0.05), **more})


def tied(name="income"):
    """Return an answer in which three cannot be told apart."""
    best = contender("gamma", complexity=2, final=Difference(0.03, 0.04))
    found = [best, contender("log-normal", -0.02, final=Difference(0.01, 0.04))]
    found += [contender("normal", -0.03, final=Difference(0.0, 0.0)), contender("laplace", -0.8, 0.05)]
    return answer(name, [*found, dropped("student-t")], winner="normal", tied=("normal", "log-normal", "gamma"))


def whole(*answers, observation="by-column:{...}", **more):
    said = {
        "data": "people.csv",
        "warnings": ("column 'income': 3 values are -999, probably missing",),
        "rows": {"train": 240, "choose": 30, "final": 30},
        "networks": {"latent": 4, "hidden": [32, 32]},
        "training": {"batch_size": 50, "lr": 0.001, "epochs": 200, "patience": 10},
        "seeds": 2,
        "seconds": 93.4,
    }
    return Recommendation(answers=answers, observation=observation, **{**said, **more})


MISFITS = (
    Misfit("48.7 % of the values are exactly 0, the model gives that no mass", 0.487),
    Misfit("6.0 % of rows lie beyond the 0.1 % quantile", 0.06),
)
