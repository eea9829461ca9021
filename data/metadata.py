"""Labels of rows and names of features, as the caller gives them."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from obsvae.data.memory import Values, vector
from obsvae.errors import UsageError


def checked_labels(labels: Values, N: int) -> np.ndarray:
    """Return labels as int64 (N,), a copy.

    Raises UsageError for another shape, and for labels that are no integers.
    """
    given = vector(labels, "labels")
    if given.shape != (N,):
        raise UsageError(f"labels need shape ({N},), one for each row; got shape {given.shape}")
    if given.dtype.kind not in "biu":
        raise UsageError(
            f"labels need integers; got dtype {given.dtype}: encode them, "
            "for example as np.unique(labels, return_inverse=True)[1]"
        )
    if given.max() > np.iinfo(np.int64).max:
        raise UsageError(f"labels need integers below 2**63; the largest is {given.max()}: number them anew")
    return given.astype(np.int64)


def checked_names(names: Sequence[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return feature names as a tuple of D texts; whole numbers, the columns of an unnamed data frame, become texts.

    Args:
        names: D distinct names.
        shape: of the data, (N, D).

    Raises UsageError for data that are no vectors, another number of names, and names that repeat.
    """
    if len(shape) != 2:
        raise UsageError(f"names need vectors, shape (rows, features); got shape {shape}: load without names")
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError(f"names need a list of texts; got {names!r}")
    texts = tuple(_text(name) for name in names)
    if len(texts) != shape[1]:
        raise UsageError(f"names need {shape[1]} texts, one for each feature; got {len(texts)}")
    name, times = Counter(texts).most_common(1)[0]
    if times > 1:
        raise UsageError(f"names need to be distinct; {name!r} is the name of {times} features: rename them")
    return texts


def _text(name: object) -> str:
    if not isinstance(name, str | int | np.integer):
        raise UsageError(f"names need to be texts; got {name!r}: pass [str(name) for name in names]")
    return str(name)
