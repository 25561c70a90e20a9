"""Windows of a stream. Node: ``SlidingWindow``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.filterbank import BLOCK
from zounds_lite.dsp.framing import FrameStream, frame_count
from zounds_lite.errors import DeclarationError, DimensionError, UnitsError
from zounds_lite.featureflow import Locality, Node
from zounds_lite.spectral.functional.axes import windowed_dimension
from zounds_lite.spectral.windows import WindowingFunc
from zounds_lite.timeseries import TimeDimension

__all__ = ["SlidingWindow"]

_AT_ONCE = 3 * 2**17
"""Numbers in the windows that are handed on at once: more of them leave the processor's cache, and fewer make what
follows wait for Python more often."""
_MOST_WAITING = 2**20
"""Numbers in the windows that a block may hold back before it is complete."""


class _Frames(Locality):
    """Frame k is made of the samples from k hops on, counted from the zeros that were put before the signal."""

    def __init__(self, hop: int, window: int, before: int, after: int) -> None:
        self.hop, self.window, self.before, self.after = hop, window, before, after

    def length(self, size: int) -> int:
        return frame_count(self.before + size + self.after, self.window, self.hop) if size else 0

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        # a frame of zeros alone comes of a run that has at least one sample before them
        frame = min(start, (self.before + size - 1) // self.hop)
        first = frame * self.hop - self.before
        last = (stop - 1) * self.hop - self.before + self.window
        return max(0, first), min(size, max(last, first + 1, 1))

    def first(self, start: int) -> int:
        return (start + self.before) // self.hop if start else 0


class SlidingWindow(Node):
    """Cuts a stream into windows that may overlap.

    The number of windows follows one rule for any chunking: every sample is in a window, and the last one is filled
    with zeros. The chunk that ends the stream says on its time axis how many samples there were, and how many zeros
    were put before them, so that synthesizers give back the length exactly.

    Args:
        wscheme (SampleRate): hop (``frequency``) and window (``duration``) as times; on axes whose elements overlap,
            the window counts as time too.
        wfunc (WindowingFunc | Callable | None): multiplies each window along its time.
        padwith (int): zeros before the first sample, >= 0.
        padend (int): zeros after the last sample, >= 0. With ``padwith`` = ``padend`` = window - hop, the inverse of a
            short-time transform is exact from the first sample to the last.
        needs (Node): gives arrays whose first dimension is a ``TimeDimension``.

    Shape:
        [time, ...] -> [frames, window, ...]

    Raises:
        DimensionError: the first dimension is none of time.
        UnitsError: a chunk has other dimensions than the first one.
        DeclarationError: negative padding.

    Examples:
        >>> from zounds_lite.timeseries import AudioSamples, SR11025, HalfLapped
        >>> sound = AudioSamples(np.ones(1000), SR11025())
        >>> [windows.shape for windows in SlidingWindow(HalfLapped()).run([sound])]
        [(3, 512)]
    """

    revision = 1

    def __init__(
        self,
        wscheme: Any,
        wfunc: Any = None,
        padwith: int = 0,
        padend: int = 0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        if not hasattr(wscheme, "discrete_samples"):
            raise DeclarationError(f"wscheme={wscheme!r}; allowed: a SampleRate such as HalfLapped()")
        for name, padding in (("padwith", padwith), ("padend", padend)):
            if not isinstance(padding, (int, np.integer)) or padding < 0:
                raise DeclarationError(f"{name}={padding!r}; allowed: a whole number of samples, 0 or more")
        self.wscheme = wscheme
        self.wfunc = wfunc
        self.padwith = padwith
        self.padend = padend
        self._window = WindowingFunc.of(wfunc)
        self._stream: FrameStream | None = None
        self._begin = 0

    def locality(self, example: Any) -> Locality:
        hop, window = self.wscheme.discrete_samples(_time_dimension(example))
        return _Frames(hop, window, self.padwith, self.padend)

    def begin(self, row: int) -> None:
        self._begin = row

    def _first_chunk(self, data: Any) -> Any:
        time = _time_dimension(data)
        hop, window = self.wscheme.discrete_samples(time)
        size = max(1, window * int(np.prod(data.shape[1:])))
        # whole blocks, so that filter banks downstream need not join them again
        block = max(1, min(BLOCK, _MOST_WAITING // size))
        self._step = max(1, _AT_ONCE // (size * BLOCK)) * BLOCK
        self._stream = FrameStream(window, hop, 0 if self._begin else self.padwith, self.padend, block)
        self._dimensions = data.dimensions
        self._units = [windowed_dimension(time, hop, window), time.joined(window), *data.dimensions[1:]]
        self._rows_of, self._dtype = data.shape[1:], data.dtype
        self._is_empty = True
        self._start: Any = None
        self._ending: Any = time
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if data.dimensions != self._dimensions:
            raise UnitsError(
                f"a chunk with dimensions {data.dimensions!r} after chunks with {self._dimensions!r}; "
                "all chunks of a stream have the same"
            )
        assert self._stream is not None
        self._start = self._start if data.dimensions[0].start is None else data.dimensions[0].start
        self._ending = data.dimensions[0]
        yield from self._with_units(self._stream.push(np.asarray(data)), ended=False)

    def _last_chunk(self) -> Iterator[Any]:
        if self._stream is not None:
            yield from self._with_units(self._stream.finish(), ended=True)

    def _with_units(self, frames: np.ndarray | None, ended: bool) -> Iterator[ArrayWithUnits]:
        assert self._stream is not None
        if frames is None and not (ended and self._is_empty):
            return
        if frames is None:  # no samples at all are an empty signal, not none
            frames = np.empty((0, self._stream.window, *self._rows_of), self._dtype)
        self._is_empty = False
        for start in range(0, max(1, len(frames)), self._step):
            part = self._window.apply(frames[start : start + self._step], axis=1)
            if ended and start + self._step >= len(frames):
                self._units[0] = self._last_axis()
            windows = ArrayWithUnits(part, self._units)
            self._units = list(windows.dimensions)  # most chunks are of one size, and so have the very same axes
            yield windows

    def _last_axis(self) -> TimeDimension:
        """Return the axis of the last windows, which says what is known of the whole signal by then."""
        stream = self._stream
        assert stream is not None
        notes = {"start": self._start, "padding": self.padwith, "n_samples": self._begin + stream.n_samples}
        return windowed_dimension(self._ending, stream.hop, stream.window, **notes)


def _time_dimension(data: Any) -> TimeDimension:
    dimensions = getattr(data, "dimensions", ())
    if not dimensions or not isinstance(dimensions[0], TimeDimension):
        raise DimensionError(
            f"{type(data).__name__} with dimensions {dimensions!r}; windows are cut along time, "
            "so the first dimension must be a TimeDimension, as of AudioSamples"
        )
    return dimensions[0]
