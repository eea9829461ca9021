"""Commands that are killed at random moments, and go on: whether their results are those of undisturbed ones."""
