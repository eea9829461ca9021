"""The pixels of a PNG or JPEG file."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np

from obsvae.data.images.png import PNG, has_deep_colours, is_whole_png
from obsvae.errors import UsageError

# What Pillow raises for damaged files.
_UNREADABLE = (OSError, ValueError, SyntaxError, RuntimeError, EOFError, KeyError, struct.error)


def read_image(path: Path, source: str, name: str) -> np.ndarray:
    """Return an image as it is seen, ``(channels, rows, columns)``, in uint8 or uint16, turned as its EXIF data say.

    Palettes become colours, and single bits 0 and 255.

    Args:
        path: of the file.
        source: what to call its folder in messages.
        name: what to call the image.

    Raises UsageError for a file that is damaged or neither PNG nor JPEG, and for CMYK.
    """
    from PIL import Image, ImageOps

    try:
        content = path.read_bytes()
        if content.startswith(PNG) and not is_whole_png(content):
            raise ValueError("a part of it is missing or damaged")  # Pillow does not look at all checksums
        if content.startswith(PNG) and has_deep_colours(content):
            return _deep_colours(content)
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as opened:
            opened.load()
            mode = opened.mode
            image = ImageOps.exif_transpose(opened)
            has_alpha = "transparency" in opened.info
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        why = " ".join(str(error).split()).partition(" <_io")[0]
        raise UsageError(
            f"{source}: cannot read {name!r} as PNG or JPEG ({why}): replace it, or move it elsewhere"
        ) from error
    if mode in {"CMYK", "YCCK"}:
        raise UsageError(f"{source}: needs images in grey or RGB; {name!r} is in CMYK: save it in RGB")
    if mode == "1":
        image = image.convert("L")
    elif mode == "P" or (mode == "RGB" and has_alpha):
        image = image.convert("RGBA" if has_alpha else "RGB")
    elif mode == "L" and has_alpha:
        image = image.convert("LA")
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.uint16)  # of 16 bits, which old versions of Pillow hold in 32
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _deep_colours(content: bytes) -> np.ndarray:
    """Return the colours of a PNG image of 16 bits, of which Pillow keeps 8."""
    import torch

    try:
        from torchvision.io import ImageReadMode, decode_png
    except ImportError as error:
        raise ValueError(
            "this version of torchvision reads no colours of 16 bits; save them in an .npy file"
        ) from error
    data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return decode_png(data, mode=ImageReadMode.UNCHANGED).numpy()
