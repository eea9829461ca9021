"""Names of columns, as a source has them."""

from collections import Counter
from collections.abc import Sequence

from obsvae.errors import UsageError

RENAMED = "give each column a name of its own"


def require_column_names(names: Sequence[str], source: str, remedy: str = RENAMED) -> None:
    """Raise UsageError where there are no columns, one has no name, or two have the same.

    Args:
        names: of all columns.
        source: what to call the table.
        remedy: what to do about names that repeat.

    """
    if not names:
        raise UsageError(f"{source}: needs at least one column; it has none: check how it was made")
    for i, name in enumerate(names):
        if not name.strip():
            index = ", or leave it out, if it is the index of a data frame (index=False, in R row.names = FALSE)"
            raise UsageError(
                f"{source}: needs a name for each column; column {i} (counted from 0) has none: name it"
                f"{index if i == 0 else ''}"
            )
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        first, second = [i for i, name in enumerate(names) if name == repeated[0]][:2]
        more = f", and {len(repeated) - 1} more names repeat" if len(repeated) > 1 else ""
        raise UsageError(
            f"{source}: needs distinct names of columns; {repeated[0]!r} names columns {first} and {second} "
            f"(counted from 0){more}: {remedy}"
        )
