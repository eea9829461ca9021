"""Which candidates are worth a network: by held-out scores without a latent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.recommendation.candidates import OUTPUT, PARAMETER, on_their_grids
from obsvae.experiments.recommendation.listing.proposal import BELL, LAPLACE, MODES, STUDENT_T, TRANSFORMED, from_z
from obsvae.experiments.recommendation.question import Candidate, Question
from obsvae.experiments.recommendation.screening.sample import sample
from obsvae.experiments.recommendation.screening.score import Scores, scores
from obsvae.experiments.verdicts.words import measured
from obsvae.inference import Difference
from obsvae.inference.ranking import paired_difference

# Candidates beside the habits that go on: of a column, of one with few rows, which tell less and are trained on faster,
# and of an array.
OF_COLUMN, OF_FEW, OF_ARRAY = 3, 4, 4
FEW_ROWS = 1000
# How far behind is hopeless: nats, and standard errors beside them.
_BEHIND, _ERRORS = 0.05, 3.0
# Standard errors by which a member of a group has to be better than the simplest to stand beside it, and by which a
# candidate with more parameters has to be better than one with fewer to go before others.
_BETTER, _WORTH = 2.0, 0.5
# What one level of complexity is: a learned parameter.
_LEVEL = 100
# What makes of a family the same with a spread from z.
_FROM_Z = re.compile(r"[:,](scale|concentration|dispersion)=decoder")

# Groups that a spread from z looks like.
_SYMMETRIC = (BELL, LAPLACE, STUDENT_T, TRANSFORMED, MODES, from_z("normal"), from_z("logistic"))


@dataclass(frozen=True)
class Screening:
    """What was found of a candidate without a latent.

    Attributes:
        candidate: which.
        marginal: held-out score by itself against the best one's, nats per datum; None where it could not be fitted.
        given_others: the same where outputs are linear in what the other features say, in which no mixture and no
            heavy tail stands for what these explain.
        dropped: why it goes no further; empty for one that does.
    """

    candidate: Candidate
    marginal: Difference | None
    given_others: Difference | None
    dropped: str = ""


def screen(question: Question, data: Dataset, *, seed: int = 0, most: int | None = None) -> dict[str, Screening]:
    """Score the candidates of a question without a latent and without a network, and say which of them go on.

    Each is fitted to rows that train, and scored on rows that validate, by masses on the question's grid. By itself a
    mixture or a heavy tail takes the place of what z explains. So each is scored a second time with outputs that are
    linear in a few summaries of the other features, and whoever gains by them as a latent would let it gain is taken
    to gain as much again. Dropped is what is hopeless even so, what a simpler member of its group says as well, and
    beyond a number of candidates those that fewer parameters do as well. Habits always go on; a mixture does beside
    that number, where it is clearly better even so.

    Args:
        question: with candidates.
        data: of which the question is one.
        seed: of the rows that are drawn.
        most: candidates beside habits that go on; None: 3 of a column of many rows, 4 of others.

    Returns:
        What was found of each, by its text, those that go on first.
    """
    of = sample(on_their_grids(data, [question]), question.name, seed)
    found = {one.observation: scores(one.observation, of, seed) for one in question.candidates}
    ranked = _Ranking(question, {text: one for text, one in found.items() if isinstance(one, Scores)})
    if most is None:
        most = OF_ARRAY if data.columns is None else OF_FEW if len(data.train) < FEW_ROWS else OF_COLUMN
    dropped = {text: f"screened: {why}" for text, why in found.items() if isinstance(why, str)}
    dropped |= ranked.dropped(most)
    screened = {
        one.observation: Screening(one, *ranked.differences(one.observation), dropped=dropped.get(one.observation, ""))
        for one in question.candidates
    }
    return dict(sorted(screened.items(), key=lambda item: bool(item[1].dropped)))


class _Ranking:
    """The candidates that could be fitted, and how they compare.

    Args:
        question: whose they are.
        found: scores by text.
    """

    def __init__(self, question: Question, found: Mapping[str, Scores]) -> None:
        self.found = found
        self.candidates = {one.observation: one for one in question.candidates if one.observation in found}
        self.best = self._best(found)

    def differences(self, text: str) -> tuple[Difference | None, Difference | None]:
        """Return how far a candidate is behind the best by itself, and behind the best given the others."""
        if text not in self.found:
            return None, None
        best = max((one.marginal for one in self.found.values()), key=np.mean)
        return paired_difference(self.found[text].marginal, best), self.behind(text, self.best)

    def behind(self, text: str, other: str) -> Difference:
        """Return the score of a candidate less that of another, given the other features."""
        return paired_difference(self.found[text].given_others, self.found[other].given_others)

    def hoped(self, text: str, other: str, share: float = 1.0) -> float:
        """Return the difference to another, and a share more of what the other features have added to it."""
        gain, of_other = (float((of.given_others - of.marginal).mean()) for of in (self.found[text], self.found[other]))
        return self.behind(text, other).mean + share * max(0.0, gain - of_other)

    def dropped(self, most: int) -> dict[str, str]:
        """Return why candidates go no further, by text."""
        said = dict[str, str]()
        for text in self.candidates:
            why = self._hopeless(text) or self._said_by_group(text)
            if why:
                said[text] = why
        left = [text for text, one in self.candidates.items() if text not in said and not one.is_habit]
        modes = [text for text in left if self.candidates[text].group == MODES]
        order = self._order([text for text in left if text not in modes])
        for text in order[most:]:
            simpler, behind = self._simpler(text), self.behind(text, self.best)
            why = f"{', '.join(order[:most])} go first; {_said(behind)} {self.best}"
            if simpler:
                why = f"{_said(self.behind(text, simpler))} {simpler}, which is simpler"
            said[text] = f"screened: {why}"
        for text in modes:
            best = self._best(one for one in self.candidates if one not in modes)
            better = self.behind(text, best)
            if better.mean <= _BETTER * better.standard_error:
                said[text] = f"screened: {_said(better)} {best}, and of modes a latent explains more"
        return {text: why for text, why in said.items() if not self.candidates[text].is_habit}

    def _order(self, texts: Sequence[str]) -> list[str]:
        """Return candidates in the order in which they go on.

        First comes the best without a parameter of spread, which a latent that no other feature knows of may spread;
        then the best of all. Where that is symmetric a Normal with a spread from z follows: heavy tails may be that.
        Then comes whoever has most to hope from a latent; of others half of that counts; all less what may be chance
        where a simpler one is as good. The simplest of a group comes before the others, and one spread before one from
        z.
        """
        if not texts:
            return []
        candidates, chance = self.candidates, {text: self._chance(text) for text in texts}
        hoped = {text: self.hoped(text, self.best) for text in texts}
        bare = [text for text in texts if candidates[text].complexity < OUTPUT + PARAMETER]
        wanted = [max(bare, key=lambda text: hoped[text] - chance[text])] if bare else []
        wanted.append(max(texts, key=lambda text: self.behind(text, self.best).mean - chance[text]))
        if candidates[self.best].group in _SYMMETRIC:
            wanted += [text for text in texts if candidates[text].group == from_z("normal")]
        wanted.append(max(texts, key=lambda text: hoped[text] - chance[text]))
        wanted += sorted(texts, key=lambda text: chance[text] - self.hoped(text, self.best, 0.5))
        order = list[str]()
        for text in wanted:
            base = _FROM_Z.sub("", text)
            before = self._simplest(candidates.get(base, candidates[text]).group)
            order += [one for one in dict.fromkeys([before, base, text]) if one in hoped and one not in order]
        return order

    def _hopeless(self, text: str) -> str:
        """Return that one with no more parameters is better by more than a latent could make up for; else nothing.

        One with more, such as a mixture, may be better only by what a latent explains.
        """
        level = self._level(text)
        best = self._best(one for one in self.candidates if self._level(one) <= level)
        behind = self.behind(text, best)
        if self.hoped(text, best) + _ERRORS * behind.standard_error >= -_BEHIND:
            return ""
        return f"screened: {_said(behind)} {best}, more than what z could explain makes up for"

    def _said_by_group(self, text: str) -> str:
        """Return that a simpler one of its group says as much; empty where there is none, or it is better than each."""
        group = [one for one, candidate in self.candidates.items() if candidate.group == self.candidates[text].group]
        for simpler in group[: group.index(text)]:
            better = self.behind(text, simpler)
            if better.mean <= _BETTER * better.standard_error:
                return f"screened: says nearly what {simpler} says, {_said(better)} it"
        return ""

    def _simpler(self, text: str) -> str:
        """Return the best of the candidates with fewer parameters if it is about as good; else nothing."""
        fewer = [one for one in self.candidates if self._level(one) < self._level(text)]
        if not fewer:
            return ""
        best = self._best(fewer)
        better = self.behind(text, best)
        return "" if better.mean > _WORTH * better.standard_error else best

    def _simplest(self, group: str) -> str:
        return next(text for text, one in self.candidates.items() if one.group == group)

    def _chance(self, text: str) -> float:
        """Return what a candidate may be better by chance where a simpler one is about as good; else 0."""
        simpler = self._simpler(text)
        return _WORTH * self.behind(text, simpler).standard_error if simpler else 0.0

    def _best(self, texts: Iterable[str]) -> str:
        return max(texts, key=lambda text: float(self.found[text].given_others.mean()), default="")

    def _level(self, text: str) -> int:
        return self.candidates[text].complexity // _LEVEL


def _said(difference: Difference) -> str:
    """Return a difference in words, before the name of what it is to."""
    where, sign = ("ahead of", 1) if difference.mean > 0 else ("behind", -1)
    return f"{measured(difference, sign)} nats {where}"
