"""A run: its folder, its training, and what another program needs to go on with it."""
