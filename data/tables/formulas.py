"""Texts in delimited files that a spreadsheet would take for formulas."""

import re

from obsvae.data.tables.numerals import as_number

# What spreadsheets begin a formula with, wide forms included, and what they skip before it; one sign alone is none.
_FORMULA = re.compile(r"'*(?:[\t\r\n]|[=+\-@＝＋－＠].)", re.DOTALL)


def escaped(text: str) -> str:
    """Return a name or a level as a delimited file holds it: with an apostrophe before what looks like a formula.

    A spreadsheet shows such a text and runs nothing. A number stays as it is.
    """
    return f"'{text}" if _FORMULA.match(text) and as_number(text) is None else text


def unescaped(field: str) -> str:
    """Return the text of which :func:`escaped` made a field."""
    return field[1:] if field.startswith("'") and escaped(field[1:]) == field else field
