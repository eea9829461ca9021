"""Variational autoencoders in Pyro whose observation distribution swaps, judged by their likelihood in data units."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
