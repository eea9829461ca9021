"""Tables in Parquet files."""

from pathlib import Path
from typing import Any

from obsvae.data.tables.raw import RawTable
from obsvae.errors import UsageError


def read_parquet(path: Path) -> RawTable:
    """Return the table of a Parquet file, its rows named by the index that pandas has saved with it, if any."""
    from obsvae.data.tables.readers.frames import joined, table_of  # loads narwhals, which other files do without

    source = repr(str(path))
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            f"reading {source} needs pyarrow, which is not installed: pip install 'obsvae[parquet]', or save it as CSV"
        ) from error
    try:
        with path.open("rb") as file:
            table = parquet.ParquetFile(file).read()
    except (pyarrow.ArrowException, OSError, MemoryError) as error:
        why = " ".join(str(error).split())
        raise UsageError(f"cannot read {source} as Parquet ({type(error).__name__}: {why}): save it anew") from error
    # pandas writes a plain numbering of rows as a description, and any other index as columns.
    saved: list[Any] = (table.schema.pandas_metadata or {}).get("index_columns", [])
    index = [name for name in saved if isinstance(name, str) and name in table.column_names]
    if not index:
        return table_of(table, source)
    row_names = joined([table[name].to_pylist() for name in index])
    return table_of(table.drop_columns(index), source, row_names)
