"""What the values of a question look like, in words."""

from obsvae.experiments.recommendation.question import Question
from obsvae.experiments.verdicts.looks import in_words


def look_words(question: Question) -> str:
    """Return what the values look like in a line, and on which measure the candidates are ranked."""
    return f"{in_words(question.look)}; ranked by {measure_words(question)}"


def measure_words(question: Question) -> str:
    """Return what the candidates are ranked by."""
    if question.look.levels is not None:
        return "probability of the level"
    return "density in data units" if question.grid is None else f"mass of grid cells of {question.grid.step:g}"
