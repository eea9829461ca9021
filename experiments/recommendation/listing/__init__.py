"""Which observations come in question for a variable: a rule for each family and each wrapper."""
