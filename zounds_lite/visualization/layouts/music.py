"""Recordings as pictures of one size, for eyes and for classifiers.

Goal: recordings of any length, rate and number of channels become arrays of one shape. Conventions: float32 in 0..1,
(size, size) or (size, size, 3), row 0 at the top; time runs to the right and low frequencies are at the bottom, or in
the middle where bands are ordered from there. Type: ``MusicPicture``; function: ``pixels_of``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp import self_similarity
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import FrequencyBand
from zounds_lite.visualization.histogram import amplitude_histogram
from zounds_lite.visualization.layouts.colour import hsl_to_rgb
from zounds_lite.visualization.layouts.colourfeatures import COLOUR_FEATURES, colour_planes
from zounds_lite.visualization.layouts.levels import bands_of, levels
from zounds_lite.visualization.layouts.orders import hilbert_order, quadtree_order, reading_order
from zounds_lite.visualization.layouts.placing import (
    assemble_tiles,
    centre_out,
    split_tiles,
    squeezed,
    upright,
    wrapping,
)
from zounds_lite.visualization.layouts.sound import Sound
from zounds_lite.visualization.png import png_bytes

__all__ = ["MusicPicture", "pixels_of"]

_MOST_PIXELS = 4096
_USUAL_BAND = FrequencyBand(50, 8000)
_BPM_WITHOUT_BEAT = 120.0
_DIFFERENT_DB = 8.0
"""Columns whose levels differ by this, as the root of the mean square over bands, have a similarity of 0.61."""

_HUE_OF_ONE = 0.75
"""Hue is a circle; red to violet keeps its ends apart."""


class MusicPicture(Declared):
    """A way to draw a recording as one picture of a fixed size.

    ================= =================================================================================================
    kind              what a picture shows
    ================= =================================================================================================
    waveform          the lowest and highest sample of each column
    histogram         how often each amplitude occurs in each column; full scale at the top
    spectrogram       magnitudes in dB, frequency linear up to half the sample rate
    mel               ``n_bands`` mel bands of magnitudes, in dB
    perceptual        the same, weighted as they are heard (A-weighting at the centres of the bands)
    centred           the same, the lowest band in the middle and higher ones around it
    wrapped           rows of a power of two beats, one below the other, each centred
    tiles             square tiles of time, each centred, in the order of text
    quadtree          the same tiles, in the order of a quadtree
    hilbert           the same tiles, along a Hilbert curve
    self_similarity   how alike the weighted levels of any two columns are (Gaussian); the start is at the lower left
    colour            hue, saturation and lightness from three features
    ================= =================================================================================================

    Recordings may have any length, from one sample on, any rate and any number of channels, which are averaged. All of
    a recording is in its picture; ``wrapped`` alone leaves out what makes no full row, at both ends. Besides the
    samples, little memory is used, whatever their number.

    Args:
        kind (str): one of ``MusicPicture.kinds``.
        size (int): rows and columns in pixels, 1 to 4096.
        n_bands (int): bands of mel, perceptual and centred, >= 1. Where there would be bands without a bin of the
            transform, there are fewer.
        grid (int): tiles in a row and in a column, 1 to ``size``; a power of two for hilbert.
        tempo (float | None): beats per minute of wrapped, > 0; None: as estimated, and 120 where there is no beat.
        exponent (float): the power of tiles and rows is raised to it, > 0; 2 doubles the range of levels.
        hue, saturation, lightness (str): features of colour: ``"centroid"``, ``"spread"``, ``"rolloff"``,
            ``"flatness"``, ``"power"`` (of each column) or ``"magnitude"`` (of each band in it).
        band (FrequencyBand): the frequencies that bands and features cover; none beyond half the sample rate.
        range_db (float): levels from black to white, in dB, > 0.
        white_db (float | None): the level that is white, in dB relative to a tone of full scale (below 1 kHz, before
            weighting); None: the loudest of each picture, so that volume does not matter. In either case silence is
            black.

    Raises:
        DeclarationError: an argument is out of its range.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> picture = MusicPicture("hilbert")(tone)
        >>> picture.shape, picture.dtype, float(picture.min()), float(picture.max())
        ((224, 224), dtype('float32'), 0.0, 1.0)
        >>> [MusicPicture(kind, size=33)(tone).shape for kind in ("mel", "colour")]
        [(33, 33), (33, 33, 3)]

    See Also:
        MusicPictures: the node, for documents.
    """

    kinds: ClassVar[tuple[str, ...]] = (
        "waveform", "histogram", "spectrogram", "mel", "perceptual", "centred", "wrapped", "tiles", "quadtree",
        "hilbert", "self_similarity", "colour",
    )  # fmt: skip

    kind: str
    size: int
    n_bands: int
    grid: int
    tempo: float | None
    exponent: float
    hue: str
    saturation: str
    lightness: str
    band: FrequencyBand
    range_db: float
    white_db: float | None

    def __init__(
        self,
        kind: str = "perceptual",
        size: int = 224,
        n_bands: int = 24,
        grid: int = 16,
        tempo: float | None = None,
        exponent: float = 1.0,
        hue: str = "centroid",
        saturation: str = "flatness",
        lightness: str = "magnitude",
        band: FrequencyBand = _USUAL_BAND,
        range_db: float = 80.0,
        white_db: float | None = None,
    ) -> None:
        super().__init__(
            kind=kind,
            size=size,
            n_bands=n_bands,
            grid=grid,
            tempo=tempo,
            exponent=exponent,
            hue=hue,
            saturation=saturation,
            lightness=lightness,
            band=band,
            range_db=range_db,
            white_db=white_db,
        )

    def validate(self) -> None:
        """Refuse what cannot be drawn."""
        if self.kind not in self.kinds:
            raise DeclarationError(f"kind={self.kind!r}; allowed: {', '.join(self.kinds)}")
        for name, most in (("size", _MOST_PIXELS), ("n_bands", _MOST_PIXELS), ("grid", _MOST_PIXELS)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not 1 <= value <= most:
                raise DeclarationError(f"{name}={value!r}; allowed: a whole number from 1 to {most}")
        if self.kind in _TILED and self.grid > self.size:
            raise DeclarationError(f"grid={self.grid} tiles in {self.size} pixels; allowed: at most one for each pixel")
        if self.kind == "hilbert":
            hilbert_order(self.grid)
        for name in ("hue", "saturation", "lightness"):
            if getattr(self, name) not in COLOUR_FEATURES:
                raise DeclarationError(f"{name}={getattr(self, name)!r}; allowed: {', '.join(COLOUR_FEATURES)}")
        if not isinstance(self.band, FrequencyBand) or self.band.start_hz < 0:
            raise DeclarationError(f"band={self.band!r}; allowed: a FrequencyBand from 0 Hz or above")
        for name in ("exponent", "range_db", "tempo"):
            value = getattr(self, name)
            if not (value is None and name == "tempo") and not 0 < value < np.inf:
                raise DeclarationError(f"{name}={value!r}; allowed: above 0")
        if self.white_db is not None and not np.isfinite(self.white_db):
            raise DeclarationError(f"white_db={self.white_db!r}; allowed: a level in dB, or None")

    def __call__(self, samples: Any) -> np.ndarray:
        """Draw a recording.

        Args:
            samples (AudioSamples): one sample or more.

        Shape:
            [time] or [time, channels] -> [size, size], or [size, size, 3] for colour

        Returns:
            np.ndarray: float32, 0..1.

        Raises:
            DimensionError: something else than audio.
            EmptyAudio: no samples.
            NonFiniteAudio: samples that are NaN or infinite.
        """
        return np.ascontiguousarray(_KINDS[self.kind](self, Sound(samples)), dtype=np.float32)

    def to_png(self, samples: Any, path: str | Path) -> Path:
        """Draw a recording and write the picture, one pixel for each element.

        Args:
            samples (AudioSamples): one sample or more.
            path (str | Path): the file to write.

        Returns:
            Path: the file written.
        """
        path = Path(path)
        path.write_bytes(png_bytes(pixels_of(self(samples))))
        return path

    def _levels(self, sound: Sound, power: np.ndarray, hz: np.ndarray | None, exponent: float = 1.0) -> np.ndarray:
        return levels(power, sound, hz, self.range_db, self.white_db, exponent)

    @property
    def _band(self) -> tuple[float, float]:
        return float(self.band.start_hz), float(self.band.stop_hz)


def pixels_of(picture: Any) -> np.ndarray:
    """Turn brightness or colours in 0..1 into 8-bit pixels, for ``png_bytes``.

    Args:
        picture (np.ndarray): (rows, columns) or (rows, columns, 3), in 0..1.

    Raises:
        DimensionError: another shape.
        DeclarationError: values outside 0..1, or NaN.

    Examples:
        >>> pixels_of([[0.0, 0.5, 1.0]])
        array([[  0, 128, 255]], dtype=uint8)
    """
    x = np.asarray(picture)
    if x.ndim not in (2, 3) or x.shape[2:] not in ((), (3,)):
        raise DimensionError(f"a picture of shape {x.shape}; allowed: (rows, columns) or (rows, columns, 3)")
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise DeclarationError(f"a picture of {x.min()} to {x.max()}; allowed: 0 to 1, without NaN")
    return np.rint(255 * x.astype(np.float64)).astype(np.uint8)


# what each kind draws -------------------------------------------------------------------------------------------------


def _waveform(picture: MusicPicture, sound: Sound) -> np.ndarray:
    size = picture.size
    out = np.zeros((size, size))
    for column, part in enumerate(sound.stretches(size)):
        top, bottom = (int(np.clip((1 - amplitude) / 2 * size, 0, size - 1)) for amplitude in (part.max(), part.min()))
        out[top : bottom + 1, column] = 1
    return out


def _histogram(picture: MusicPicture, sound: Sound) -> np.ndarray:
    full = sound.full_scale
    return np.asarray(amplitude_histogram(sound.samples, picture.size, picture.size, (-full, full)))[::-1]


def _spectrogram(picture: MusicPicture, sound: Sound) -> np.ndarray:
    power = sound.columns(picture.size, lambda spectra: np.abs(spectra) ** 2)
    # before there are decibels, and as sums where a row covers several bins, so that a tone stays as bright
    power = squeezed(power, picture.size, picture.size) * max(1.0, power.shape[1] / picture.size)
    return upright(picture._levels(sound, power, None))


def _mel(picture: MusicPicture, sound: Sound) -> np.ndarray:
    return squeezed(upright(_bands_of_magnitude(picture, sound, weighted=False)), picture.size, picture.size)


def _perceptual(picture: MusicPicture, sound: Sound) -> np.ndarray:
    return squeezed(upright(_bands_of_magnitude(picture, sound, weighted=True)), picture.size, picture.size)


def _centred(picture: MusicPicture, sound: Sound) -> np.ndarray:
    level = _bands_of_magnitude(picture, sound, weighted=True)
    return squeezed(centre_out(level.T), picture.size, picture.size)


def _bands_of_magnitude(picture: MusicPicture, sound: Sound, weighted: bool) -> np.ndarray:
    bands = bands_of(sound, picture.n_bands, *picture._band)
    power = sound.columns(picture.size, bands.of_magnitude)
    return picture._levels(sound, power, bands.hz if weighted else None)


def _wrapped(picture: MusicPicture, sound: Sound) -> np.ndarray:
    size = picture.size
    samples_per_beat = 60 * sound.rate / (picture.tempo or sound.tempo or _BPM_WITHOUT_BEAT)
    rows, pixels, beats = wrapping(len(sound) / samples_per_beat, size)
    length = min(len(sound), max(1, round(rows * beats * samples_per_beat)))
    start = (len(sound) - length) // 2
    strip = _centred_strip(picture, sound, rows * size, pixels, start, start + length)
    # the pixels that are left go to some of the rows
    edges = np.arange(rows + 1) * size // rows
    parts = split_tiles(strip, rows)
    return np.concatenate([squeezed(part, int(n), size) for part, n in zip(parts, np.diff(edges), strict=True)])


def _tiles(picture: MusicPicture, sound: Sound) -> np.ndarray:
    grid = picture.grid
    pixels = -(-picture.size // grid)
    strip = _centred_strip(picture, sound, grid * grid * pixels, pixels, 0, len(sound))
    whole = assemble_tiles(split_tiles(strip, grid * grid), _TILED[picture.kind](grid))
    return squeezed(whole, picture.size, picture.size)


def _centred_strip(picture: MusicPicture, sound: Sound, columns: int, rows: int, start: int, stop: int) -> np.ndarray:
    """Return a long strip of bands, ordered from the middle: (rows, columns)."""
    bands = bands_of(sound, rows, *picture._band)
    power = sound.columns(columns, bands.of_power, start, stop)
    level = picture._levels(sound, power, bands.hz, picture.exponent)
    return squeezed(centre_out(level.T), rows, columns)


def _self_similarity(picture: MusicPicture, sound: Sound) -> np.ndarray:
    bands = bands_of(sound, picture.n_bands, *picture._band)
    power = sound.columns(picture.size, bands.of_power)
    level = picture._levels(sound, power, bands.hz)
    width = _DIFFERENT_DB / picture.range_db * len(bands.hz) ** 0.5
    return self_similarity(level, "gaussian", width)[::-1]


def _colour(picture: MusicPicture, sound: Sound) -> np.ndarray:
    size, names = picture.size, (picture.hue, picture.saturation, picture.lightness)
    planes = colour_planes(sound, names, size, picture._band, picture.range_db, picture.white_db)
    hue, saturation, lightness = (np.broadcast_to(plane, (size, size)) for plane in planes)
    return hsl_to_rgb(_HUE_OF_ONE * hue, saturation, lightness)


_TILED: dict[str, Callable[[int], np.ndarray]] = {
    "tiles": reading_order,
    "quadtree": quadtree_order,
    "hilbert": hilbert_order,
}

_KINDS: dict[str, Callable[[MusicPicture, Sound], np.ndarray]] = {
    "waveform": _waveform,
    "histogram": _histogram,
    "spectrogram": _spectrogram,
    "mel": _mel,
    "perceptual": _perceptual,
    "centred": _centred,
    "wrapped": _wrapped,
    **dict.fromkeys(_TILED, _tiles),
    "self_similarity": _self_similarity,
    "colour": _colour,
}
