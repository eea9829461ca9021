"""How often a recommendation finds the family that data were drawn from, beside marginal fits."""
