"""The sentence that a ranking ends in."""
