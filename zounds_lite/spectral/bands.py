"""Frequencies and bands of frequencies.

Goal: numbers that know that they are hertz, and intervals of them, so that an axis can be sliced by frequency.
Conventions: every frequency is in hertz, whatever unit it was written in; a band runs from ``start_hz`` to ``stop_hz``
and is never empty. Types: ``Hertz`` (``Hz``), ``Bark``, ``Mel``, ``FrequencyBand``.
"""

import math
from typing import Any, Self

from zounds_lite._declared import Declared
from zounds_lite.dsp.curves import bark_to_hz, hz_to_bark, hz_to_mel, mel_to_hz
from zounds_lite.errors import FrequencyBandError

__all__ = ["Bark", "FrequencyBand", "Hertz", "Hz", "Mel"]


class Hertz(float):
    """A frequency; a slice bound on a frequency axis.

    Sums, differences and multiples of frequencies are frequencies; the quotient of two is a plain number.

    Args:
        hz (float): the frequency in hertz; a negative bound counts from the upper end of the axis.

    Examples:
        >>> Hertz(440) * 2, -Hertz(100), Hertz(440) + 20
        (Hertz(880.0), Hertz(-100.0), Hertz(460.0))
        >>> Hertz(880) / Hertz(440)
        2.0
    """

    __slots__ = ()

    def __new__(cls, hz: float) -> Self:
        return super().__new__(cls, hz)

    @property
    def hz(self) -> float:
        """The frequency in hertz, as a plain number."""
        return float(self)

    def __repr__(self) -> str:
        return f"Hertz({float(self)!r})"

    def __hash__(self) -> int:
        return hash(float(self))

    def __reduce__(self) -> tuple[Any, ...]:
        # copies and pickles take the value as it is, in hertz, past the conversion of a subclass
        return float.__new__, (type(self), float(self))

    def __neg__(self) -> "Hertz":
        return Hertz(-float(self))

    def __pos__(self) -> "Hertz":
        return self

    def __abs__(self) -> "Hertz":
        return Hertz(abs(float(self)))

    def __add__(self, other: Any) -> Any:
        return _frequency(float(self).__add__(_plain(other)))

    def __sub__(self, other: Any) -> Any:
        return _frequency(float(self).__sub__(_plain(other)))

    def __rsub__(self, other: Any) -> Any:
        return _frequency(float(self).__rsub__(_plain(other)))

    def __mul__(self, other: Any) -> Any:
        product = float(self).__mul__(_plain(other))
        return product if isinstance(other, Hertz) else _frequency(product)

    def __truediv__(self, other: Any) -> Any:
        quotient = float(self).__truediv__(_plain(other))
        return quotient if isinstance(other, Hertz) else _frequency(quotient)

    __radd__ = __add__
    __rmul__ = __mul__


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Hertz) else value


def _frequency(value: Any) -> Any:
    return value if value is NotImplemented else Hertz(value)


Hz = Hertz


class Bark(Hertz):
    """A frequency given in bark.

    Args:
        bark (float): the frequency in bark.

    Examples:
        >>> round(Bark(10).hz, 3), round(Bark.to_bark(1000.0), 3)
        (1531.684, 7.703)

    Sources:
        M. R. Schroeder, B. S. Atal, J. L. Hall, "Optimizing digital speech coders by exploiting masking properties of
        the human ear", J. Acoust. Soc. Am. 66 (1979): f = 600 sinh(b / 6).
    """

    def __new__(cls, bark: float) -> Self:
        return super().__new__(cls, float(bark_to_hz(bark)))

    @property
    def bark(self) -> float:
        """The frequency in bark."""
        return float(hz_to_bark(float(self)))

    @staticmethod
    def to_hz(bark: float) -> float:
        """Convert bark to hertz."""
        return float(bark_to_hz(bark))

    @staticmethod
    def to_bark(hz: float) -> float:
        """Convert hertz to bark."""
        return float(hz_to_bark(hz))


class Mel(Hertz):
    """A frequency given in mel.

    Args:
        mel (float): the frequency in mel.

    Examples:
        >>> round(Mel(1000).hz, 2), round(Mel.to_mel(1000.0), 2)
        (1000.01, 999.99)

    Sources:
        D. O'Shaughnessy, "Speech Communication" (1987), in natural logarithms: m = 1127 ln(1 + f / 700).
    """

    def __new__(cls, mel: float) -> Self:
        return super().__new__(cls, float(mel_to_hz(mel)))

    @property
    def mel(self) -> float:
        """The frequency in mel."""
        return float(hz_to_mel(float(self)))

    @staticmethod
    def to_hz(mel: float) -> float:
        """Convert mel to hertz."""
        return float(mel_to_hz(mel))

    @staticmethod
    def to_mel(hz: float) -> float:
        """Convert hertz to mel."""
        return float(hz_to_mel(hz))


class FrequencyBand(Declared):
    """An interval of frequencies.

    Args:
        start_hz (float): lower bound in hertz; may lie below 0, as the lowest bands of some scales do.
        stop_hz (float): upper bound in hertz, > ``start_hz``.

    Raises:
        FrequencyBandError: the band is empty or inverted, or a bound is no finite number.

    Examples:
        >>> band = FrequencyBand(500, 1000)
        >>> band.center_frequency, band.bandwidth
        (750.0, 500)
        >>> band.intersect(FrequencyBand(900, 2000)).start_hz
        900
    """

    start_hz: float
    stop_hz: float

    def __init__(self, start_hz: float, stop_hz: float) -> None:
        super().__init__(start_hz=_plain(start_hz), stop_hz=_plain(stop_hz))

    def validate(self) -> None:
        """Refuse bands that hold no frequency."""
        try:
            fine = math.isfinite(self.start_hz) and math.isfinite(self.stop_hz) and self.stop_hz > self.start_hz
        except TypeError as error:
            raise FrequencyBandError(f"{self._call()}: the bounds must be numbers, in hertz") from error
        if not fine:
            raise FrequencyBandError(f"{self._call()}: needs finite start_hz < stop_hz, in hertz")

    def _call(self) -> str:
        return f"FrequencyBand({self.start_hz!r}, {self.stop_hz!r})"

    @classmethod
    def from_start(cls, start_hz: float, bandwidth_hz: float) -> Self:
        """Build a band from its lower bound and its width, in hertz."""
        return cls(start_hz, start_hz + bandwidth_hz)

    @classmethod
    def from_center(cls, center_hz: float, bandwidth_hz: float) -> Self:
        """Build a band from its centre and its width, in hertz."""
        half = bandwidth_hz / 2
        return cls(center_hz - half, center_hz + half)

    @classmethod
    def audible_range(cls, samplerate: Any) -> Self:
        """Return 20 Hz to the Nyquist frequency.

        Args:
            samplerate (SampleRate | int): a sample rate, or its number of samples per second.
        """
        return cls(20, int(getattr(samplerate, "samples_per_second", samplerate)) // 2)

    @property
    def bandwidth(self) -> float:
        """Width in hertz."""
        return self.stop_hz - self.start_hz

    @property
    def center_frequency(self) -> float:
        """Middle in hertz."""
        return self.start_hz + self.bandwidth / 2

    def intersect(self, other: "FrequencyBand") -> "FrequencyBand":
        """Return the frequencies that both bands hold.

        Raises:
            FrequencyBandError: the bands do not overlap.
        """
        start, stop = self._common(other)
        if stop <= start:
            raise FrequencyBandError(
                f"{self._call()} and {other._call()} do not overlap; check with .intersection_ratio(other) > 0"
            )
        return FrequencyBand(start, stop)

    def intersection_ratio(self, other: "FrequencyBand") -> float:
        """Return how much of this band the other one holds, 0 to 1."""
        start, stop = self._common(other)
        return max(0.0, stop - start) / self.bandwidth

    def bandwidth_ratio(self, other: "FrequencyBand") -> float:
        """Return the width of the other band over the width of this one."""
        return other.bandwidth / self.bandwidth

    def _common(self, other: "FrequencyBand") -> tuple[float, float]:
        return max(self.start_hz, other.start_hz), min(self.stop_hz, other.stop_hz)

    def __repr__(self) -> str:
        return (
            f"FrequencyBand(\nstart_hz={self.start_hz},\nstop_hz={self.stop_hz},\n"
            f"center={self.center_frequency},\nbandwidth={self.bandwidth})"
        )
