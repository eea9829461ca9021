"""Show what tables and arrays look like, column by column, and what looks wrong."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from obsvae.data.tables.read import read_table
from obsvae.data.tables.schemas.schema import Schema
from obsvae.data.tables.schemas.toml import read_schema
from obsvae.errors import UsageError
from obsvae.experiments.command_line.arguments import Parser
from obsvae.experiments.command_line.program import run
from obsvae.experiments.files import require_place, save_text
from obsvae.experiments.inspection import array_text, as_data, inspected, inspection_text, is_array, schema_text

EXAMPLES = """\
  obsvae inspect people.csv
  obsvae inspect people.csv --missing -999 none --out people.toml
  obsvae inspect people.csv --schema people.toml
  obsvae train --data people.csv --schema people.toml
  obsvae inspect spectra.npy
"""
# What goes with tables alone.
OF_TABLES = ("schema", "missing", "layer", "out")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(__doc__ or "", EXAMPLES)
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a table (.csv, .tsv, .parquet, .h5ad); or an array (.npy, .npz), a folder of images, or a known name",
    )
    parser.add_argument(
        "--schema", metavar="FILE", help="what is known of its columns, in TOML; the others are guessed"
    )
    parser.add_argument(
        "--missing", nargs="+", default=[], metavar="TEXT", help="more texts or numbers that stand for a missing value"
    )
    parser.add_argument("--layer", metavar="NAME", help="layer of an .h5ad file, in place of X")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the schema here, with the reasons as comments")
    args = parser.parse_args(arguments)
    if is_array(args.data):
        if given := [f"--{name}" for name in OF_TABLES if getattr(args, name)]:
            go, them = ("goes", "it") if len(given) == 1 else ("go", "them")
            raise UsageError(f"{' and '.join(given)} {go} with a table, but {args.data} is none: leave {them} out")
        print(array_text(args.data))
        return
    if args.out is not None and args.out.exists():
        raise UsageError(f"{args.out} exists already; choose another file, or remove it")
    if args.out is not None:
        require_place(args.out)
    schema = Schema() if args.schema is None else read_schema(args.schema)
    schema = replace(schema, missing=tuple(dict.fromkeys([*schema.missing, *(text.strip() for text in args.missing)])))
    table = read_table(args.data, layer=args.layer)
    guesses = inspected(table, schema)
    print(inspection_text(table.source, guesses, *as_data(table, schema)))
    if args.out is not None:
        save_text(args.out, schema_text(table.source, guesses, schema))
        print(f"\nwritten to {args.out}; now: obsvae train --data {shlex.quote(args.data)} --schema {args.out}")


if __name__ == "__main__":
    run(main)
