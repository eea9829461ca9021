"""What the commands are made of: pairs from a configuration, run folders, comparisons and reports."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
