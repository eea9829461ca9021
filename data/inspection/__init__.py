"""What data look like, and what looks wrong in them."""
