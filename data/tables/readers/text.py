"""The text of a file, whatever its encoding and compression."""

import codecs
import gzip
import re
import zlib
from pathlib import Path

from obsvae.errors import UsageError

# UTF-32 comes first: its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_LINE_END = re.compile(r"\r\n|\r|\n")


def read_text(path: Path, source: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark; gzip is undone.

    Args:
        path: of the file.
        source: what to call it in messages.

    Raises UsageError for a file that cannot be read, and for bytes that are no text.
    """
    content = _content(path, source)
    if content.startswith(_ZIP):
        raise UsageError(f"{source}: needs text; it holds a zip archive or a workbook: save the sheet as CSV in UTF-8")
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding in {"utf-8", "utf-8-sig"} and (at := content.find(b"\0")) >= 0:
        raise UsageError(
            f"{source}: needs text in UTF-8; byte {at} (counted from 0) is NUL, as in binary files and in UTF-16 "
            "without its mark: save it as UTF-8"
        )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]  # it counts from behind the mark
        before = error.object[: error.start].decode(encoding, errors="ignore")
        meant = f" ({bytes([wrong]).decode('latin-1')!r} in Latin-1)" if encoding == "utf-8" and wrong >= 0xA0 else ""
        line = len(_LINE_END.findall(before)) + 1
        raise UsageError(
            f"{source}: needs text in UTF-8; line {line} has the byte 0x{wrong:02x}{meant}, which is no "
            f"{'UTF-8' if encoding.startswith('utf-8') else encoding.upper()} there: save it as UTF-8"
        ) from error
    if "\0" in text:
        raise UsageError(f"{source}: needs text; it holds NUL characters: save it as UTF-8")
    return text


def _content(path: Path, source: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {source} ({error.strerror}): check that the file is there, and that you may read it"
        ) from error
    if path.suffix.lower() != ".gz" and not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(
            f"{source}: needs a whole gzip file; it is damaged, or no gzip ({error}): fetch it again, or name a plain "
            "file .csv or .tsv"
        ) from error
