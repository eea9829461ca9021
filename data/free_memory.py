"""How much memory is free."""

import os
from pathlib import Path


def available_memory() -> float:
    """Return the bytes of memory that are free; where the system does not say, more than any has."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            said = dict(line.split(":") for line in lines)
        return 1024.0 * int(said["MemAvailable"].split()[0])
    except (OSError, KeyError):  # another system than Linux
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
            return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
        return float("inf")
