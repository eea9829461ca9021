"""Candidates scored without a latent and without a network."""
