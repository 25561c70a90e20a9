"""Scales with bands of equal width, and the frequency axis of a Fourier transform.

Goal: a linear axis that knows exactly where its bands are; and one that knows which frequency each bin of a transform
is, and from how many samples it came, so that slices are right to the bin and the inverse to the sample. Conventions:
as in ``scales``; bin k of a transform of ``n_fft`` samples lies at ``k * samplerate / n_fft`` hertz, and a slice in
hertz takes the bins with start <= frequency < stop. Types: ``LinearScale``, ``FFTScale``.
"""

from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.scales import FrequencyScale, read_only

__all__ = ["FFTScale", "LinearScale"]

_ROUNDING = 1e-5
"""Bins: far more than what is rounded off in computing the bin at a frequency."""


class LinearScale(FrequencyScale):
    """Bands of equal width, side by side.

    Args:
        frequency_band (FrequencyBand): what the scale spans.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.
        grid (tuple | None): set on parts of a scale: start and stop in hertz and number of bands of the whole, and the
            first band of the part; so a part keeps the edges of its bands to the last bit.

    Examples:
        >>> scale = LinearScale(FrequencyBand(20, 20000), 10)
        >>> scale.Q[:3].round(8).tolist()
        [0.51001001, 1.51001001, 2.51001001]
        >>> len(scale[FrequencyBand(4000, 9000)])
        4
    """

    grid: tuple[float, float, int, int] | None

    def __init__(
        self,
        frequency_band: FrequencyBand,
        n_bands: int,
        always_even: bool = False,
        grid: tuple[float, float, int, int] | None = None,
    ) -> None:
        grid = None if grid is None else tuple(grid)  # type: ignore[assignment]  # validated
        Declared.__init__(self, frequency_band=frequency_band, n_bands=n_bands, always_even=always_even, grid=grid)

    def validate(self) -> None:
        """Refuse scales without bands, and parts that do not lie on their grid."""
        super().validate()
        if self.grid is None:
            return
        start, stop, n, first = self.grid if len(self.grid) == 4 else (0.0, 0.0, 0, 0)
        if not (start < stop and 0 <= first <= first + self.n_bands <= n):
            raise DeclarationError(
                f"grid={self.grid!r} for {self.n_bands} bands; allowed: (start_hz, stop_hz, n_bands, first) of a scale "
                "that has them, as slicing sets it"
            )

    @staticmethod
    def from_sample_rate(sample_rate: Any, n_bands: int, always_even: bool = False) -> "LinearScale":
        """Span 0 Hz to the Nyquist frequency.

        Args:
            sample_rate (SampleRate | int): a sample rate, or its number of samples per second.
            n_bands (int): number of bands, >= 1.
            always_even (bool): slices in hertz always take an even number of bands.
        """
        nyquist = int(getattr(sample_rate, "samples_per_second", sample_rate)) // 2
        return LinearScale(FrequencyBand(0, nyquist), n_bands, always_even)

    def _edges(self) -> tuple[Any, Any]:
        first = 0
        start, stop, n = self.start_hz, self.stop_hz, len(self)
        if self.grid is not None:
            start, stop, n, first = self.grid
        edges = np.linspace(start, stop, n + 1)[first : first + len(self) + 1]
        return edges[:-1], edges[1:]

    def _part(self, start: int, stop: int) -> FrequencyScale:
        low, high, n, first = self.grid or (self.start_hz, self.stop_hz, len(self), 0)
        band = FrequencyBand(float(self.band_starts[start]), float(self.band_stops[stop - 1]))
        return LinearScale(band, stop - start, self.always_even, (low, high, n, first + start))

    def _identity(self) -> Any:
        return self.start_hz, self.stop_hz, len(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LinearScale):
            return NotImplemented
        return bool(self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash(("LinearScale", *LinearScale._identity(self)))


class FFTScale(LinearScale):
    """The axis of a Fourier transform: bin k is the frequency k * samplerate / n_fft.

    It equals the documented ``LinearScale.from_sample_rate(samplerate, n_fft // 2 + 1)``, and in addition knows
    ``n_fft``, so that the inverse has the length of the analysis, odd or even. Its bands are one bin wide around each
    bin's frequency (the first one starts half a bin below 0 Hz); slices in hertz are half-open on the bins.

    Args:
        samplerate (int): samples per second of the signal, in hertz, >= 1.
        n_fft (int): samples in the transform, >= 1.
        start (int): first bin of a part of the axis.
        stop (int | None): bin after the last one of a part; None: all.

    Raises:
        DeclarationError: a rate or size below 1, or a part that holds no bins.

    Examples:
        >>> scale = FFTScale(44100, 2048)
        >>> len(scale), float(scale.bin_frequencies[-1])
        (1025, 22050.0)
        >>> scale == LinearScale.from_sample_rate(44100, 1025)
        True
        >>> scale.get_slice(FrequencyBand(200, 800))
        slice(10, 38, None)
    """

    samplerate: int
    n_fft: int
    start: int
    stop: int | None

    def __init__(self, samplerate: int, n_fft: int, start: int = 0, stop: int | None = None) -> None:
        Declared.__init__(self, samplerate=samplerate, n_fft=n_fft, start=start, stop=stop)

    def validate(self) -> None:
        """Refuse transforms without samples and parts without bins."""
        for name, lowest in (("samplerate", 1), ("n_fft", 1), ("start", 0), ("stop", 1)):
            value = getattr(self, name)
            if value is None and name == "stop":
                continue
            if not isinstance(value, (int, np.integer)) or value < lowest:
                raise DeclarationError(f"{name}={value!r}; allowed: a whole number >= {lowest}")
        if not self.start < self._end <= self.n_fft // 2 + 1:
            raise DeclarationError(
                f"bins {self.start} to {self.stop} of a transform of {self.n_fft} samples, "
                f"which has bins 0 to {self.n_fft // 2 + 1}"
            )

    always_even = False
    grid = None

    @property
    def _end(self) -> int:
        return self.n_fft // 2 + 1 if self.stop is None else self.stop

    @property
    def is_whole(self) -> bool:
        """True where the axis has all bins of the transform, as the inverse needs."""
        return self.start == 0 and self._end == self.n_fft // 2 + 1

    @property
    def n_bands(self) -> int:  # type: ignore[override]
        """Number of bins."""
        return int(self._end - self.start)

    @cached_property
    def frequency_band(self) -> FrequencyBand:  # type: ignore[override]
        """0 Hz to Nyquist, as documented; for a part, from its first band to its last one."""
        if self.is_whole and self.samplerate > 1:
            return FrequencyBand(0, self.samplerate // 2)
        half = self.samplerate / self.n_fft / 2
        return FrequencyBand(self._hz(self.start) - half, self._hz(self._end - 1) + half)

    def _hz(self, k: int) -> float:
        return k * self.samplerate / self.n_fft

    @cached_property
    def bin_frequencies(self) -> np.ndarray:
        """Frequency of each bin in hertz."""
        return read_only(np.arange(self.start, self._end) * self.samplerate / self.n_fft)

    @property
    def center_frequencies(self) -> np.ndarray:
        """Frequency of each bin in hertz."""
        return self.bin_frequencies

    @cached_property
    def bandwidths(self) -> np.ndarray:
        """Distance between bins in hertz, for each bin."""
        return read_only(np.full(len(self), self.samplerate / self.n_fft))

    def _edges(self) -> tuple[Any, Any]:
        # odd multiples of half a bin, so that neighbours share their edge to the last bit
        edges = (2 * np.arange(self.start, self._end + 1) - 1) * self.samplerate / (2 * self.n_fft)
        return edges[:-1], edges[1:]

    @cached_property
    def _grid(self) -> tuple[int, int, int, int, float, float]:
        """What slices need: rate, size, first bin, bin after the last one, and the frequencies of first and last."""
        start, end = self.start, self._end
        return self.samplerate, self.n_fft, start, end, self._hz(start), self._hz(end - 1)

    def _first_at_or_above(self, hz: float) -> int:
        """Return the first of these bins, from 0, whose frequency, as we compute it, is not below ``hz``."""
        samplerate, n_fft, start, end, lowest, highest = self._grid
        if hz <= lowest:
            return 0
        if hz > highest:
            return end - start
        exactly = hz * n_fft / samplerate
        k = ceil(exactly)
        if _ROUNDING < k - exactly < 1 - _ROUNDING:
            return k - start
        while (k - 1) * samplerate / n_fft >= hz:
            k -= 1
        while k * samplerate / n_fft < hz:
            k += 1
        return k - start

    def _touched(self, start_hz: float | None, stop_hz: float | None) -> tuple[int, int]:
        start = 0 if start_hz is None else self._first_at_or_above(start_hz)
        stop = len(self) if stop_hz is None else self._first_at_or_above(stop_hz)
        return start, stop if stop > start else start

    def _part(self, start: int, stop: int) -> FrequencyScale:
        # as FFTScale(...) would be, but for the checks: slices of an axis are made often, and always fit
        part = object.__new__(FFTScale)
        part.__dict__.update(
            samplerate=self.samplerate, n_fft=self.n_fft, start=self.start + start, stop=self.start + stop
        )
        return part

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FFTScale):
            # a part that begins and ends with the transform is the whole
            return (self.samplerate, self.n_fft, self.start, self._end) == (
                other.samplerate,
                other.n_fft,
                other.start,
                other._end,
            )
        return super().__eq__(other)

    __hash__ = LinearScale.__hash__
