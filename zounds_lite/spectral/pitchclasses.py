"""Scales of pitch classes: all octaves of a note are one.

Goal: which notes sound, whatever their octave. Conventions: as in ``scales``, but for bands: a pitch class has none, so
an axis of pitch classes cannot be sliced in hertz. A is at 440 Hz; class 0 is A, or C where ``first="C"``. Types:
``ChromaScale`` (notes between their neighbours, as documented), ``EllisChromaScale`` (the filters of librosa).
"""

from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.core import Coordinates
from zounds_lite.dsp.chroma import chroma_matrix
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.scales import ExplicitScale, FrequencyScale

__all__ = ["ChromaScale", "EllisChromaScale"]

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_CLASSES = {"A": 69, "C": 60}
"""Pitch classes that may come first, with a MIDI note of each."""


class ChromaScale(FrequencyScale):
    """The twelve pitch classes, each summed over all octaves.

    It has no bands of its own, only a way to sum a spectrum: a note reaches from the note below it to the note above
    it, with its own pitch in the middle. Notes that lie outside the spectrum do not count.

    Args:
        frequency_band (FrequencyBand): the notes that count, from > 0 Hz.
        first (str): the class that comes first: "A", or "C" as in librosa.

    Raises:
        DeclarationError: a band from 0 Hz or below, or another first class.

    Examples:
        >>> from zounds_lite.spectral import FFTScale
        >>> scale = ChromaScale(FrequencyBand(50, 5000))
        >>> weights = scale.basis(FFTScale(44100, 8192))
        >>> int(weights[:, round(440 * 8192 / 44100)].argmax())
        0

    Sources:
        Equal temperament, A4 = 440 Hz (ISO 16:1975).
    """

    first: str
    always_even = False

    def __init__(self, frequency_band: FrequencyBand, first: str = "A") -> None:
        Declared.__init__(self, frequency_band=frequency_band, first=first)

    def validate(self) -> None:
        """Refuse bands without a lowest note, and classes that cannot come first."""
        super().validate()
        if self.start_hz <= 0:
            raise DeclarationError(f"notes from {self.start_hz} Hz; allowed: from above 0 Hz, such as 27.5 Hz")
        if self.first not in _CLASSES:
            raise DeclarationError(f"first={self.first!r}; allowed: {', '.join(map(repr, _CLASSES))}")

    @property
    def n_bands(self) -> int:  # type: ignore[override]
        """Twelve."""
        return 12

    def coordinates(self) -> Coordinates:
        """Return the names of the pitch classes.

        Examples:
            >>> ChromaScale(FrequencyBand(50, 5000)).coordinates().values.tolist()
            ['A', 'A#', 'B', 'C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#']
        """
        first = _NAMES.index(self.first)
        return Coordinates("pitch class", "", np.array(_NAMES[first:] + _NAMES[:first]))

    def _edges(self) -> NoReturn:
        raise UnitIndexError(
            "a pitch class has no band of its own: it gathers all octaves; slice the spectrum before, or use integers"
        )

    @cached_property
    def notes(self) -> ExplicitScale:
        """One band per note: from the note below to the note above."""
        low, high = np.round(12 * np.log2(np.array([self.start_hz, self.stop_hz]) / 440)).astype(int)
        hz = (440 * 2.0 ** (np.arange(low - 1, high + 2) / 12)).tolist()
        return ExplicitScale(FrequencyBand(a, b) for a, b in zip(hz[:-2], hz[2:], strict=True))

    def basis(self, other: FrequencyScale, window: Any = None) -> np.ndarray:
        """Return the weights that sum an axis into pitch classes.

        Args:
            other (FrequencyScale): the scale of the axis to sum.
            window (WindowingFunc | None): the shape of a note between its neighbours; None weights all of it alike.

        Shape:
            -> [12, len(other)]
        """
        weights = self.notes.basis(other, window)
        # a band takes the bin nearest to it, so notes beyond the axis would all take its last one
        bins = other.center_frequencies
        outside = (self.notes.band_starts > bins[-1]) | (self.notes.band_stops < bins[0])
        weights[outside] = 0.0
        lowest = round(12 * np.log2(self.start_hz / 440)) + 69
        classes = (np.arange(len(weights)) + lowest - _CLASSES[self.first]) % 12
        result = np.zeros((12, weights.shape[1]), weights.dtype)
        np.add.at(result, classes, weights)
        return result

    def get_slice(self, index: Any) -> slice:
        """Pass slices of integers on; pitch classes cannot be sliced in hertz."""
        if isinstance(index, slice) and not any(isinstance(b, float) for b in (index.start, index.stop)):
            return index
        return self._edges()


class EllisChromaScale(ChromaScale):
    """The twelve pitch classes of librosa: a Gaussian bump per note, and octaves weighted around a middle one.

    Each bin of a spectrum is shared among the classes by how near they are, with a width of one bin or one semitone,
    whichever is wider; so low notes blur, and nothing is lost between notes.

    Args:
        first (str): the class that comes first: "C", as in librosa, or "A".
        tuning (float): how far the instruments are tuned above A = 440 Hz, in semitones.
        center_octave (float): where the weights of octaves have their middle, in octaves above 27.5 Hz.
        octave_width (float | None): width of the Gaussian that weights octaves, in octaves, > 0; None weights all of
            them alike.

    Raises:
        DeclarationError: a first class that cannot be, no finite tuning or octave, or a width that is not positive.

    Examples:
        >>> from zounds_lite.spectral import FFTScale
        >>> weights = EllisChromaScale().basis(FFTScale(22050, 4096))
        >>> int(weights[:, round(440 * 4096 / 22050)].argmax())
        9

    See Also:
        chroma_stft: what librosa does with them.

    Sources:
        D. Ellis, "Chroma feature analysis and synthesis" (2007), LabROSA, Columbia University; librosa 0.11,
        ``filters.chroma``.
    """

    tuning: float
    center_octave: float
    octave_width: float | None

    def __init__(
        self,
        first: str = "C",
        tuning: float = 0.0,
        center_octave: float = 5.0,
        octave_width: float | None = 2.0,
    ) -> None:
        Declared.__init__(self, first=first, tuning=tuning, center_octave=center_octave, octave_width=octave_width)

    def validate(self) -> None:
        """Refuse classes that cannot come first, and weights that are no weights."""
        if self.first not in _CLASSES:
            raise DeclarationError(f"first={self.first!r}; allowed: {', '.join(map(repr, _CLASSES))}")
        for name in ("tuning", "center_octave"):
            if not np.isfinite(getattr(self, name)):
                raise DeclarationError(f"{name}={getattr(self, name)!r}; allowed: a finite number")
        if self.octave_width is not None and not 0 < self.octave_width < np.inf:
            raise DeclarationError(f"octave_width={self.octave_width!r}; allowed: above 0, or None")

    @cached_property
    def frequency_band(self) -> FrequencyBand:  # type: ignore[override]
        """The keys of a piano; what lies outside counts too, but less."""
        return FrequencyBand(27.5, 4186.01)

    def basis(self, other: FrequencyScale, window: Any = None) -> np.ndarray:
        """Return the weights that sum an axis into pitch classes; they have their own shape, so no window is taken.

        Args:
            other (FrequencyScale): the axis of a Fourier transform.
            window (None): must be None.

        Shape:
            -> [12, len(other)]

        Raises:
            DimensionError: ``other`` is no axis of a Fourier transform.
            DeclarationError: a window was given.
        """
        if not isinstance(other, FFTScale):
            raise DimensionError(f"Ellis' chroma on a {type(other).__name__}; allowed: the axis of fft or stft")
        if window is not None:
            raise DeclarationError(f"window={window!r} for Ellis' chroma, which has its own shape; give None")
        matrix = chroma_matrix(
            other.samplerate,
            other.n_fft,
            tuning=self.tuning,
            center_octave=self.center_octave,
            octave_width=self.octave_width,
            first=self.first,
        )
        return matrix[:, other.start : other.stop]

    __repr__ = Declared.__repr__
