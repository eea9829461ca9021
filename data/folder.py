"""The folder that downloads and other large data live in."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """Return $OBSVAE_DATA where it is set, else the user's cache folder; it need not exist."""
    return Path(os.environ.get("OBSVAE_DATA") or platformdirs.user_cache_dir("obsvae")).expanduser()
