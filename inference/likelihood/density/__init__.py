"""log p(x, z) of data, its derivatives, and the random numbers that belong to each datum."""
