"""The probability of an interval, on the log scale."""
