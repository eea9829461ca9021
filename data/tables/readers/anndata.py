"""Tables of cells and genes in AnnData files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from obsvae.data.free_memory import available_memory
from obsvae.data.tables.names import require_column_names
from obsvae.data.tables.raw import RawColumn, RawTable
from obsvae.errors import UsageError

if TYPE_CHECKING:
    import h5py

_REMEDY = "make them distinct with adata.var_names_make_unique()"


def read_h5ad(path: Path, layer: str | None = None) -> RawTable:
    """Return X of an AnnData file, or a layer, as a dense table: cells in rows, genes in columns.

    Nothing else of the file is read.

    Args:
        path: of the file.
        layer: which layer to take; None: X.

    Raises UsageError for a table that would not fit into memory.
    """
    source = repr(str(path))
    try:
        import h5py
        from anndata.io import read_elem
    except ImportError as error:
        raise UsageError(
            f"reading {source} needs anndata, which is not installed: pip install 'obsvae[anndata]', or save it as CSV "
            "by adata.to_df()"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            cells, genes = (read_elem(file[axis]).index.astype(str).tolist() for axis in ("obs", "var"))
            place = _place(file, layer, source)
            require_column_names(genes, source, _REMEDY)
            require_dense(len(cells), len(genes), source, available_memory())
            matrix = read_elem(file[place])
    except UsageError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, MemoryError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise UsageError(
            f"cannot read {source} as AnnData ({type(error).__name__}: {why}): save it anew with adata.write_h5ad(path)"
        ) from error
    return _table(matrix, cells, genes, source)


def require_dense(rows: int, columns: int, source: str, available: float) -> None:
    """Raise UsageError where a dense table in float64 takes more than the available memory, in bytes."""
    needed = 8 * rows * columns
    if needed > available:
        raise UsageError(
            f"{source}: needs {needed / 1e9:.1f} GB in memory, as a dense table of {rows} rows and {columns} columns, "
            f"but {available / 1e9:.1f} GB are free: keep fewer columns, such as the most variable genes"
        )


def _place(file: "h5py.File", layer: str | None, source: str) -> str:
    layers = list(file.get("layers", []))
    if layer is not None and layer not in layers:
        raise UsageError(f"{source}: has no layer {layer!r}; its layers are {layers or 'none'}: leave it out, for X")
    if layer is None and "X" not in file:
        raise UsageError(f"{source}: has no X; its layers are {layers or 'none'}: pass layer=...")
    return "X" if layer is None else f"layers/{layer}"


def _table(matrix: Any, cells: list[str], genes: list[str], source: str) -> RawTable:
    dense = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
    if dense.dtype.kind not in "biuf" or dense.shape != (len(cells), len(genes)):
        raise UsageError(
            f"{source}: needs real numbers, ({len(cells)}, {len(genes)}); got {dense.dtype}, {dense.shape}: check how "
            "it was made"
        )
    if not len(cells):
        raise UsageError(f"{source}: needs at least one row; it has none: check how it was made")
    numbers = dense.astype(np.float64, order="F")  # columns lie together
    is_whole = dense.dtype.kind != "f"
    return RawTable(source, {gene: RawColumn(numbers[:, i], is_whole) for i, gene in enumerate(genes)}, tuple(cells))
