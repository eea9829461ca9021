"""One self-contained page on one or more runs."""
