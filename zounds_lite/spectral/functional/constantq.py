"""Constant-Q transform with units.

Goal: ``dsp.cqt`` on arrays that know seconds and hertz. Conventions: time comes first; frame t is centred at sample
t * hop, so its element on the time axis is the hop around that sample; bands are as wide as their distance to the
neighbours on both sides asks for, f / Q. Functions: ``cqt``, ``constant_q_of_axes``; type: ``ConstantQAxes``, which
puts units on the transform's results, whole or in chunks.
"""

import math
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.constantq import ConstantQ
from zounds_lite.dsp.constantq_atoms import C1_HZ, Window, relative_bandwidth
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.functional.axes import sample_rate_of, windowed_dimension
from zounds_lite.spectral.perceptual import GeometricScale
from zounds_lite.timeseries import TimeDimension

__all__ = ["ConstantQAxes", "constant_q_of_axes", "cqt"]


class ConstantQAxes:
    """A constant-Q transform for a signal with units, and the units of its results.

    Args:
        x (ArrayWithUnits): the signal, or a chunk of it; the first dimension counts samples.
        hop (int | np.timedelta64): from one frame to the next: samples, or a duration that is rounded up to samples.
        start_hz (float): centre of the first band in Hz.
        n_bands (int): number of bands.
        bands_per_octave (float): bands in an octave.
        filter_scale (float): factor of all lengths.
        window (str | Callable): the window of the atoms.
        exact (bool): whether to compute the definition itself.

    Raises:
        DimensionError: the first dimension is no axis of time.
        SampleRateError: it counts no samples at a whole number of hertz.
        DeclarationError: as for ``ConstantQ``.
    """

    def __init__(
        self,
        x: Any,
        hop: Any,
        start_hz: float,
        n_bands: int,
        bands_per_octave: float,
        filter_scale: float,
        window: Window,
        exact: bool,
    ) -> None:
        dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
        if not dimensions:
            raise DimensionError(f"{type(x).__name__} has no units; give an array with units, such as AudioSamples")
        rate = sample_rate_of(dimensions[0], 0)
        self._time, *self._others = dimensions
        samples = self._time.samples_in(hop) if isinstance(hop, np.timedelta64) else hop
        self.bank = ConstantQ(rate, samples, start_hz, n_bands, bands_per_octave, filter_scale, window, exact)
        stop = float(self.bank.center_hz[-1]) if n_bands > 1 else start_hz * 2.0 ** (1.0 / bands_per_octave)
        self._frequencies = FrequencyDimension(GeometricScale(start_hz, stop, 1.0 / self.bank.q, int(n_bands)))

    def with_units(self, spectra: np.ndarray, **notes: Any) -> ArrayWithUnits:
        """Put units on frames.

        Args:
            spectra (np.ndarray): what the transform gave.
            notes (Any): what is known of the whole signal: ``start``, ``n_samples``.

        Shape:
            [..., frames, bands] -> [frames, bands, ...]
        """
        hop = self.bank.hop
        if notes:
            # frame 0 starts half a hop before the signal
            notes["padding"] = hop // 2
        time = windowed_dimension(self._time, hop, hop, **notes)
        moved = spectra if spectra.ndim == 2 else np.moveaxis(spectra, (-2, -1), (0, 1))
        return ArrayWithUnits(moved, [time, self._frequencies, *self._others])


def cqt(
    x: Any,
    hop: Any = 512,
    start_hz: float = C1_HZ,
    n_bands: int = 84,
    bands_per_octave: float = 12,
    filter_scale: float = 1.0,
    window: Window = "hann",
    exact: bool = False,
) -> ArrayWithUnits:
    """Transform a sound to bands that are spaced like notes, with windows that fit their pitch.

    Args:
        x (AudioSamples | ArrayWithUnits): real samples; the first dimension is that of time.
        hop (int | np.timedelta64): from one frame to the next: samples, or a duration that is rounded up to samples.
            For an inverse, at most half the shortest atom.
        start_hz (float): centre of the first band in Hz; by default the note C1.
        n_bands (int): number of bands; the last one must not reach beyond half the sample rate.
        bands_per_octave (float): bands in an octave, > 0.
        filter_scale (float): factor of all lengths, > 0: below 1 for sharper times and blunter pitches.
        window (str | Callable): "hann", "hamming", or a function of a size, such as a ``WindowingFunc``.
        exact (bool): compute the definition itself instead of an approximation within 1e-3, many times slower.

    Shape:
        [time, ...] -> [frames, n_bands, ...]

    Returns:
        ArrayWithUnits: complex, scaled like ``librosa.cqt``. n samples give 1 + n // hop frames.

    Raises:
        DimensionError: the first dimension is no axis of time.
        SampleRateError: it counts no samples at a whole number of hertz.
        DeclarationError: numbers out of range, or bands beyond half the sample rate.

    Examples:
        >>> from zounds_lite.spectral import Hertz
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR22050, Seconds
        >>> tone = SineSynthesizer(SR22050()).synthesize(Seconds(1), [440.0])
        >>> spectra = cqt(tone, start_hz=55.0, n_bands=60)
        >>> spectra.shape, int(np.abs(spectra[20]).argmax()), spectra[:, Hertz(440)].shape
        ((44, 60), 36, (44,))

    See Also:
        CQT: the node. CQTSynthesizer: the inverse. stft: bands of equal width.

    Sources:
        J. C. Brown, "Calculation of a constant Q spectral transform", J. Acoust. Soc. Am. 89 (1991).
    """
    axes = ConstantQAxes(x, hop, start_hz, n_bands, bands_per_octave, filter_scale, window, exact)
    samples = np.asarray(x)
    spectra = axes.bank.transform(np.moveaxis(samples, 0, -1))
    return axes.with_units(spectra, start=x.dimensions[0].start, n_samples=len(samples))


def constant_q_of_axes(spectra: Any, window: Window = "hann") -> ConstantQ:
    """Return the transform that made coefficients, from what their axes know.

    Args:
        spectra (ArrayWithUnits): the result of ``cqt``, all its bands.
        window (str | Callable): the window of the atoms, which axes do not know.

    Raises:
        DimensionError: axes that ``cqt`` does not give.
        DeclarationError: magnitudes, or an unknown window.
    """
    dimensions: tuple[Any, ...] = getattr(spectra, "dimensions", ())
    time, frequencies = dimensions[:2] if len(dimensions) > 1 else (None, None)
    scale = frequencies.scale if isinstance(frequencies, FrequencyDimension) else None
    if not isinstance(time, TimeDimension) or time.rate is None or time.hop is None:
        raise DimensionError(f"{type(spectra).__name__} with dimensions {dimensions!r}; needed: the result of cqt")
    if not isinstance(scale, GeometricScale):
        raise DimensionError(
            f"bands of a {type(scale).__name__}; needed: all bands of cqt, which are a GeometricScale: set the others "
            "to zero instead of slicing them away"
        )
    if np.asarray(spectra).dtype.kind != "c":
        raise DeclarationError(
            f"coefficients of {np.asarray(spectra).dtype}; allowed: complex ones, since a sound does not follow from "
            "magnitudes alone"
        )
    octaves = math.log2(scale.stop_center_hz / scale.start_center_hz)
    bands_per_octave = _rounded(max(1, len(scale) - 1) / octaves)
    filter_scale = _rounded(relative_bandwidth(bands_per_octave) / scale.bandwidth_ratio)
    return ConstantQ(time.rate, time.hop, scale.start_center_hz, len(scale), bands_per_octave, filter_scale, window)


def _rounded(value: float) -> float:
    """Undo the rounding errors of a number that was given with few digits."""
    few = round(value, 6)
    return few if abs(few - value) <= 1e-9 * value else value
