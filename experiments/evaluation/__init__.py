"""How a run fares on held-out data: its likelihood, how far to trust it, and the files that keep both."""
