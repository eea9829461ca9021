"""Images that are damaged, and files that are no images."""

import io

import numpy as np
import pytest
from PIL import Image

from obsvae.data.images.decode import read_image
from obsvae.data.images.png import is_whole_png
from obsvae.errors import UsageError

GREY = np.random.default_rng(0).integers(0, 256, size=(6, 5), dtype=np.uint8)


def whole(suffix="png"):
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, {"png": "PNG", "jpg": "JPEG"}[suffix])
    return file.getvalue()


def changed(content, at):
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[("05.png", whole()[:length]) for length in (0, 4, 20, 60, len(whole()) - 20, len(whole()) - 1)],
        *[("05.png", changed(whole(), at)) for at in (3, 18, 29, 45, len(whole()) - 14)],
        *[("05.jpg", whole(suffix="jpg")[:length]) for length in (0, 2, 20, 300, len(whole(suffix="jpg")) - 2)],
        ("05.png", b"hello"),
        ("05.jpg", b"<html></html>"),
        ("05.png", b"GIF89a" + bytes(20)),
    ],
)
def test_a_damaged_image_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_image(tmp_path / name, "'folder'", name)
    assert str(caught.value).startswith(f"'folder': cannot read '{name}' as PNG or JPEG (")
    assert "\n" not in str(caught.value)


def test_a_whole_png():
    assert is_whole_png(whole())
    assert is_whole_png(whole() + b"and more")
    assert not is_whole_png(whole()[:-12])
