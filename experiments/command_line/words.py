"""Errors speak Python; the command line translates them into its own flags."""

import re
from collections.abc import Callable

PROPOSALS = {"Amortised": "amortised", "Refined": "refined", "Annealed": "ais"}
_NUMBER = r"-?[\d.]+(?:e[-+]?\d+)?"
# What a message may say, and what to write on the command line in its place.
TRANSLATIONS: dict[str, str | Callable[[re.Match[str]], str]] = {
    rf"bounds=\(({_NUMBER}), ({_NUMBER})\)": r"--bounds \1 \2",
    r"bounds=\(low, high\)": "--bounds LOW HIGH",
    r"grid=\(low, step, levels\)": "--grid LOW STEP LEVELS",
    r"dequantise=True": "--dequantise",
    r"missing=True": "--missing",
    r"\b(epochs|patience)=(\d+)": r"--\1 \2",
    r"precision='(\w+)'": r"--precision \1",
    r"channels='(\w+)'": r"--channels \1",
    r"units='(\w+)' or '(\w+)'": r"--units \1 or \2",
    r"units='(\w+)'": r"--units \1",
    r"memory=(\d+)": lambda found: f"--memory {int(found[1]) / 2**20:g} allows {int(found[1])}",
    r"leave by_column out": "leave --by-column out",
    r"binarise='(\w+)' or '(\w+)'": r"--binarise \1 or \2",
    r"binarise='(\w+)'": r"--binarise \1",
    r"scaling='([\w-]+)'": r"--\1",
    r"given=\{'([^']*)': '([^']*)'\}": r"--given \1=\2",
    r"proposal=(Amortised|Refined|Annealed)\(\)": lambda found: f"--proposal {PROPOSALS[found[1]]}",
}


def in_flags(message: str) -> str:
    """Return a message with Python's words for arguments as the flags of the command line."""
    for pattern, flags in TRANSLATIONS.items():
        message = re.sub(pattern, flags, message)
    return message
