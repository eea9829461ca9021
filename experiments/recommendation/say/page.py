"""The page of a recommendation: warnings, what to take, why, and the figures; it needs no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.recommendation.say.answers import confirmed, difference_of, say
from obsvae.experiments.recommendation.say.looks import look_words
from obsvae.experiments.recommendation.say.pictures import learning, marginals, pictures, ranking
from obsvae.experiments.recommendation.say.tables import Lines, contenders, overview, refused
from obsvae.experiments.recommendation.say.text import how, remarks
from obsvae.experiments.recommendation.say.whole import sentences
from obsvae.experiments.reporting.page import Picture, Table, picture, rendered
from obsvae.experiments.verdicts.words import capital

_TEMPLATE = Path(__file__).with_name("recommendation.html.jinja")
# Questions whose ranking and learning are drawn; of more the page would grow too large.
DRAWN = 24


@dataclass(frozen=True)
class Section:
    """What the page says of one question, which needs no name where it is the only one."""

    id: str
    name: str
    take: str
    sentence: str
    remarks: Sequence[str]
    look: str
    content: Sequence[Picture | Table]
    refused: Table | None


def page(
    recommendation: Recommendation, data: Dataset, draws: Mapping[str, np.ndarray], command: str, schema: str | None
) -> str:
    """Return the page.

    Args:
        recommendation: what to tell.
        data: which it is about.
        draws: by the name of the question, from its winner, of any shape, in data units.
        command: that trains what is recommended.
        schema: of a table, with what is recommended; None for an array.
    """
    answers = recommendation.answers
    drawn = _most_at_stake(answers)
    return rendered(
        _TEMPLATE,
        title=f"Which observation do {recommendation.data} want?",
        subtitle=how(recommendation),
        warnings=recommendation.warnings,
        sentences=sentences(recommendation),
        command=command,
        schema=schema,
        overview=_table("", overview(answers)) if len(answers) > 1 else None,
        beside=_beside(answers, data, draws),
        left_out=len(answers) - len(drawn),
        drawn=DRAWN,
        sections=[_section(i, answer, i in drawn, len(answers) > 1) for i, answer in enumerate(answers)],
    )


def _most_at_stake(answers: Sequence[Answer]) -> set[int]:
    """Return the places of the answers whose choice is worth most."""
    worst = [[found for one in confirmed(answer) if (found := difference_of(one)) is not None] for answer in answers]
    stakes = [max((-difference.mean for difference in found), default=0.0) for found in worst]
    return set(sorted(range(len(answers)), key=lambda i: -stakes[i])[:DRAWN])


def _beside(answers: Sequence[Answer], data: Dataset, draws: Mapping[str, np.ndarray]) -> list[Picture]:
    caption = (
        "Held-out values, and draws from the winner with z from the prior; the bars are where 95 % of right ones are."
    )
    found = [
        picture(figure, "Data beside draws from the winners", caption) for figure in marginals(answers, data, draws)
    ]
    if (figure := pictures(data, draws)) is not None:
        found.append(
            picture(figure, "Images beside draws from the winner", "Held-out data above draws from the winner.")
        )
    return found


def _section(number: int, answer: Answer, is_drawn: bool, is_named: bool) -> Section:
    said, content = say(answer), list[Picture | Table]()
    content.append(_table("", contenders(answer)))
    if is_drawn:
        if (figure := ranking(answer)) is not None:
            content.append(picture(figure, "Ranking", "Paired differences, with two standard errors."))
        if (figure := learning(answer)) is not None:
            content.append(picture(figure, "Learning", "Validation scores of each candidate on the common scale."))
    return Section(
        f"question-{number}",
        answer.question.name if is_named else "",
        answer.winner,
        f"{capital(said.sentence)}.",
        remarks(answer),
        f"{look_words(answer.question)}.",
        content,
        _table("", refused(answer)) if answer.question.refused else None,
    )


def _table(title: str, lines: Lines) -> Table:
    columns = list(lines[0]) if lines else []
    return Table(title, columns, [[line[key] for key in columns] for line in lines], "words")
