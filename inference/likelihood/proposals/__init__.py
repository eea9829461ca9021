"""Where the particles of an importance-weighted likelihood come from."""
