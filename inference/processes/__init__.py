"""Several processes that share a work, and how they agree."""
