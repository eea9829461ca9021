"""Mixtures of Normals that are fitted to the posterior of each datum."""
