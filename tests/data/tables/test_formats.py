"""Parquet and AnnData files, and tables of 20,000 columns."""

import math
import re
import sys
import time

import numpy as np
import pandas as pd
import pytest

from obsvae.data.free_memory import available_memory
from obsvae.data.tables.parsed import parse
from obsvae.data.tables.read import read_table
from obsvae.data.tables.readers.anndata import require_dense
from obsvae.errors import UsageError


def refused(path, **kwargs):
    with pytest.raises(UsageError) as caught:
        read_table(path, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("suffix", "package"), [("parquet", "pyarrow"), ("h5ad", "anndata")])
def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch, suffix, package):
    for module in list(sys.modules):
        if module.split(".")[0] == package:
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(b"")
    said = refused(path)
    assert f"needs {package}, which is not installed: pip install 'obsvae[{suffix.replace('h5ad', 'anndata')}]'" in said


class TestParquet:
    @pytest.fixture(autouse=True)
    def needs_pyarrow(self):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")

    @pytest.fixture
    def frame(self):
        return pd.DataFrame(
            {
                "i": pd.array([1, 2**60, None], dtype="Int64"),
                "f": [0.1, math.nan, 2.0],
                "c": pd.Categorical(["a", "b", None], categories=["b", "a"], ordered=True),
                "s": ["é", None, "z"],
            }
        )

    def test_columns_are_those_of_the_frame(self, tmp_path, frame):
        frame.to_parquet(tmp_path / "t.parquet")
        table = read_table(tmp_path / "t.parquet")
        assert table.columns["i"].values.tolist() == ["1", str(2**60), None]
        assert np.array_equal(table.columns["f"].values, [0.1, math.nan, 2.0], equal_nan=True)
        assert table.columns["c"].levels == ("b", "a")
        assert table.columns["c"].is_ordered
        assert table.columns["s"].values.tolist() == ["é", None, "z"]
        assert table.row_names is None

    def test_the_index_that_pandas_saved_names_the_rows(self, tmp_path, frame):
        frame.set_index(pd.Index(["x", "y", "z"], name="id")).to_parquet(tmp_path / "t.parquet")
        table = read_table(tmp_path / "t.parquet")
        assert table.row_names == ("x", "y", "z")
        assert list(table.columns) == ["i", "f", "c", "s"]

    def test_names_that_repeat(self, tmp_path):
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]), tmp_path / "t.parquet")
        assert "t.parquet': needs distinct names of columns; 'a' names" in refused(tmp_path / "t.parquet")

    def test_damaged_files(self, tmp_path, frame):
        path = tmp_path / "t.parquet"
        frame.to_parquet(path)
        whole = path.read_bytes()
        for content in (b"", b"a,b\n1,2\n", whole[:-10], whole[:4] + b"\xff" * 40 + whole[44:]):
            path.write_bytes(content)
            assert re.search(r"cannot read '.*t.parquet' as Parquet \(.*\): save it anew", refused(path))


class TestAnnData:
    @pytest.fixture
    def save(self, tmp_path):
        anndata = pytest.importorskip("anndata", reason="anndata is not installed")
        from scipy import sparse

        def save(names=("g1", "g2", "g3"), x=sparse.csr_matrix):
            X = np.array([[0, 1, 2], [3, 0, 0]])
            cells, genes = pd.DataFrame(index=["c1", "c2"]), pd.DataFrame(index=list(names))
            stored = anndata.AnnData(x(X.astype(np.float32)), obs=cells, var=genes)
            stored.layers["counts"], stored.layers["columns"] = X, sparse.csc_matrix(X * 0.5)
            stored.write_h5ad(tmp_path / "t.h5ad")
            return tmp_path / "t.h5ad"

        return save

    @pytest.mark.parametrize("x", ["csr_matrix", "csc_matrix", "dense"])
    def test_x_dense_or_sparse(self, save, x):
        from scipy import sparse

        table = read_table(save(x=getattr(sparse, x, np.asarray)))
        assert {name: column.values.tolist() for name, column in table.columns.items()} == {
            "g1": [0.0, 3.0],
            "g2": [1.0, 0.0],
            "g3": [2.0, 0.0],
        }
        assert table.row_names == ("c1", "c2")
        assert not table.columns["g1"].is_whole

    def test_layers(self, save):
        path = save()
        counts, halves = read_table(path, layer="counts"), read_table(path, layer="columns")
        assert counts.columns["g1"].values.tolist() == [0.0, 3.0]
        assert counts.columns["g1"].is_whole
        assert halves.columns["g1"].values.tolist() == [0.0, 1.5]
        said = refused(path, layer="count")
        assert "has no layer 'count'; its layers are ['columns', 'counts']" in said

    @pytest.mark.filterwarnings("ignore:Variable names are not unique")
    def test_names_that_repeat(self, save):
        assert "'g1' names columns 0 and 1 (counted from 0): make them distinct with adata" in refused(
            save(names=("g1", "g1", "g2"))
        )

    def test_damaged_files(self, save):
        path = save()
        for content in (b"", b"junk", path.read_bytes()[:3000]):
            path.write_bytes(content)
            assert re.search(r"cannot read '.*t.h5ad' as AnnData \(.*\): save it anew", refused(path))

    def test_too_large_to_be_dense(self, save, monkeypatch):
        monkeypatch.setattr("obsvae.data.tables.readers.anndata.available_memory", lambda: 10.0)
        assert "a dense table of 2 rows and 3 columns" in refused(save())


def test_a_dense_table_has_to_fit_into_memory():
    assert 1e6 < available_memory() < math.inf
    require_dense(1000, 1000, "'t.h5ad'", 8e6)
    with pytest.raises(UsageError, match=r"needs 240.0 GB.*1000000 rows and 30000 columns, but 16.0 GB are"):
        require_dense(1_000_000, 30_000, "'t.h5ad'", 16e9)


@pytest.mark.slow
def test_twenty_thousand_columns(tmp_path):
    x = np.random.default_rng(0).integers(0, 100, size=(200, 20_000))
    header = ",".join(f"gene {i}" for i in range(20_000))
    np.savetxt(tmp_path / "t.csv", x, fmt="%d", delimiter=",", header=header, comments="")
    began = time.perf_counter()
    table = read_table(tmp_path / "t.csv")
    numbers = np.stack([parse(column, {"", "NA"}).numbers for column in table.columns.values()], 1)
    framed = read_table(pd.DataFrame(x, columns=list(table.columns)))
    assert time.perf_counter() - began < 20  # 3 s on a laptop
    assert np.array_equal(numbers, x)
    assert np.array_equal(np.stack([column.values for column in framed.columns.values()], 1), x)
