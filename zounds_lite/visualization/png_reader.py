"""Pixels of pictures in the PNG format, with nothing but zlib.

Goal: the counterpart of ``png``, so that pictures can be learned from without an image library. Conventions: 8 bits a
channel, top row first, as ``png_bytes`` takes them; grey and colours, each with or without transparency. Bytes are
data from anywhere: checksums are compared, and no more is unpacked than the header promises. Function: ``png_pixels``.

Sources:
    ISO/IEC 15948:2004 (PNG), clauses 5 (chunks), 9 (filters) and 11 (IHDR, IDAT, IEND).
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zounds_lite.errors import DecodeError

__all__ = ["png_pixels"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""PNG colour type to the number of channels: grey, RGB, each without and with transparency."""

_MOST_BYTES = 1 << 28
"""Pixels that a picture may unpack to, in bytes."""


def png_pixels(source: str | Path | bytes) -> np.ndarray:
    """Decode a PNG file.

    Args:
        source (str | Path | bytes): where the file is, or its bytes.

    Shape:
        ``[rows, columns]`` for grey; ``[rows, columns, channels]`` for grey with transparency (2), RGB (3) and RGB with
        transparency (4)

    Returns:
        ndarray: uint8.

    Raises:
        DecodeError: no PNG, a damaged one, or of a kind that is not read: palettes, other than 8 bits, interlaced.

    Examples:
        >>> from zounds_lite.visualization.png import png_bytes
        >>> png_pixels(png_bytes(np.array([[0, 7], [255, 3]], np.uint8)))
        array([[  0,   7],
               [255,   3]], dtype=uint8)

    See Also:
        png_bytes: the encoder.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    what = "bytes" if isinstance(source, bytes) else str(source)
    header, packed = None, []
    for kind, body in _chunks(data, what):
        if header is None:
            header = _header(kind, body, what)
        elif kind == b"IDAT":
            packed.append(body)
        elif kind == b"IEND":
            rows, columns, channels = header
            lines = _unpacked(b"".join(packed), rows, 1 + columns * channels, what)
            pixels = _unfiltered(lines, channels, what)
            return pixels.reshape((rows, columns) if channels == 1 else (rows, columns, channels))
    raise DecodeError(f"{what}: the picture ends before its end is marked; write it again")


def _chunks(data: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    if data[: len(_SIGNATURE)] != _SIGNATURE:
        raise DecodeError(f"{what}: no PNG picture, it begins with {data[:8]!r}")
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body, end = data[at + 4 : at + 8], data[at + 8 : at + 8 + length], at + 8 + length
        if len(data) < end + 4 or struct.unpack(">I", data[end : end + 4])[0] != zlib.crc32(kind + body):
            raise DecodeError(f"{what}: the part {kind!r} is cut off or differs from its checksum")
        yield kind, body
        at = end + 4


def _header(kind: bytes, body: bytes, what: str) -> tuple[int, int, int]:
    if kind != b"IHDR" or len(body) != 13:
        raise DecodeError(f"{what}: the picture does not begin with its header")
    columns, rows, bits, colours, _, _, interlaced = struct.unpack(">IIBBBBB", body)
    if bits != 8 or colours not in _CHANNELS or interlaced:
        raise DecodeError(
            f"{what}: {bits} bits, colour type {colours}{', interlaced' if interlaced else ''}; read are 8 bits a "
            "channel, grey or RGB, not interlaced: save it so"
        )
    channels = _CHANNELS[colours]
    if not rows or not columns or rows * (1 + columns * channels) > _MOST_BYTES:
        raise DecodeError(f"{what}: {rows} x {columns} pixels; read are 1 pixel to {_MOST_BYTES >> 20} MB of them")
    return rows, columns, channels


def _unpacked(packed: bytes, rows: int, width: int, what: str) -> np.ndarray:
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, rows * width + 1)
    except zlib.error as error:
        raise DecodeError(f"{what}: the pixels cannot be unpacked: {error}") from error
    if len(data) != rows * width:
        raise DecodeError(f"{what}: {len(data)} bytes of pixels or more; the header promises {rows * width}")
    return np.frombuffer(data, np.uint8).reshape(rows, width)


def _unfiltered(lines: np.ndarray, channels: int, what: str) -> np.ndarray:
    """Undo the filter that each line begins with: it stands for differences to what is left of and above a byte."""
    out = np.empty((len(lines), lines.shape[1] - 1), np.uint8)
    above = np.zeros(out.shape[1], np.uint8)
    for line, row in zip(lines, out, strict=True):
        kind, differences = int(line[0]), line[1:]
        if kind == 0:
            row[:] = differences
        elif kind == 1:
            row.reshape(-1, channels)[:] = np.cumsum(differences.reshape(-1, channels), axis=0, dtype=np.uint8)
        elif kind == 2:
            np.add(differences, above, out=row)
        elif kind in (3, 4):
            row[:] = _predicted(differences.tolist(), above.tolist(), channels, kind == 4)
        else:
            raise DecodeError(f"{what}: a line has the filter {kind}, which does not exist")
        above = row
    return out


def _predicted(differences: list[int], above: list[int], channels: int, is_paeth: bool) -> list[int]:
    """Undo the filters that depend on the byte to the left and on the one above at once."""
    found: list[int] = []
    for i, difference in enumerate(differences):
        left, up = (found[i - channels] if i >= channels else 0), above[i]
        if is_paeth:
            corner = above[i - channels] if i >= channels else 0
            guess = left + up - corner
            # of equally near ones the first counts
            near = min((left, up, corner), key=lambda byte: abs(guess - byte))
        else:
            near = (left + up) // 2
        found.append((difference + near) & 255)
    return found
