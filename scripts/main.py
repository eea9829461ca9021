"""The command `obsvae`: it finds the command that is asked for, and lists them all."""

import ast
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from obsvae.errors import UsageError
from obsvae.names import lookup

USAGE = """\
usage: obsvae COMMAND [ARGUMENT ...]

{commands}

obsvae COMMAND --help tells the arguments of a command, with examples.
obsvae --version tells the release."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the first argument names, with the others."""
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or ["--help"]
    if name in ("-h", "--help"):
        print(USAGE.format(commands="\n".join(f"  {known:<15}{about}" for known, about in commands().items())))
        sys.exit(0)
    if name == "--version":
        print(f"obsvae {version('obsvae')}")
        sys.exit(0)
    try:
        file = lookup("command", name, _files())
    except UsageError as error:
        print(f"obsvae: error: {error} (see obsvae --help)", file=sys.stderr)
        sys.exit(2)
    sys.argv = [f"obsvae {name}", *rest]
    # Only now: what the commands are made of takes seconds to load.
    from obsvae.experiments.command_line.program import run

    run(importlib.import_module(f"obsvae.cli.{file.stem}").main)


def commands() -> dict[str, str]:
    """Return the first line on each command, without loading it."""
    texts = {name: file.read_text(encoding="utf-8") for name, file in _files().items()}
    return {name: (ast.get_docstring(ast.parse(text)) or "").split("\n")[0] for name, text in texts.items()}


def _files() -> dict[str, Path]:
    """Return the file of each command by name.

    A file whose command has the name of a module of Python's own ends in an underscore, as that module would else be
    hidden from programs that are run as files from this folder.
    """
    files = sorted(Path(__file__).parent.glob("[!_]*.py"))
    return {file.stem.rstrip("_"): file for file in files if file.stem != "main"}


if __name__ == "__main__":
    main()
