"""Pictures of sound in the PNG format, with nothing but zlib.

Goal: look at a stored feature without a plotting library. Conventions: one picture row or column stands for one band
or frame; where the picture would grow too large, for the largest value of several; and where it would be too small to
read, each fills several rows or columns. Time runs to the right, low frequencies and low amplitudes are at the bottom.
Functions: ``png_bytes`` (pixels to a file's bytes),
``spectrogram_png``, ``waveform_png``, ``array_png`` (whichever of the two fits), ``array_pixels`` (without a file).

Sources:
    ISO/IEC 15948:2004 (PNG), clauses 5 (chunks), 9 (filters) and 11 (IHDR, PLTE, tRNS, IDAT, IEND).
"""

import struct
import zlib
from pathlib import Path

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.timeseries import AudioSamples
from zounds_lite.visualization.colours import perceptual_colours
from zounds_lite.visualization.levels import group_edges, levels_of, reduced

__all__ = ["array_pixels", "array_png", "png_bytes", "spectrogram_png", "waveform_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = {2: 0, 3: 2}
"""Number of array dimensions to the PNG colour type: grey, RGB."""

_WITH_PALETTE = 3
"""The PNG colour type of numbers that stand for colours."""

_MAX_COLUMNS, _MAX_ROWS = 2000, 1024
_READABLE_COLUMNS, _READABLE_ROWS = 800, 384
"""Small pictures are enlarged by whole factors up to about this size."""

_HEIGHT = 256
"""Rows of a waveform."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bytes(pixels: np.ndarray, palette: np.ndarray | None = None) -> bytes:
    """Encode 8-bit pixels as a PNG file.

    Args:
        pixels (ndarray): uint8, grey or RGB, top row first; with a palette, the numbers of its colours.
        palette (ndarray | None): uint8, up to 256 colours, RGB or RGBA (0 is transparent); a third of the size of RGB.

    Shape:
        ``[rows, columns]`` or ``[rows, columns, 3]``; a palette is ``[colours, 3]`` or ``[colours, 4]``

    Raises:
        DimensionError: another shape or dtype, no pixels at all, or pixels that the palette does not have.

    Examples:
        >>> png_bytes(np.zeros((2, 3), np.uint8))[:4]
        b'\\x89PNG'
    """
    pixels = np.asarray(pixels)
    fits = pixels.ndim in _COLOUR_TYPE and pixels.shape[2:] in ((), (3,)) and pixels.size
    if pixels.dtype != np.uint8 or not fits:
        raise DimensionError(
            f"pixels of shape {pixels.shape} and dtype {pixels.dtype}; "
            "allowed: uint8 of shape (rows, columns) or (rows, columns, 3), at least one pixel"
        )
    rows, columns = pixels.shape[:2]
    lines = np.zeros((rows, 1 + pixels[0].size), np.uint8)  # each line begins with its filter: 0, none
    lines[:, 1:] = pixels.reshape(rows, -1)
    kind, colours = (_COLOUR_TYPE[pixels.ndim], b"") if palette is None else (_WITH_PALETTE, _palette(pixels, palette))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0))
    return _SIGNATURE + header + colours + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)) + _chunk(b"IEND", b"")


def _palette(pixels: np.ndarray, palette: np.ndarray) -> bytes:
    colours = np.asarray(palette)
    fits = colours.ndim == 2 and colours.shape[1] in (3, 4) and 1 <= len(colours) <= 256 and colours.dtype == np.uint8
    if not fits or pixels.ndim != 2 or pixels.max() >= len(colours):
        raise DimensionError(
            f"a palette of shape {colours.shape} and dtype {colours.dtype} for pixels of shape {pixels.shape} up to "
            f"{pixels.max()}; allowed: uint8 of shape (colours, 3) or (colours, 4), 1 to 256 colours, all that the "
            "pixels number, in pixels of shape (rows, columns)"
        )
    alpha = _chunk(b"tRNS", colours[:, 3].tobytes()) if colours.shape[1] == 4 else b""
    return _chunk(b"PLTE", colours[:, :3].tobytes()) + alpha


def _enlarged(pixels: np.ndarray, rows: int = _READABLE_ROWS) -> np.ndarray:
    """Repeat the rows and columns of a small picture by whole factors."""
    for axis, wanted in ((0, rows), (1, _READABLE_COLUMNS)):
        pixels = np.repeat(pixels, max(1, wanted // pixels.shape[axis]), axis=axis)
    return pixels


def _spectrogram(array: np.ndarray, floor_db: float | None) -> np.ndarray:
    if array.ndim != 2 or not array.size:
        raise DimensionError(
            f"a spectrogram needs frames x bands, at least one of each, and got the shape {array.shape}; "
            "slice the array first, or use waveform_png for samples"
        )
    if floor_db is not None and not floor_db < 0:
        raise DeclarationError(f"floor_db={floor_db}: a level under the peak is wanted, for example -80")
    # units are dropped at the border: pixels have none
    levels = levels_of(reduced(np.asarray(array), _MAX_COLUMNS, _MAX_ROWS), floor_db)
    return perceptual_colours()[_enlarged(levels.steps.T[::-1])]


def _write(pixels: np.ndarray, path: str | Path) -> Path:
    path = Path(path)
    path.write_bytes(png_bytes(pixels))
    return path


def spectrogram_png(array: np.ndarray, path: str | Path, floor_db: float | None = None) -> Path:
    """Write a time-frequency array as a picture.

    Complex numbers and values that are never negative are drawn in decibels under the loudest one. Values with a sign,
    such as levels in dB, are drawn as they are, from the lowest to the highest; pass ``abs(array)`` for magnitudes.

    Args:
        array (ndarray): time first, frequency second, real or complex; units are welcome and not needed. A picture
            never exceeds 2000 x 1024 pixels: beyond that a pixel shows the largest of its values.
        path (str | Path): the file to write.
        floor_db (float | None): level that is drawn darkest, in dB under the loudest value, < 0; None chooses one
            between -160 and -40 that leaves a fifth of the picture darkest.

    Shape:
        ``[frames, bands]``

    Returns:
        Path: the file written.

    Raises:
        DimensionError: ``array`` has not two dimensions, or is empty.
        DeclarationError: ``floor_db`` is not negative.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     spectrogram_png(np.eye(8), f"{folder}/diagonal.png").name
        'diagonal.png'

    See Also:
        waveform_png: for samples.
    """
    return _write(_spectrogram(array, floor_db), path)


def _envelope(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest sample of each picture column, in full scale -1..1."""
    edges = group_edges(len(samples), min(len(samples), _MAX_COLUMNS))
    # fmin and fmax pass over NaN, so that a recording of hours needs no cleaned copy
    low, high = (extreme.reduceat(samples, edges[:-1]).astype(np.float64) for extreme in (np.fmin, np.fmax))
    return np.nan_to_num(low, posinf=1.0, neginf=-1.0), np.nan_to_num(high, posinf=1.0, neginf=-1.0)


def waveform_png(samples: np.ndarray, path: str | Path, height: int = _HEIGHT) -> Path:
    """Write the envelope of samples as a picture: dark on white, each channel in a band of its own.

    Args:
        samples (ndarray): samples, or complex numbers, of which magnitudes are drawn; the picture's full height is the
            larger of 1 and the peak.
        path (str | Path): the file to write.
        height (int): height of a channel's band, in pixels, >= 2.

    Shape:
        ``[time]`` or ``[time, channels]``

    Returns:
        Path: the file written.

    Raises:
        DimensionError: ``samples`` has more than two dimensions, or is empty.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     waveform_png(np.sin(np.arange(100)), f"{folder}/sine.png").stat().st_size > 0
        True

    See Also:
        spectrogram_png: for time-frequency arrays.
    """
    return _write(_waveform(samples, height), path)


def _waveform(samples: np.ndarray, height: int) -> np.ndarray:
    if samples.ndim not in (1, 2) or not samples.size:
        raise DimensionError(
            f"a waveform needs samples, or samples x channels, at least one of each, and got the shape {samples.shape}"
        )
    plain = np.asarray(samples)
    channels = (abs(plain) if plain.dtype.kind == "c" else plain).reshape(len(samples), -1).T
    return _enlarged(np.concatenate([_draw_channel(channel, height) for channel in channels]), rows=1)


def _draw_channel(channel: np.ndarray, height: int) -> np.ndarray:
    low, high = _envelope(channel)
    scale = max(1.0, -low.min(), high.max())
    row = np.arange(height)[:, None]
    # +scale is the top row and -scale the bottom one; even silence draws its zero line
    top = np.rint((1.0 - high / scale) / 2.0 * (height - 1))
    bottom = np.rint((1.0 - low / scale) / 2.0 * (height - 1))
    inside = (row >= top) & (row <= bottom)
    ink = perceptual_colours()[64]
    return np.where(inside[..., None], ink, np.uint8(255)).astype(np.uint8)


def array_pixels(array: np.ndarray, floor_db: float | None = None) -> np.ndarray:
    """Return the pixels of the picture that fits; ``array_png`` writes them.

    Args:
        array (ndarray): see ``array_png``.
        floor_db (float | None): see ``spectrogram_png``.

    Shape:
        ``[time]``, ``[time, channels]`` or ``[frames, bands] -> [rows, columns, 3]``

    Raises:
        DimensionError: three or more dimensions, none, or an empty array.

    Examples:
        >>> array_pixels(np.eye(8)).shape
        (384, 800, 3)
    """
    if array.ndim == 1 or isinstance(array, AudioSamples):
        return _waveform(array, _HEIGHT)
    return _spectrogram(array, floor_db)


def array_png(array: np.ndarray, path: str | Path, floor_db: float | None = None) -> Path:
    """Write the picture that fits: samples as a waveform, time-frequency arrays as a spectrogram.

    Args:
        array (ndarray): ``AudioSamples`` or anything of one dimension is drawn as a waveform, anything of two
            dimensions as a spectrogram.
        path (str | Path): the file to write.
        floor_db (float | None): see ``spectrogram_png``.

    Returns:
        Path: the file written.

    Raises:
        DimensionError: three or more dimensions, none, or an empty array.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     array_png(np.eye(8), f"{folder}/diagonal.png").suffix
        '.png'
    """
    return _write(array_pixels(array, floor_db), path)
