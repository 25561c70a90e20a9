"""Sound from magnitudes whose phases were lost.

Goal: hear a spectrogram, or its mel bands. Conventions: as in ``shorttime``; what comes back has the magnitudes that
were given, as nearly as the rounds allow, and not the samples of the original: magnitudes do not tell a signal from its
negative. Class: ``GriffinLimSynthesizer``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.griffinlim import check_rounds, griffin_lim
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import FrequencyDimension, OggVorbisWindowingFunc, SlaneyMelScale, WindowingFunc
from zounds_lite.spectral.functional.inverse import mel_to_magnitude
from zounds_lite.synthesize.shorttime import TransformSynthesizer, transform_size
from zounds_lite.timeseries import AudioSamples

__all__ = ["GriffinLimSynthesizer"]

_VORBIS = OggVorbisWindowingFunc()


class GriffinLimSynthesizer(TransformSynthesizer):
    """Finds a sound with given short-time magnitudes, after Griffin and Lim, with the acceleration of Perraudin et al.

    The overlap should be 75 % or more. All spectra of the sound are in memory while it is made: 16 bytes a bin in
    float32 and 32 in float64, and the sound twice, so 106 MB a minute at 44.1 kHz in frames of 2048 at a hop of 512 in
    float32.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window.
        n_iter (int): rounds, >= 0; each costs one inverse and one forward transform.
        momentum (float): how far each round goes on in the direction of the last, 0 to below 1; 0 is the slower method
            of 1984.
        seed (int): of what is left to chance in the first phases; the same seed gives the same sound.
        start (str): the first phases: "peaks" follows the tones that the magnitudes show; "random" does not.
        power (float): of mel bands, the exponent of the magnitude that was summed, > 0.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same.

    Raises:
        DeclarationError: an argument that is out of its range.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> scheme = SR11025().windowing_scheme(512, 128)
        >>> magnitudes = np.abs(stft(tone, scheme, OggVorbisWindowingFunc(), pad=True))
        >>> found = GriffinLimSynthesizer().synthesize(magnitudes)
        >>> again = np.abs(stft(found, scheme, OggVorbisWindowingFunc(), pad=True))
        >>> len(found), bool(np.linalg.norm(again - magnitudes) < 0.05 * np.linalg.norm(magnitudes))
        (11025, True)

    See Also:
        FFTSynthesizer: where phases are known. mel_to_magnitude: what it does with mel bands.

    Sources:
        As ``dsp.griffin_lim``.
    """

    n_iter: int
    momentum: float
    seed: int
    start: str
    power: float

    def __init__(
        self,
        windowing_func: WindowingFunc = _VORBIS,
        n_iter: int = 32,
        momentum: float = 0.99,
        seed: int = 0,
        start: str = "peaks",
        power: float = 2.0,
        analysis_windowing_func: WindowingFunc | None = None,
    ) -> None:
        super(TransformSynthesizer, self).__init__(
            windowing_func=windowing_func,
            n_iter=n_iter,
            momentum=momentum,
            seed=seed,
            start=start,
            power=power,
            analysis_windowing_func=analysis_windowing_func,
        )

    def validate(self) -> None:
        """Refuse anything but windows, and what is out of its range."""
        super().validate()
        check_rounds(self.n_iter, self.momentum, self.start)
        if not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise DeclarationError(f"seed={self.seed!r}; allowed: a whole number, 0 or more")
        if not self.power > 0:
            raise DeclarationError(f"power={self.power!r}; allowed: above 0, such as 2 for power")

    def synthesize(self, frames: Any, length: int | None = None) -> AudioSamples:
        """Return a sound with the magnitudes of the frames.

        Args:
            frames (ArrayWithUnits): magnitudes of short-time spectra, such as ``np.abs(stft(...))``, or mel bands, as
                ``MelBands`` gives; of complex spectra the magnitude counts. The first dimension is a ``TimeDimension``
                of windows.
            length (int | None): samples in the result; None: as many as the signal had if the frames know it,
                otherwise as far as they reach.

        Shape:
            [frames, bins, ...] -> [time, ...]

        Returns:
            AudioSamples: float32 for float32 and complex64 frames, otherwise float64. Samples under a frame with NaN or
            infinities are NaN.

        Raises:
            DimensionError: the frames have no windows in time, or no frequencies that this can invert.
            SampleRateError: time does not run at a whole number of hertz.
            DeclarationError: negative magnitudes, or a negative length.
        """
        return super().synthesize(self._magnitudes(frames), length)

    def _magnitudes(self, frames: Any) -> Any:
        dimensions: tuple[Any, ...] = getattr(frames, "dimensions", ())
        bands = dimensions[1] if len(dimensions) > 1 else None
        if not isinstance(bands, FrequencyDimension) or not isinstance(bands.scale, SlaneyMelScale):
            return frames
        last = np.moveaxis(frames, 1, -1)
        found = mel_to_magnitude(ArrayWithUnits(last, [dimensions[0], *dimensions[2:], bands]), power=self.power)
        return ArrayWithUnits(
            np.moveaxis(np.asarray(found), -1, 1), [dimensions[0], found.dimensions[-1], *dimensions[2:]]
        )

    def _overlapped(self, frames: np.ndarray, dimension: Any, hop: int, size: int) -> np.ndarray:
        return griffin_lim(
            np.abs(frames) if frames.dtype.kind == "c" else frames,
            hop,
            self._analysis(size),
            self.windowing_func(size),
            n_fft=transform_size(dimension, frames.shape[1], size),
            n_iter=self.n_iter,
            momentum=self.momentum,
            start=self.start,
            rng=self.seed,
        )
