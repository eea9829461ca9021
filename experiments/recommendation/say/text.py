"""A recommendation as text: as it is printed, and as Markdown."""

import re
from collections.abc import Sequence

from tabulate import tabulate

from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.say.looks import look_words
from obsvae.experiments.recommendation.say.tables import Lines, contenders, escaped, narrow, overview, refused
from obsvae.experiments.recommendation.say.whole import FEW, sentences
from obsvae.experiments.verdicts.words import capital, counted, number

# What Markdown would take for more than itself within a line.
_MARKS = re.compile(r"([\\|<*`\[\]$])")
_CELL = 48  # letters of a cell that is printed


def printed(recommendation: Recommendation) -> str:
    """Return what is printed: warnings, what to take, and a line for each column, or for each contender of one."""
    answers = recommendation.answers
    lines = narrow(contenders(answers[0])) if len(answers) == 1 else overview(answers)
    parts = [
        *(f"warning: {_plain(text)}" for text in recommendation.warnings),
        "",
        *map(_plain, sentences(recommendation)),
        "",
        _table(escaped(lines, _cut), "simple"),
    ]
    if len(answers) == 1:
        parts += ["", *remarks(answers[0])]
    elif len(answers) <= FEW:
        parts += ["", *(_plain(f"{one.question.name}: {line}") for one in answers for line in _against(one))]
    return "\n".join(parts).strip()


def markdown(recommendation: Recommendation, command: str) -> str:
    """Return the recommendation as Markdown, with a section for each question.

    Args:
        recommendation: what to tell.
        command: that trains what it recommends.
    """
    answers = recommendation.answers
    parts = [f"# Which observation do {_mark(recommendation.data)} want?"]
    if recommendation.warnings:
        parts.append("\n".join(f"- **Warning:** {_mark(text)}" for text in recommendation.warnings))
    parts.append("\n".join(f"- {_mark(text)}" for text in sentences(recommendation)))
    parts.append(f"To train it:\n\n```\n{command}\n```")
    parts.append(_mark(how(recommendation)))
    if len(answers) > 1:
        parts += ["## Columns", _table(escaped(overview(answers), _mark), "github")]
    for answer in answers:
        parts += _section(answer)
    return "\n\n".join(part for part in parts if part) + "\n"


def how(recommendation: Recommendation) -> str:
    """Return in a sentence what was trained and scored."""
    rows = ", ".join(f"{use} {count}" for use, count in recommendation.rows.items())
    networks = ", ".join(f"{_words(key)} {_setting(value)}" for key, value in recommendation.networks.items())
    training = ", ".join(f"{_words(key)} {_setting(value)}" for key, value in recommendation.training.items() if value)
    parts = [
        f"rows: {rows}" if rows else "",
        f"networks: {networks}" if networks else "",
        f"training: {training}" if training else "",
        counted(recommendation.seeds, "seed") if recommendation.seeds else "",
        f"{number(recommendation.seconds)} s in all" if recommendation.seconds else "",
    ]
    said = "; ".join(part for part in parts if part)
    return f"{capital(said)}." if said else ""


def _words(key: str) -> str:
    return key.replace("_", " ")


def _setting(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def _section(answer: Answer) -> list[str]:
    said = say(answer)
    name = answer.question.name
    parts = [f"## {_mark(name)}", f"{_mark(capital(said.sentence))}."] if name else ["## Candidates"]
    parts += ["\n".join(f"- {_mark(line)}" for line in remarks(answer))]
    parts.append(_mark(f"{look_words(answer.question)}."))
    parts.append(_table(escaped(contenders(answer), _mark), "github"))
    if lines := refused(answer):
        parts += ["Refused:", _table(escaped(lines, _mark), "github")]
    return parts


def remarks(answer: Answer) -> list[str]:
    """Return what there is to say of an answer beyond its sentence, a line each."""
    said = say(answer)
    lines = [*said.habits, said.learning, capital(said.gain), *_against(answer)]
    return [_plain(line) for line in lines if line]


def _against(answer: Answer) -> list[str]:
    """Return what remains to be said against an answer."""
    said = say(answer)
    missed = [f"Even so, {answer.winner} misses: {text}" for text in said.misfits]
    return [*missed, *(f"In doubt: {text}" for text in said.doubts)]


def _table(lines: Lines, form: str) -> str:
    return tabulate(lines, "keys", form, disable_numparse=True) if lines else ""


def _cut(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= _CELL else f"{plain[: _CELL - 1]}…"


def _mark(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    return _MARKS.sub(r"\\\1", _plain(text)).replace("&", "&amp;")


def _plain(text: str) -> str:
    """Return a text in one line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
