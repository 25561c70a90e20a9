"""Features that give colours: one plane of a picture each.

Goal: what a spectrum is like becomes hue, saturation or lightness, on scales that are the same for all recordings.
Conventions: planes are (rows, columns) or (1, columns), in 0..1. Function: ``colour_planes``; ``COLOUR_FEATURES`` names
the features.
"""

from collections.abc import Callable, Sequence

import numpy as np

from zounds_lite.dsp import centroid, flatness, rolloff, spread
from zounds_lite.dsp.curves import hz_to_slaney_mel
from zounds_lite.visualization.layouts.levels import bands_of, levels
from zounds_lite.visualization.layouts.placing import squeezed, upright
from zounds_lite.visualization.layouts.sound import Sound

__all__ = ["COLOUR_FEATURES", "colour_planes"]

_DESCRIPTORS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "centroid": centroid,
    "spread": spread,
    "rolloff": rolloff,
    "flatness": lambda spectra, hz: flatness(spectra),
    "power": lambda spectra, hz: (np.abs(spectra) ** 2).sum(axis=-1),
}

COLOUR_FEATURES = ("centroid", "spread", "rolloff", "flatness", "power", "magnitude")
"""What may become hue, saturation or lightness: numbers for each column, and the magnitude of each band in it."""


def colour_planes(
    sound: Sound, names: Sequence[str], size: int, band: tuple[float, float], range_db: float, white_db: float | None
) -> list[np.ndarray]:
    """Return planes of a picture.

    Centroid and rolloff are scaled in mel, and spread in hertz, from what the band allows at the least to what it
    allows at most; flatness is 0..1 by itself; power and magnitude are levels.

    Args:
        sound (Sound): the recording.
        names (Sequence[str]): of ``COLOUR_FEATURES``.
        size (int): rows and columns.
        band (tuple[float, float]): the lowest and the highest frequency that count, in Hz.
        range_db, white_db (float): as for ``levels``.

    Shape:
        -> one [size, size] or [1, size] for each name
    """
    bands = bands_of(sound, size, *band)
    start, stop = min(band[0], sound.rate / 4), min(band[1], sound.rate / 2)
    hz = np.arange(sound.n_fft // 2 + 1) * (sound.rate / sound.n_fft)
    inside = (hz >= start) & (hz <= stop)
    described = [name for name in _DESCRIPTORS if name in names]

    def measure(spectra: np.ndarray) -> np.ndarray:
        some = spectra[:, inside]
        numbers = [_DESCRIPTORS[name](some, hz[inside])[:, None] for name in described]
        return np.concatenate([*numbers, bands.of_power(spectra)], axis=1)

    columns = sound.columns(size, measure)
    planes = {name: _scaled(name, columns[:, i], start, stop)[None] for i, name in enumerate(described)}
    if "power" in planes:
        planes["power"] = levels(planes["power"], sound, None, range_db, white_db)
    if "magnitude" in names:
        level = levels(columns[:, len(described) :], sound, bands.hz, range_db, white_db)
        planes["magnitude"] = squeezed(upright(level), size, size)
    return [planes[name] for name in names]


def _scaled(name: str, values: np.ndarray, start: float, stop: float) -> np.ndarray:
    if name in ("centroid", "rolloff"):
        low, high = hz_to_slaney_mel(start), hz_to_slaney_mel(stop)
        values = (hz_to_slaney_mel(values) - low) / (high - low)
    elif name == "spread":
        values = values / ((stop - start) / 2)
    return values if name == "power" else np.clip(values, 0, 1)
