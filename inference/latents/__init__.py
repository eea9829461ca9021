"""Latents: where the guide puts them, what the decoder makes of them, and the space that they live in."""
