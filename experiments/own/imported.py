"""A class of the user's own by its import path."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from torch import nn

from obsvae.errors import UsageError
from obsvae.names import nearest

FORM = "package.module:Class"


def imported(kind: str, path: str) -> type[nn.Module]:
    """Return the class that a text such as ``mine.networks:Wide`` names; its module is imported.

    The module is looked for where Python looks, and then in the current folder.

    Args:
        kind: what the class is taken for, for messages.
        path: of module and class.

    Raises:
        UsageError: for a text of another form, a module that is not there or cannot be imported, a class that it does
            not have, and one that is no torch Module.
    """
    module, colon, name = path.partition(":")
    if not colon or not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        raise UsageError(f"{kind} needs the path of a class, {FORM}, but got {path!r}")
    found: object = _module(kind, path, module)
    for part in name.split("."):
        if not hasattr(found, part):
            names = [one for one, value in vars(found).items() if isinstance(value, type)]
            raise UsageError(f"{kind} {path!r}: there is no {part!r} in {module}; {nearest(part, names)}check the name")
        found = getattr(found, part)
    return require_module_class(kind, found)


def require_module_class(kind: str, found: object) -> type[nn.Module]:
    """Return it where it is a class of torch Modules.

    Raises:
        UsageError: where it is not.
    """
    if isinstance(found, type) and issubclass(found, nn.Module):
        return found
    what = f"the class {found.__qualname__}" if isinstance(found, type) else f"of type {type(found).__name__}"
    raise UsageError(f"{kind} needs a class of torch.nn.Module, but is {what}; derive it from torch.nn.Module")


def _module(kind: str, path: str, name: str) -> ModuleType:
    try:
        with _current_folder():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(
                f"{kind} {path!r}: there is no module {error.name!r} where Python looks, nor in the current folder; "
                "install it, or start where it is"
            ) from None
        raise UsageError(f"{kind} {path!r}: importing {name} failed: {error}; install what it needs") from error
    except Exception as error:  # of code that is not ours
        raise UsageError(
            f"{kind} {path!r}: importing {name} failed: {type(error).__name__}: {error}; see that python -c "
            f"'import {name}' works"
        ) from error


@contextmanager
def _current_folder() -> Iterator[None]:
    """Let Python look in the current folder, after all others, which a command that is installed else leaves out."""
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        yield
    finally:
        # Of equal entries the last is ours; the module may have taken it away itself.
        if folder in sys.path:
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(folder)]
