"""From the peaks of a detection function to slices of time.

Goal: slices that follow each other from the start of a sound to its end, the same for any chunks, each handed on as
soon as it is known. Conventions: time counts from the first sample of the signal, before which the frames may reach.
Class: ``SliceStream``.

Where an onset lies. A frame covers the samples k hop - padding up to one window further, and says nothing of what
happens within. What it differs by from its neighbours is largest when the change lies where its window is high, so an
onset is put in the middle of its frame. Measured on ticks at 60 to 180 beats per minute with half-lapped Vorbis
windows, that is 0.2 hops late for ``ComplexDomain`` and ``SpectralFlux`` and 0.3 hops early for
``MeasureOfTransience``, each give or take the half hop that frames cannot resolve.
"""

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.timeseries import TimeDimension, TimeSlice
from zounds_lite.timeseries.durations import from_picoseconds

__all__ = ["SliceStream"]


class SliceStream:
    """The slices between onsets, in a stream.

    The first slice starts at zero: whatever is found within one frame of it is the start itself. The last one ends
    where the signal ends. What frames beyond the end are filled up with is no signal, so an onset in one of them is
    none, and slices are held back until there are frames that start two windows later: until then the signal might
    have ended.

    Args:
        windows (TimeDimension): axis of the windows of the detection function; window k stands for frame k.
        frame (TimeDimension): axis of the detection function: how long a frame is.
        padding (int): samples before the signal that the first frame covers.
        spacing (np.timedelta64 | None): what begins sooner than this after an onset, or the start, belongs to it.

    Examples:
        >>> axis = TimeDimension.windowed(hop=100, window=200, rate=1000)
        >>> stream = SliceStream(axis, axis)
        >>> peaks = np.zeros(30, bool)
        >>> peaks[[4, 28]] = True
        >>> stream.push(peaks)
        [TimeSlice(start = 0.0, duration = 0.5)]
        >>> stream.finish(n_samples=3000)
        [TimeSlice(start = 0.5, duration = 2.4), TimeSlice(start = 2.9, duration = 0.1)]
    """

    def __init__(
        self, windows: TimeDimension, frame: TimeDimension, padding: int = 0, spacing: np.timedelta64 | None = None
    ) -> None:
        self._hop, self._rate = _hop_of(windows)
        self._frame = _window_of(frame)
        self._padding = padding
        self._spacing = 0 if spacing is None else picoseconds(spacing)
        # nothing begins before this
        self._free = max(self._spacing, self._picoseconds(2 * self._frame) + 1)
        self._held = -(-5 * self._frame // (2 * self._hop))
        self._windows = 0
        self._pending: list[tuple[int, int]] = []  # (window, time of its onset)
        self._last = 0

    def push(self, peaks: np.ndarray) -> list[TimeSlice]:
        """Take whether there is a peak in each of the next windows, and return the slices that are known by now."""
        for i in np.flatnonzero(peaks) + self._windows:
            start = self._picoseconds(2 * (int(i) * self._hop - self._padding) + self._frame)
            if start >= self._free:
                self._pending.append((int(i), start))
                self._free = start + self._spacing
        self._windows += len(peaks)
        known = [start for i, start in self._pending if i + self._held < self._windows]
        self._pending = self._pending[len(known) :]
        return [self._slice_to(start) for start in known]

    def finish(self, n_samples: int | None = None) -> list[TimeSlice]:
        """End the stream, and return the last slices; none if there were no windows.

        Args:
            n_samples (int | None): samples in the whole signal; None: it ends with the last frame.
        """
        if not self._windows:
            return []
        if n_samples is None:
            n_samples = (self._windows - 1) * self._hop - self._padding + self._frame
        end = max(self._picoseconds(2 * n_samples), self._last)
        inside = [start for i, start in self._pending if i * self._hop - self._padding + self._frame <= n_samples]
        found = [self._slice_to(start) for start in inside]
        self._pending = []
        return [*found, self._slice_to(end)]

    def _slice_to(self, stop: int) -> TimeSlice:
        start, self._last = self._last, stop
        return TimeSlice(start=from_picoseconds(start), duration=from_picoseconds(stop - start))

    def _picoseconds(self, half_samples: int) -> int:
        """Return a time that is counted in halves of a sample, to the nearest picosecond."""
        return (half_samples * PICOSECONDS + self._rate) // (2 * self._rate)


def _hop_of(time: TimeDimension) -> tuple[int, int]:
    """Return the hop and its unit: samples per second, or picoseconds where there is no rate."""
    if time.rate is not None and time.hop is not None:
        return time.hop, time.rate
    return picoseconds(time.frequency), PICOSECONDS


def _window_of(time: TimeDimension) -> int:
    return time.window if time.rate is not None and time.window is not None else picoseconds(time.duration)
