"""Phases guessed from the peaks of magnitudes.

Goal: phases that a spectrogram of steady tones would have, as a start for methods that improve them.

Conventions: magnitudes are (frames, bins); frame k starts at sample k * hop; phases are those of ``rfft``, where the
first sample of a frame is time zero. Function: ``phases_of_peaks``.
"""

import numpy as np

__all__ = ["phases_of_peaks"]

_BEGINS = 4.0
"""A tone begins where a peak is this much above what its bin had in the frame before; measured on music and speech."""


def phases_of_peaks(
    magnitude: np.ndarray, hop: int, window: int, n_fft: int, rng: np.random.Generator | int = 0
) -> np.ndarray:
    """Guess phases: each peak is a tone whose phase runs on from frame to frame, and its neighbours follow it.

    Around a peak at the fractional bin f, the transform of a symmetric window turns by pi (window - 1) / n_fft from bin
    to bin. From the frame before, the phase is taken at the bin where the peak is now, and advanced by one hop at the
    mean of both frequencies. A tone that begins has a phase by chance: were all of them equal, sounds would begin with
    a click.

    Args:
        magnitude (np.ndarray): magnitudes, >= 0 and finite.
        hop (int): samples from one frame to the next, >= 1.
        window (int): samples in a frame, >= 1.
        n_fft (int): samples of the transform, >= window.
        rng (np.random.Generator | int): where the phases of beginnings come from, or a seed.

    Shape:
        [frames, bins] -> [frames, bins] float64, radians

    Examples:
        >>> first, second = phases_of_peaks(np.array([[0.0, 1.0, 0.0, 0.0]] * 2), hop=2, window=6, n_fft=6)
        >>> float(((second - first) % (2 * np.pi))[1].round(6))
        2.094395

    Sources:
        G. T. Beauregard, M. Harish, L. Wyse, "Single pass spectrogram inversion", IEEE DSP 2015, for the peaks and the
        phases around them.
    """
    bins = np.arange(magnitude.shape[1])
    phases = np.empty(magnitude.shape)
    rng = np.random.default_rng(rng)
    tone = np.zeros(magnitude.shape[1])  # the phase of the tone that each bin belongs to
    before, had = tone, np.zeros(magnitude.shape[1])
    for row, values in zip(phases, magnitude, strict=True):
        now = _frequencies(values)
        peak = np.clip(np.rint(now).astype(int), 0, bins[-1])
        goes_on = tone[peak] + np.pi * hop / n_fft * (before[peak] + now)
        by_chance = rng.uniform(0, 2 * np.pi, len(values))[peak]
        tone = np.where(values[peak] > _BEGINS * had[peak], by_chance, goes_on % (2 * np.pi))
        row[:] = tone - np.pi * (window - 1) / n_fft * (bins - now)
        before, had = now, values
    return phases


def _frequencies(values: np.ndarray) -> np.ndarray:
    """Return for each bin the frequency, in bins, of the peak that it belongs to; its own where there is none."""
    inner = values[1:-1]
    peaks = np.flatnonzero((inner >= values[:-2]) & (inner > values[2:])) + 1
    if not len(peaks):
        return np.arange(len(values), dtype=np.float64)
    # the vertex of a parabola through a peak and its neighbours; the peak is above one of them, so it bends
    left, top, right = (values[peaks + step].astype(np.float64) for step in (-1, 0, 1))
    exact = peaks + 0.5 * (left - right) / (left - 2 * top + right)
    middles = (peaks[1:] + peaks[:-1] + 1) // 2
    return exact[np.searchsorted(middles, np.arange(len(values)), side="right")]
