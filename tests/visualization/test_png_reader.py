"""PNG pictures read back: all filters and kinds, against the encoder, by hand and against Pillow; damage and bombs."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from zounds_lite.errors import DecodeError
from zounds_lite.visualization import png_bytes, png_pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def written(columns, rows, lines, colours=0, bits=8, interlaced=0):
    header = struct.pack(">IIBBBBB", columns, rows, bits, colours, 0, 0, interlaced)
    packed = zlib.compress(lines)
    # pixels may be cut into any number of parts, and other parts may stand anywhere
    parts = [chunk(b"IHDR", header), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", packed[:5]), chunk(b"IDAT", packed[5:])]
    return SIGNATURE + b"".join(parts) + chunk(b"IEND", b"")


def filtered(pixels, kinds):
    """Filter each line by the definition, byte by byte."""
    rows, width, channels = len(pixels), pixels[0].size, 1 if pixels.ndim == 2 else pixels.shape[2]
    plain, lines = pixels.reshape(rows, width).astype(int), bytearray()
    for y, kind in zip(range(rows), kinds, strict=True):
        lines.append(kind)
        for x in range(width):
            a = plain[y, x - channels] if x >= channels else 0
            b = plain[y - 1, x] if y else 0
            c = plain[y - 1, x - channels] if y and x >= channels else 0
            p = a + b - c
            paeth = a if abs(p - a) <= min(abs(p - b), abs(p - c)) else b if abs(p - b) <= abs(p - c) else c
            lines.append((plain[y, x] - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
    return bytes(lines)


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(
    st.integers(1, 5), st.integers(1, 5), st.integers(2, 4)
)


@given(shapes.flatmap(lambda shape: arrays(np.uint8, shape)), st.data())
@settings(max_examples=60, deadline=None)
def test_every_filter_and_kind(pixels, data):
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=len(pixels), max_size=len(pixels)))
    colours = COLOUR_TYPES[1 if pixels.ndim == 2 else pixels.shape[2]]
    found = png_pixels(written(pixels.shape[1], len(pixels), filtered(pixels, kinds), colours))
    assert found.dtype == np.uint8 and found.shape == pixels.shape and np.array_equal(found, pixels)


@pytest.mark.parametrize("shape", [(1, 1), (128, 44), (7, 9, 3)])
def test_what_the_encoder_writes_comes_back(shape, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / "x.png").write_bytes(png_bytes(pixels))
    assert np.array_equal(png_pixels(tmp_path / "x.png"), pixels)
    assert np.array_equal(png_pixels(str(tmp_path / "x.png")), pixels)
    found = png_pixels(png_bytes(pixels))
    found[...] = 0  # it is the caller's own


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_what_pillow_writes_is_read(mode):
    image = pytest.importorskip("PIL.Image")
    y, x = np.mgrid[:40, :50]
    channels = len(mode)
    pixels = np.stack([(x * (k + 1) + y * y // 7) % 256 for k in range(channels)], axis=-1).astype(np.uint8)
    out = io.BytesIO()
    image.fromarray(pixels.squeeze()).save(out, "png", optimize=True)
    assert np.array_equal(png_pixels(out.getvalue()), pixels.squeeze())


GOOD = png_bytes(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize("length", [0, 4, 8, 20, 40, len(GOOD) - 1])
def test_a_picture_that_is_cut_off(length):
    with pytest.raises(DecodeError):
        png_pixels(GOOD[:length])


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_is_noticed(at, change):
    damaged = bytearray(GOOD)
    damaged[at] ^= change
    with pytest.raises(DecodeError):
        png_pixels(bytes(damaged))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"RIFF....WAVE", "no PNG picture, it begins with b'RIFF"),
        (written(4, 3, bytes(15), bits=16), "16 bits"),
        (written(4, 3, bytes(15), colours=3), "colour type 3"),
        (written(4, 3, bytes(15), interlaced=1), "interlaced"),
        (written(0, 3, b""), "3 x 0 pixels"),
        (written(4, 3, bytes(14)), "14 bytes of pixels or more; the header promises 15"),
        (written(4, 3, bytes(1 << 20)), "16 bytes of pixels or more"),
        (written(1 << 20, 1 << 20, b""), "1 pixel to 256 MB"),
        (written(4, 1, b"\x05abcd"), "filter 5"),
        (SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "does not begin with its header"),
        (GOOD[:33] + chunk(b"IDAT", b"no zlib") + GOOD[-12:], "cannot be unpacked"),
    ],
)
def test_what_is_not_read_says_why(data, says):
    with pytest.raises(DecodeError, match=says):
        png_pixels(data)
