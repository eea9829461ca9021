"""Training by stochastic variational inference."""
