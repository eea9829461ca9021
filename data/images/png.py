"""What can be said of a PNG image without decoding it."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"  # how it begins


def is_whole_png(content: bytes) -> bool:
    """Return whether all chunks of a PNG image are there, each with its checksum, and its pixels can be unpacked."""
    if not content.startswith(PNG):
        return False
    at, pixels = len(PNG), zlib.decompressobj()
    while at + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + size
        if end + 4 > len(content) or zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4]):
            return False
        if kind == b"IDAT":
            try:
                pixels.decompress(content[at + 8 : end])
            except zlib.error:
                return False
        if kind == b"IEND":
            return pixels.eof
        at = end + 4
    return False


def has_deep_colours(content: bytes) -> bool:
    """Return whether a whole PNG image has channels of 16 bits, and more than grey alone."""
    depth, colour = content[24], content[25]
    return depth == 16 and colour != 0
