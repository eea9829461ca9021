"""What each column of a table is: as declared, and else as its values speak."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from obsvae.data.columns import Column, Kind
from obsvae.data.grid import Grid
from obsvae.data.tables.guessing.hivae import declared_choice, declared_levels
from obsvae.data.tables.guessing.levels import levels_of
from obsvae.data.tables.guessing.rules import (
    Choice,
    are_codes,
    are_numbers,
    empty,
    for_levels,
    for_numbers,
    for_texts,
    identifier,
)
from obsvae.data.tables.guessing.seen import Seen, see
from obsvae.data.tables.parsed import Parsed, parse
from obsvae.data.tables.raw import HiVaeType, RawColumn, RawTable
from obsvae.data.tables.schemas.complete import complete, make_column
from obsvae.data.tables.schemas.families import kind_of
from obsvae.data.tables.schemas.schema import ColumnSchema, Schema

MANY_COUNTS = 20  # columns of counts that make a table of counts, where 0 and 1 are counts too
_NOTHING = ColumnSchema()


@dataclass(frozen=True, eq=False)
class Guess:
    """What a column is.

    Args:
        name: of the column.
        schema: all that a schema can say of it.
        reason: why it is that, in a few words.
        seen: what it looks like.
        values: its values.
        column: as a model sees it; None unless it is observed.
        is_declared: whether the user has said its family, its levels or its role.

    """

    name: str
    schema: ColumnSchema
    reason: str
    seen: Seen
    values: Parsed
    column: Column | None
    is_declared: bool


def guess_table(table: RawTable, schema: Schema) -> tuple[Guess, ...]:
    """Return what each column is, in the order of the table.

    Args:
        table: as its source holds it.
        schema: what is declared; of other columns the values tell.

    Raises UsageError for a schema that contradicts itself, or speaks of a column that the table lacks.
    """
    schema.require_columns(table.columns, table.source)
    declared = table.declared or {}
    guesses = [
        _guess(name, column, parse(column, schema.missing), schema, declared.get(name))
        for name, column in table.columns.items()
    ]
    return tuple(_in_a_table_of_counts(guesses))


def family_counts(guesses: Sequence[Guess]) -> dict[str, int]:
    """Return how many columns each family has, and how many are ignored, the most frequent first."""
    texts = [guess.column.observation if guess.column else guess.schema.role or "" for guess in guesses]
    return dict(Counter(texts).most_common())


def _guess(name: str, raw: RawColumn, values: Parsed, schema: Schema, hivae: HiVaeType | None) -> Guess:
    said, seen = schema.columns.get(name, _NOTHING), see(values)
    if said.role in ("condition", "offset", "label", "split", "ignore"):
        levels = said.levels or raw.levels or levels_of(values) if said.role == "label" else None
        if said.role == "condition":
            levels = said.levels or raw.levels or (None if are_numbers(values) else levels_of(values))
        return Guess(name, replace(said, levels=levels), f"declared as {said.role}", seen, values, None, True)
    where = f"{schema.source}, column {name!r}"
    # For the source's own levels and HI-VAE's types, the user's word counts all the same.
    levels = said.levels or raw.levels or (None if hivae is None else declared_levels(hivae, values))
    choice = _declared(said, values, seen) or _from_source(name, raw, values, seen, hivae, levels, said)
    is_declared = said.observation is not None or said.levels is not None or said.role is not None
    if choice.kind is None:
        return Guess(name, replace(said, role="ignore"), choice.reason, seen, values, None, is_declared)
    made = make_column(name, choice.kind, choice.observation, replace(said, levels=levels), values, where)
    return Guess(name, complete(made), choice.reason, seen, values, made, is_declared)


def _declared(said: ColumnSchema, values: Parsed, seen: Seen) -> Choice | None:
    """Return the family that the user has declared, or None."""
    if said.observation is not None:
        kind = kind_of(said.observation)
        if kind is None:  # a family of the user's own
            numeric = said.levels is None and are_numbers(values) and seen.present
            kind = for_numbers(values, seen, said.bounds).kind if numeric else Kind.CATEGORY
        return Choice(kind, said.observation, "declared")
    return None if said.levels is None else for_levels(said.levels, "its levels are declared")


def _from_source(
    name: str,
    raw: RawColumn,
    values: Parsed,
    seen: Seen,
    hivae: HiVaeType | None,
    levels: tuple[str, ...] | None,
    said: ColumnSchema,
) -> Choice:
    """Return the family of a column that the user has not declared."""
    must = said.role == "observe" and seen.present > 0
    nothing = None if must else empty(seen)
    if nothing is not None:
        return nothing
    if hivae is not None:
        return declared_choice(hivae, values, levels)
    if levels is not None:
        if raw.is_ordered and len(levels) > 2:
            return Choice(Kind.ORDINAL, "ordinal", "levels with an order in the source")
        return for_levels(levels, "levels in the source")
    spoken_of = must or said.bounds is not None or said.grid is not None
    if are_numbers(values) and (spoken_of or not are_codes(values)):
        return (None if spoken_of else identifier(name, values, seen)) or for_numbers(values, seen, said.bounds)
    return (None if must else for_texts(values, seen)) or for_levels(levels_of(values))


def _in_a_table_of_counts(guesses: list[Guess]) -> list[Guess]:
    """Take more columns for counts where others are: genes or words, of which some are rare and some are frequent.

    With many counts 0 and 1 are counts too, as another row may have a 2; where most columns are counts, so are whole
    numbers that would be large for one alone.
    """
    counts = sum(g.column is not None and g.column.kind is Kind.COUNT for g in guesses)
    if counts < max(MANY_COUNTS, len(guesses) // 10):
        return guesses
    kinds = (Kind.BINARY, Kind.POSITIVE) if counts > len(guesses) / 2 else (Kind.BINARY,)
    return [_as_count(guess) if _may_count(guess, kinds) else guess for guess in guesses]


def _may_count(guess: Guess, kinds: Sequence[Kind]) -> bool:
    if guess.is_declared or guess.column is None or guess.column.kind not in kinds or guess.values.wrong.any():
        return False
    # Levels of the source and HI-VAE's types are somebody's word.
    is_guessed = guess.reason.startswith(("two distinct values", "whole numbers"))
    return is_guessed and guess.values.is_whole and (guess.column.kind is Kind.POSITIVE or guess.seen.low == 0)


def _as_count(guess: Guess) -> Guess:
    made = Column(guess.name, Kind.COUNT, "negative-binomial", grid=Grid(0.0, 1.0, None), is_whole=True)
    return replace(guess, column=made, schema=complete(made), reason="whole numbers in a table of counts")
