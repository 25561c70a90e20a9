"""Sound from magnitudes alone, after Griffin and Lim.

Goal: a signal whose short-time spectra have given magnitudes as nearly as possible, where phases were lost.

Conventions: magnitudes are those of orthonormal spectra (``rfft``), (frames, bins, ...), with channels after the bins.
Frame k starts at sample k * hop. The signal is found up to what magnitudes cannot tell: its sign, at least.

The method: guess phases, from the peaks of the magnitudes or at random; then again and again make a signal from the
spectra by least squares, analyse it, and keep the phases that it has together with the magnitudes that were asked for.
Each round's spectra c_n are those of a signal; the fast variant extrapolates, t_n = c_n + momentum (c_n - c_(n-1)),
before it takes the phases, and comes several decibels closer in the same number of rounds. So does the start from
peaks, where there are tones.

Memory: two complex arrays of the size of the magnitudes stay (one without momentum), 16 bytes a bin in float32, and the
sound twice; frames of samples are made 64 at a time. A minute at 44.1 kHz in frames of 2048 samples at a hop of 512 is
5.3 million bins, so 85 MB and 21 MB beside its magnitudes.

Functions: ``griffin_lim``, ``spectral_convergence``, ``check_rounds``.
"""

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.framing import divide_by_weights, frames, overlap_add
from zounds_lite.dsp.peakphase import phases_of_peaks
from zounds_lite.dsp.transforms import irfft, rfft
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["check_rounds", "griffin_lim", "spectral_convergence"]

_BLOCK = 64

_FLOOR = 1e-2
"""Least divisor of the overlap-add, as a part of the largest: guessed spectra would make clicks where windows end."""


def griffin_lim(
    magnitude: np.ndarray,
    hop: int,
    analysis: np.ndarray,
    synthesis: np.ndarray | None = None,
    n_fft: int | None = None,
    n_iter: int = 32,
    momentum: float = 0.99,
    start: str = "peaks",
    rng: np.random.Generator | int = 0,
) -> np.ndarray:
    """Find a signal whose short-time spectra have the given magnitudes.

    Args:
        magnitude (np.ndarray): magnitudes, >= 0; real. A frame with NaN or infinities is left out, and the samples that
            it covers are NaN.
        hop (int): samples from one frame to the next, >= 1.
        analysis (np.ndarray): the window of the analysis, one row of numbers.
        synthesis (np.ndarray | None): the window that frames are multiplied with before they are added; None: the same.
        n_fft (int | None): samples of the transform, at least those of the window; None: those of the window.
        n_iter (int): rounds, >= 0; 0 gives the signal of the first phases.
        momentum (float): extrapolation, 0 to below 1; 0 is the method of 1984.
        start (str): the first phases: "peaks" follows the tones that the magnitudes show; "random" does not.
        rng (np.random.Generator | int): where phases by chance come from, or a seed.

    Shape:
        [frames, bins, ...] -> [(frames - 1) * hop + window, ...], or [0, ...] without frames

    Returns:
        np.ndarray: float32 for float32, otherwise float64.

    Raises:
        DimensionError: windows or bins that do not fit.
        DeclarationError: negative or complex magnitudes, or an argument out of its range.

    Examples:
        >>> tone = np.sin(2 * np.pi * 440 / 8000 * np.arange(2048))
        >>> window = np.hanning(256)
        >>> wanted = np.abs(rfft(frames(tone, 256, 64) * window))
        >>> found = griffin_lim(wanted, 64, window)[: len(tone)]
        >>> again = np.abs(rfft(frames(found, 256, 64) * window))
        >>> spectral_convergence(again, wanted) < 0.05
        True

    Sources:
        D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32
        (1984), section IV; N. Perraudin, P. Balazs, P. L. Sondergaard, "A fast Griffin-Lim algorithm", WASPAA 2013,
        algorithm 2.
    """
    magnitude, bad = _checked_magnitude(magnitude)
    analysis, synthesis, n_fft = _checked_windows(magnitude, analysis, synthesis, n_fft, hop)
    check_rounds(n_iter, momentum, start)
    if not len(magnitude):
        return np.zeros((0, *magnitude.shape[2:]), magnitude.dtype)
    geometry = _Geometry(hop, n_fft, analysis, synthesis, magnitude)
    spectra = geometry.started(magnitude, start, rng)
    before = np.zeros_like(spectra) if momentum else None
    for round_ in range(n_iter):
        signal = geometry.signal(spectra)
        for at in range(0, len(spectra), _BLOCK):
            block = slice(at, at + _BLOCK)
            now = geometry.analysed(signal, at)
            guess = now
            if before is not None:
                guess = now + np.asarray(momentum, magnitude.dtype) * (now - before[block]) if round_ else now
                before[block] = now
            spectra[block] = _with_phases_of(magnitude[block], guess)
    return _without(geometry.signal(spectra), bad, hop, len(analysis))


def check_rounds(n_iter: int, momentum: float, start: str) -> None:
    """Refuse arguments of ``griffin_lim`` that are out of their range, with a ``DeclarationError``."""
    if n_iter < 0 or not 0 <= momentum < 1:
        raise DeclarationError(
            f"n_iter={n_iter!r}, momentum={momentum!r}; allowed: 0 or more rounds, and a momentum from 0 to below 1"
        )
    if start not in ("peaks", "random"):
        raise DeclarationError(f"start={start!r}; allowed: 'peaks' or 'random'")


def spectral_convergence(found: np.ndarray, wanted: np.ndarray) -> float:
    """Measure how far magnitudes are from those that were asked for, as a part of these: 0 is a perfect match.

    Args:
        found (np.ndarray): magnitudes of what was found.
        wanted (np.ndarray): magnitudes that were asked for.

    Returns:
        float: norm of the difference by the norm of what was wanted; 20 log10 of it is an error in dB.

    Examples:
        >>> spectral_convergence(np.array([3.0, 3.9]), np.array([3.0, 4.0]))
        0.02...

    Sources:
        N. Sturmel, L. Daudet, "Signal reconstruction from STFT magnitude: a state of the art", DAFx 2011, eq. 13.
    """
    wanted = np.asarray(wanted, np.float64)
    error = np.linalg.norm(np.asarray(found, np.float64) - wanted)
    norm = np.linalg.norm(wanted)
    return float(error / norm) if norm else float(error and np.inf)


class _Geometry:
    """Between a signal and its spectra, block by block."""

    def __init__(
        self, hop: int, n_fft: int, analysis: np.ndarray, synthesis: np.ndarray, magnitude: np.ndarray
    ) -> None:
        self.hop = hop
        self.n_fft = n_fft
        self.weights = analysis * synthesis
        self.size = len(analysis)
        self.dtype = magnitude.dtype
        trailing = (-1, *[1] * (magnitude.ndim - 2))
        self.analysis, self.synthesis = (w.astype(self.dtype).reshape(trailing) for w in (analysis, synthesis))
        self.count = len(magnitude)
        self.length = (len(magnitude) - 1) * hop + self.size

    def started(self, magnitude: np.ndarray, start: str, rng: np.random.Generator | int) -> np.ndarray:
        rng = np.random.default_rng(rng)
        if start == "random":
            return _with_random_phases(magnitude, rng)
        out = np.empty(magnitude.shape, _complex(magnitude))
        for channel in np.ndindex(magnitude.shape[2:]):
            rows = magnitude[(..., *channel)]
            phases = phases_of_peaks(rows, self.hop, self.size, self.n_fft, rng)
            for at in range(0, len(rows), _BLOCK):
                block = slice(at, at + _BLOCK)
                out[(block, slice(None), *channel)] = rows[block] * np.exp(1j * phases[block])
        return out

    def signal(self, spectra: np.ndarray) -> np.ndarray:
        out = np.zeros((self.length, *spectra.shape[2:]), self.dtype)
        for at in range(0, len(spectra), _BLOCK):
            block = irfft(spectra[at : at + _BLOCK], n=self.n_fft, axis=1)[:, : self.size]
            added = overlap_add(block * self.synthesis, self.hop)
            out[at * self.hop : at * self.hop + len(added)] += added
        divide_by_weights(out, self.weights, self.hop, len(spectra), _FLOOR)
        return out

    def analysed(self, signal: np.ndarray, at: int) -> np.ndarray:
        """Return the spectra of a block of frames, from frame ``at`` on."""
        count = min(_BLOCK, self.count - at)
        start = at * self.hop
        # the rule of frames fills one more with zeros, which is none of these
        cut = frames(signal[start : start + (count - 1) * self.hop + self.size], self.size, self.hop)[:count]
        return rfft(cut * self.analysis, n=self.n_fft, axis=1)


def _checked_magnitude(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return magnitudes in floating point, and which frames are no numbers; those are zero."""
    x = np.asarray(magnitude)
    check_real(x, "magnitudes", "take np.abs(x) first")
    if x.ndim < 2:
        raise DimensionError(f"magnitudes of shape {x.shape}; needed: (frames, bins, ...)")
    x = x.astype(np.float32 if x.dtype in (np.float16, np.float32) else np.float64, copy=False)
    if (x < 0).any():
        raise DeclarationError("negative magnitudes; allowed: 0 or more. Levels in dB: take db_to_amplitude first")
    bad = ~np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if bad.any():
        x = x.copy()
        x[bad] = 0
    return x, bad


def _checked_windows(
    magnitude: np.ndarray, analysis: np.ndarray, synthesis: np.ndarray | None, n_fft: int | None, hop: int
) -> tuple[np.ndarray, np.ndarray, int]:
    analysis = np.asarray(analysis, np.float64)
    synthesis = analysis if synthesis is None else np.asarray(synthesis, np.float64)
    if analysis.ndim != 1 or not len(analysis) or analysis.shape != synthesis.shape:
        raise DimensionError(
            f"windows of shapes {analysis.shape} and {synthesis.shape}; needed: rows of numbers, as many in both"
        )
    if hop < 1:
        raise DeclarationError(f"hop={hop}; allowed: a count of samples, at least 1")
    n_fft = len(analysis) if n_fft is None else int(n_fft)
    if n_fft < len(analysis) or magnitude.shape[1] != n_fft // 2 + 1:
        raise DimensionError(
            f"{magnitude.shape[1]} bins of a transform of n_fft={n_fft} samples for windows of {len(analysis)}; "
            "needed: n_fft // 2 + 1 bins, and a transform that holds the window"
        )
    return analysis, synthesis, n_fft


def _complex(magnitude: np.ndarray) -> np.dtype:
    return np.result_type(magnitude.dtype, np.complex64)


def _with_random_phases(magnitude: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = np.empty(magnitude.shape, _complex(magnitude))
    for at in range(0, len(out), _BLOCK):
        # block by block, and so the same phases for the first frames of a longer sound
        angle = 2 * np.pi * rng.random(magnitude[at : at + _BLOCK].shape)
        np.exp(1j * angle, out=out[at : at + _BLOCK], casting="same_kind")
        out[at : at + _BLOCK] *= magnitude[at : at + _BLOCK]
    return out


def _with_phases_of(magnitude: np.ndarray, guess: np.ndarray) -> np.ndarray:
    size = np.abs(guess)
    # where a guess is zero it has no phase: any will do
    silent = size == 0
    size[silent] = 1
    guess = guess / size
    guess[silent] = 1
    return guess * magnitude


def _without(signal: np.ndarray, bad: np.ndarray, hop: int, window: int) -> np.ndarray:
    for frame in np.flatnonzero(bad):
        signal[frame * hop : frame * hop + window] = np.nan
    return signal
