"""Folders of images as data."""

import json
import re
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from obsvae.data import Grid, load
from obsvae.data.images.png import PNG
from obsvae.errors import UsageError

RANDOM = np.random.default_rng(0)
SPLITS = ("train", "validation", "test")
GREY = RANDOM.integers(0, 256, size=(12, 6, 5), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, size=(12, 6, 5, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 2**16, size=(12, 6, 5), dtype=np.uint16)


def save(folder, images, name="{:02d}.png"):
    for i, image in enumerate(images):
        path = folder / name.format(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path)
    return str(folder)


def stored(dataset):
    """Return all data in the order of the source."""
    rows = torch.cat([dataset.rows[split] for split in SPLITS])
    return torch.cat([dataset.split(split) for split in SPLITS])[rows.argsort()].numpy()


def labels(dataset):
    rows = torch.cat([dataset.rows[split] for split in SPLITS])
    return torch.cat([dataset.labels[split] for split in SPLITS])[rows.argsort()].tolist()


def refused(folder, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(str(folder), **kwargs)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_grey_images(tmp_path):
    data = load(save(tmp_path, GREY))
    assert np.array_equal(stored(data), GREY)
    assert data.train.dtype == torch.float32
    assert (data.bounds, data.grid, data.units) == ((0.0, 255.0), Grid(0.0, 1.0, 256), "all")
    assert data.row_names == tuple(f"{i:02d}.png" for i in range(12))
    assert data.label_names is None
    assert [len(data.split(split)) for split in SPLITS] == [10, 1, 1]


def test_colour_images_have_their_channels_first(tmp_path):
    data = load(save(tmp_path, COLOUR))
    assert np.array_equal(stored(data), np.moveaxis(COLOUR, -1, 1))
    assert data.units == "channel"


def test_16_bits(tmp_path):
    data = load(save(tmp_path, DEEP))
    assert np.array_equal(stored(data), DEEP)  # float32 holds them exactly
    assert (data.bounds, data.grid) == ((0.0, 65535.0), Grid(0.0, 1.0, 65536))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_a_channel_unless_all_are_opaque(tmp_path, mode):
    opaque = [Image.fromarray(image).convert(mode) for image in COLOUR]
    grey = mode == "LA"
    assert load(save(tmp_path / "opaque", opaque)).event_shape == ((6, 5) if grey else (3, 6, 5))
    opaque[3].putalpha(128)
    data = stored(load(save(tmp_path / "one", opaque)))
    assert data.shape == (12, 2 if grey else 4, 6, 5)
    assert (data[3, -1] == 128).all()
    assert (np.delete(data, 3, 0)[:, -1] == 255).all()


@pytest.mark.parametrize(("images", "shape"), [(GREY, (6, 5)), (COLOUR, (3, 6, 5))], ids=["grey", "colour"])
def test_jpeg(tmp_path, images, shape):
    flat = np.broadcast_to(images.mean((1, 2), keepdims=True), images.shape).astype(np.uint8)
    data = load(save(tmp_path, flat, "{:02d}.JPG"))
    assert data.event_shape == shape
    seen = stored(data) if len(shape) == 2 else np.moveaxis(stored(data), 1, -1)
    assert np.abs(seen - flat).max() <= 3  # JPEG loses a little


def test_colours_of_16_bits(tmp_path):
    colours = RANDOM.integers(0, 2**16, size=(12, 6, 5, 3), dtype=np.uint16)
    for i, image in enumerate(colours):
        (tmp_path / f"{i:02d}.png").write_bytes(png(image, colour=2, depth=16))
    data = load(tmp_path)
    assert np.array_equal(stored(data), np.moveaxis(colours, -1, 1))
    assert data.bounds == (0.0, 65535.0)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_grey_are_spread_over_8(tmp_path, depth):
    grey = RANDOM.integers(0, 2**depth, size=(12, 6, 8), dtype=np.uint8)
    for i, image in enumerate(grey):
        packed = np.packbits(np.unpackbits(image[..., None], axis=-1)[..., 8 - depth :].reshape(6, -1), axis=-1)
        (tmp_path / f"{i:02d}.png").write_bytes(png(packed, colour=0, depth=depth, columns=8))
    assert np.array_equal(stored(load(tmp_path)), grey * (255 // (2**depth - 1)))


def png(pixels, colour, depth, columns=None):
    """Return a PNG image as no library here writes it."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)
    size = struct.pack(">IIBBBBB", columns or pixels.shape[1], len(pixels), depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_palettes_are_colours(tmp_path):
    images = [Image.fromarray(image).quantize(256) for image in COLOUR]
    seen = stored(load(save(tmp_path, images)))
    assert np.array_equal(seen[5], np.moveaxis(np.asarray(images[5].convert("RGB")), -1, 0))


def test_images_are_turned_as_they_are_seen(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn
    for i, image in enumerate(GREY):
        Image.fromarray(image).save(tmp_path / f"{i}.png", exif=turned)
    assert load(str(tmp_path)).event_shape == (5, 6)


def test_subfolders_are_labels(tmp_path):
    save(tmp_path, GREY[:7], "dogs/{}.png")
    save(tmp_path, GREY[7:], "cats/{}.png")
    data = load(str(tmp_path))
    assert data.label_names == ("cats", "dogs")
    assert labels(data) == [0] * 5 + [1] * 7
    assert data.row_names[4:6] == ("cats/4.png", "dogs/0.png")
    assert np.array_equal(stored(data), np.concatenate([GREY[7:], GREY[:7]]))
    own = load(str(tmp_path), labels=np.arange(12))
    assert own.label_names is None
    assert labels(own) == list(range(12))


def test_folders_within_subfolders_are_labels_of_their_own(tmp_path):
    save(tmp_path, GREY[:6], "train/cats/{}.png")
    save(tmp_path, GREY[6:], "train/dogs/{}.png")
    assert load(str(tmp_path)).label_names == ("train/cats", "train/dogs")


def test_what_file_managers_leave_is_left_out(tmp_path):
    folder = save(tmp_path, GREY)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".thumbnails/a.png", "__MACOSX/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert len(load(folder).row_names) == 12


def test_the_recipe_gives_the_same_images_again(tmp_path):
    save(tmp_path, COLOUR, "a/{:02d}.png")
    first = load(tmp_path, binarise="static", seed=3)
    again = load(**json.loads(json.dumps(first.recipe)))
    assert np.array_equal(stored(first), stored(again))
    assert (again.sha256, again.row_names, again.label_names) == (first.sha256, first.row_names, first.label_names)
    assert again.fingerprint == first.fingerprint
    save(tmp_path, COLOUR[:1] + 1, "a/{:02d}.png")
    assert load(tmp_path).sha256 != first.sha256


def test_splits_of_the_caller(tmp_path):
    splits = {"train": np.arange(8), "validation": [8, 9], "test": [10, 11]}
    data = load(save(tmp_path, GREY), splits=splits)
    assert np.array_equal(data.test.numpy(), GREY[10:])


def test_known_names_come_before_folders(tmp_path, monkeypatch):
    save(tmp_path / "digits", GREY)
    monkeypatch.chdir(tmp_path)
    assert load("digits").event_shape == (8, 8)
    assert load("./digits").event_shape == (6, 5)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (GREY[0, :5], r"'00.png' has 6 rows, 5 columns, grey, 8 bits, '07.png' has 5 rows, 5 columns, grey, 8 bits"),
        (COLOUR[0], r"'00.png' has .* grey, 8 bits, '07.png' has 6 rows, 5 columns, colour, 8 bits: convert"),
        (DEEP[0], r"'07.png' has 6 rows, 5 columns, grey, 16 bits"),
        (Image.fromarray(GREY[0]).convert("LA"), r"'07.png' has 6 rows, 5 columns, grey with transparency, 8 bits"),
    ],
    ids=["size", "mode", "depth", "transparency"],
)
def test_images_that_differ_are_named(tmp_path, other, words):
    save(tmp_path, GREY)
    save(tmp_path, [other], "07.png")
    said = refused(tmp_path)
    assert re.search(words, said), said


def test_what_else_is_refused(tmp_path, monkeypatch):
    assert "it holds none" in refused(tmp_path)
    save(tmp_path, GREY)
    assert "names, missing and channels go with an array" in refused(tmp_path, missing=True)
    assert "names, missing and channels go with an array" in refused(tmp_path, channels="last")
    monkeypatch.setattr("obsvae.data.images.read.available_memory", lambda: 10.0)
    assert "for 12 images of 6 rows, 5 columns, grey, 8 bits, but" in refused(tmp_path)
    monkeypatch.undo()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "notes.txt").write_text("x")
    assert "it holds 'sub/notes.txt': move it elsewhere" in refused(tmp_path)
    (tmp_path / "sub" / "notes.txt").unlink()
    save(tmp_path, GREY[:1], "sub/a.png")
    assert "'sub/a.png' lies in one, '00.png' does not" in refused(tmp_path)


def test_cmyk_and_few_images(tmp_path):
    save(tmp_path, [Image.fromarray(image).convert("CMYK") for image in COLOUR], "{}.jpg")
    assert "'0.jpg' is in CMYK: save it in RGB" in refused(tmp_path)
    assert "at least 10 rows" in refused(save(tmp_path / "few", GREY[:9]))
