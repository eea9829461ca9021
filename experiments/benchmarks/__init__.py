"""Benchmarks: the time of training, the cost of likelihoods, wrong estimates, filled entries, recommendations."""
