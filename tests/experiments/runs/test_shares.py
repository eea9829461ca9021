"""The shares of columns in the ELBO, in the folder of a run, and what else a run on a table draws."""

import matplotlib.image
import numpy as np
import pytest

from obsvae.errors import UsageError
from obsvae.experiments import train_run
from obsvae.experiments.runs.shares import load_shares, save_shares
from tests.tables import COLUMNS, mixed


def test_shares_are_read_as_they_were_written(tmp_path):
    names, shares = ["epoch", "a, b", "ü"], np.random.default_rng(0).normal(size=(4, 3))
    save_shares(tmp_path, names, shares)
    again, read = load_shares(tmp_path)
    assert again == names
    np.testing.assert_array_equal(read, shares)


@pytest.mark.parametrize(("text", "words"), [("epoch,a\n1,x\n", "cannot be read"), ("epoch,a\n", "holds no epoch")])
def test_a_damaged_file_is_told(text, words, tmp_path):
    with pytest.raises(UsageError, match=r"there is no .*history_by_column\.csv"):
        load_shares(tmp_path)
    (tmp_path / "history_by_column.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_shares(tmp_path)


def test_a_run_on_a_table_keeps_shares_and_draws_its_columns(tmp_path):
    run = train_run("by-column", mixed(100), tmp_path / "run", latent=2, hidden=(8,), epochs=2, progress=False)
    names, shares = load_shares(run.folder)
    assert names == [column.name for column in COLUMNS]
    assert shares.shape == (2, len(COLUMNS))
    assert np.isfinite(shares).all()
    # Eleven panels in three rows: taller than ten reproductions in lines.
    height, width, _ = matplotlib.image.imread(run.folder / "figures/reproductions.png").shape
    assert height > 0.5 * width
