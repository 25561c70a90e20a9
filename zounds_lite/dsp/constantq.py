"""Constant-Q transform: spectra whose bands are spaced like notes and whose windows fit their pitch.

Goal: every coefficient within 1e-3 of its definition, of the largest in its band (measured: 3e-4 in the weakest bands
of recordings, 2e-5 of a tone's own), several times as fast as octave by octave; the same for whole signals and for
streams, to the last bit.

Conventions: the signal's axis is last; results are [..., frames, bands], complex64 for float32 and complex128 for all
other numbers. Frame t is centred at sample t * hop, with zeros outside the signal; n samples give 1 + n // hop frames,
and no samples give none. ``constantq_atoms`` holds the definition, ``constantq_plan`` says how it is computed fast.

A NaN stays in the frames less than two of the longest atom away; four, with less than 8 bands in an octave.

Functions: ``cqt``; types: ``ConstantQ``, which holds the kernels, and ``ConstantQStream``, for a signal in chunks.

Sources:
    J. C. Brown, "Calculation of a constant Q spectral transform", J. Acoust. Soc. Am. 89 (1991).
"""

import math

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.constantq_atoms import (
    C1_HZ,
    Window,
    atom_lengths,
    band_centers,
    check_bands,
    relative_bandwidth,
    window_of_size,
)
from zounds_lite.dsp.constantq_blocks import Analysis, first_block
from zounds_lite.dsp.constantq_plan import Plan, make_plan
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["ConstantQ", "ConstantQStream", "cqt", "transform_into"]


class ConstantQ:
    """A constant-Q transform: its bands, and the kernels that compute them, made when first needed and kept.

    Args:
        sr (int): sample rate in Hz.
        hop (int): samples from one frame to the next, >= 1.
        start_hz (float): centre of the first band in Hz; by default the note C1.
        n_bands (int): number of bands; the last one must not reach beyond half the sample rate.
        bands_per_octave (float): bands in an octave, > 0.
        filter_scale (float): factor of all lengths, > 0: below 1 for sharper times and blunter pitches.
        window (str | Callable): "hann", "hamming", or a function of a size that returns that many numbers.
        exact (bool): compute every band from the signal as it is, at its full rate: the definition itself, and many
            times slower.

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: numbers out of range, bands beyond half the sample rate, or an unknown window.

    Examples:
        >>> bank = ConstantQ(22050, n_bands=3, start_hz=110.0, bands_per_octave=1)
        >>> bank.center_hz, round(bank.q, 3)
        (array([110., 220., 440.]), 1.667)

    See Also:
        cqt (in one line), icqt (the inverse).
    """

    def __init__(
        self,
        sr: int,
        hop: int = 512,
        start_hz: float = C1_HZ,
        n_bands: int = 84,
        bands_per_octave: float = 12,
        filter_scale: float = 1.0,
        window: Window = "hann",
        exact: bool = False,
    ) -> None:
        check_bands(sr, start_hz, n_bands, bands_per_octave, filter_scale)
        if isinstance(hop, bool) or not isinstance(hop, (int, np.integer)) or hop < 1:
            raise DeclarationError(f"hop={hop!r}; allowed: a whole number of samples, at least 1")
        window_of_size(window, 16)
        self.sr, self.hop = int(sr), int(hop)
        self.window, self.exact = window, bool(exact)
        self._bands = (float(start_hz), int(n_bands), float(bands_per_octave))
        self.filter_scale = float(filter_scale)

    @property
    def n_bands(self) -> int:
        """The number of bands."""
        return self._bands[1]

    @property
    def center_hz(self) -> np.ndarray:
        """The centre of each band in Hz, float64."""
        return band_centers(*self._bands)

    @property
    def q(self) -> float:
        """Centre over width of a band."""
        return self.filter_scale / relative_bandwidth(self._bands[2])

    @property
    def lengths(self) -> np.ndarray:
        """How long the atom of each band lasts, in samples and their fractions, float64."""
        return atom_lengths(self.center_hz, self.sr, self.q)

    def frame_count(self, length: int) -> int:
        """Return how many frames a signal of ``length`` samples has.

        Examples:
            >>> [ConstantQ(8000, hop=100, n_bands=12).frame_count(n) for n in (0, 1, 99, 100)]
            [0, 1, 1, 2]
        """
        return 1 + length // self.hop if length else 0

    def plan(self, dtype: np.dtype) -> Plan:
        """Return the kernels for signals of a dtype, float32 or float64; the last few plans are kept."""
        bands = self._bands
        return make_plan(self.sr, self.hop, *bands, self.filter_scale, self.window, self.exact, np.dtype(dtype))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Transform a whole signal.

        Args:
            x (np.ndarray): real samples.

        Shape:
            [..., time] -> [..., frames, bands]

        Raises:
            DeclarationError: complex samples.
            DimensionError: no axis.
        """
        x = _as_signal(np.asarray(x))
        lead = x.shape[:-1]
        out = np.empty((*lead, self.frame_count(x.shape[-1]), self.n_bands), np.result_type(x.dtype, np.complex64))
        if out.size:
            plan = self.plan(x.dtype)
            for index in np.ndindex(lead):
                transform_into(plan, x[index], out[index].view(x.dtype))
        return out

    def stream(self) -> "ConstantQStream":
        """Return a stream that transforms one signal in chunks."""
        return ConstantQStream(self)


class ConstantQStream:
    """The constant-Q transform of a signal that comes in chunks: the same as that of the whole, to the last bit.

    Frames come in blocks, once the samples are there that their longest atoms need. Memory is that of a block, some
    130,000 samples, and of the longest atom.

    Args:
        transform (ConstantQ): what is computed.

    Examples:
        >>> bank = ConstantQ(8000, hop=400, start_hz=110.0, n_bands=36)
        >>> stream = bank.stream()
        >>> parts = [stream.push(np.ones(1000)) for _ in range(8)] + [stream.finish()]
        >>> np.concatenate(parts).tobytes() == bank.transform(np.ones(8000)).tobytes()
        True
    """

    def __init__(self, transform: ConstantQ) -> None:
        self._transform = transform
        self._lead: tuple[int, ...] = ()
        self._dtype: np.dtype | None = None
        self._analyses: list[Analysis] = []
        self._windows: np.ndarray = np.empty(0)  # what the next step reads, a row a signal, filled up to sample _filled
        self._filled = 0
        self._finished = False
        self._n_given = 0
        self.n_samples = 0

    def push(self, x: np.ndarray) -> np.ndarray:
        """Take the next chunk and return the frames that are ready, possibly none.

        Args:
            x (np.ndarray): real samples.

        Shape:
            [..., time] -> [..., frames, bands]

        Raises:
            DimensionError: a chunk whose other axes differ from those before.
            DeclarationError: complex samples, another dtype than before, or a chunk after ``finish``.
        """
        if self._finished:
            raise DeclarationError("this ConstantQStream is finished: make a new one for the next signal")
        x = _as_signal(np.asarray(x))
        self._check(x)
        rows = x.reshape(math.prod(self._lead), x.shape[-1])
        if rows.size and not self._analyses:
            self._start(self._transform.plan(x.dtype), len(rows))
        self.n_samples += x.shape[-1]
        results: list[np.ndarray] = []
        at = 0
        while at < rows.shape[1] and self._analyses:
            part = rows[:, at : at + self._windows.shape[1] - self._filled]
            self._windows[:, self._filled : self._filled + part.shape[1]] = part
            at += part.shape[1]
            self._filled += part.shape[1]
            if self._filled == self._windows.shape[1]:
                results.extend(self._step())
        return self._joined(results)

    def finish(self) -> np.ndarray:
        """End the stream and return its last frames; none on a second call.

        Shape:
            -> [..., frames, bands]
        """
        results: list[np.ndarray] = []
        if not self._finished and self._analyses:
            wanted = self._transform.frame_count(self.n_samples)
            while self._n_given < wanted:
                self._windows[:, self._filled :] = 0
                results.extend(self._step(wanted - self._n_given))
        self._finished, self._analyses = True, []
        return self._joined(results)

    def _start(self, plan: Plan, n_signals: int) -> None:
        level = plan.levels[0]
        self._analyses = [Analysis(plan) for _ in range(n_signals)]
        self._windows = np.zeros((n_signals, level.behind + plan.samples + level.ahead), plan.dtype)
        self._filled = level.behind - first_block(plan) * plan.samples

    def _step(self, most: int | None = None) -> list[np.ndarray]:
        plan = self._analyses[0].plan
        n_frames = plan.frames if most is None else min(most, plan.frames)
        out = np.empty((len(self._analyses), n_frames, 2 * len(plan.center_hz)), plan.dtype)
        given = [
            analysis.step(window, block)
            for analysis, window, block in zip(self._analyses, self._windows, out, strict=True)
        ]
        kept = self._windows.shape[1] - plan.samples
        self._windows[:, :kept] = self._windows[:, plan.samples :]
        self._filled = kept
        if not all(given):
            return []
        self._n_given += n_frames
        return [out.view(np.result_type(plan.dtype, np.complex64)).reshape(*self._lead, n_frames, -1)]

    def _joined(self, blocks: list[np.ndarray]) -> np.ndarray:
        if len(blocks) == 1:
            return blocks[0]
        if blocks:
            return np.concatenate(blocks, axis=-2)
        dtype = np.result_type(self._dtype or np.float64, np.complex64)
        return np.empty((*self._lead, 0, self._transform.n_bands), dtype)

    def _check(self, x: np.ndarray) -> None:
        if self._dtype is None:
            self._lead, self._dtype = x.shape[:-1], x.dtype
        elif x.shape[:-1] != self._lead:
            raise DimensionError(
                f"a chunk of shape {x.shape} after chunks of shape {(*self._lead, 'n')}: "
                "all chunks of one signal share all axes but the last"
            )
        elif x.dtype != self._dtype:
            raise DeclarationError(f"a chunk of {x.dtype} after chunks of {self._dtype}: convert all to one dtype")


def cqt(
    x: np.ndarray,
    sr: int,
    hop: int = 512,
    start_hz: float = C1_HZ,
    n_bands: int = 84,
    bands_per_octave: float = 12,
    filter_scale: float = 1.0,
    window: Window = "hann",
    exact: bool = False,
) -> np.ndarray:
    """Transform a whole signal to bands of constant Q.

    Args:
        x (np.ndarray): real samples; the other arguments are those of ``ConstantQ``.
        sr (int): sample rate in Hz.
        hop (int): samples from one frame to the next, >= 1.
        start_hz (float): centre of the first band in Hz.
        n_bands (int): number of bands.
        bands_per_octave (float): bands in an octave, > 0.
        filter_scale (float): factor of all lengths, > 0.
        window (str | Callable): "hann", "hamming", or a function of a size.
        exact (bool): compute the definition itself, at the full rate.

    Shape:
        [..., time] -> [..., frames, bands]

    Returns:
        np.ndarray: complex; a sine of amplitude 1 at a band's centre gives sqrt(N) / 2, with N the samples of its atom.

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: numbers out of range, bands beyond half the sample rate, or complex samples.
        DimensionError: no axis.

    Examples:
        >>> x = np.sin(2 * np.pi * 440.0 * np.arange(22050) / 22050)
        >>> spectra = cqt(x, 22050, start_hz=55.0, n_bands=60)
        >>> spectra.shape, int(np.abs(spectra[20]).argmax())
        ((44, 60), 36)

    See Also:
        icqt (the inverse), ConstantQStream (for a signal in chunks).

    Sources:
        J. C. Brown, "Calculation of a constant Q spectral transform", J. Acoust. Soc. Am. 89 (1991), eq. 5; conventions
        of librosa 0.11, ``librosa.cqt``.
    """
    bank = ConstantQ(sr, hop, start_hz, n_bands, bands_per_octave, filter_scale, window, exact)
    return bank.transform(x)


def _as_signal(x: np.ndarray) -> np.ndarray:
    check_real(x, "a signal", "transform real and imaginary part apart")
    if x.ndim == 0:
        raise DimensionError("a single number is no signal: give an array with an axis of samples")
    if x.dtype == np.float16:
        return x.astype(np.float32)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def transform_into(plan: Plan, x: np.ndarray, out: np.ndarray) -> None:
    """Transform one signal, block by block, into ``out``: real and imaginary parts, [frames, 2 * bands].

    There may be more or fewer frames than the signal has: zeros follow it.
    """
    analysis = Analysis(plan)
    level = plan.levels[0]
    x = np.ascontiguousarray(x)
    done = 0
    while done < len(out):
        start = analysis.block * plan.samples - level.behind
        window = _window(x, start, plan.samples + level.behind + level.ahead)
        part = out[done : done + plan.frames]
        if analysis.step(window, part):
            done += len(part)


def _window(x: np.ndarray, start: int, size: int) -> np.ndarray:
    """Return samples of a signal with zeros outside it; a view where it can."""
    if start >= 0 and start + size <= len(x):
        return x[start : start + size]
    window = np.zeros(size, x.dtype)
    first, stop = max(start, 0), min(start + size, len(x))
    if first < stop:
        window[first - start : stop - start] = x[first:stop]
    return window
