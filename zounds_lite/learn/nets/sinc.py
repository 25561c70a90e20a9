"""Band filters whose edges are learned. Class: ``SincLayer``."""

import warnings
from typing import Any

import numpy as np

from zounds_lite.dsp.windows import hamming
from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._correlation import correlated
from zounds_lite.learn.nets._tables import TableModule, as_signals, check_size, rate_of
from zounds_lite.learn.nets._torch import Tensor, nn, torch
from zounds_lite.spectral import FrequencyScale

__all__ = ["SincLayer"]

_RESOLVED = 4.0
"""Bandwidth times taps over the sample rate from which a filter's gain is 1 in its band."""


class SincLayer(TableModule):
    """Filters signals with band-pass filters, of which only the two edges of each band are learned.

    Before training the filters pass the bands of the scale: their gain is 1 inside and a half at the edges, which the
    bounds 0 Hz and half the sample rate are none of. With f1 and f2 in cycles per sample and a Hamming window, filter
    n is 2 f2 sinc(2 f2 n) - 2 f1 sinc(2 f1 n). Filters with an odd number of taps are symmetric; an even number adds
    one tap before the centre.

    Results have as many samples as the signals, for any number of taps, without delay.

    Args:
        scale (FrequencyScale): the bands before training; what reaches below 0 Hz or beyond half the rate is cut off.
        taps (int): samples in a filter, >= 2. A band is resolved by about 4 * samplerate / bandwidth of them.
        samplerate (AudioSampleRate | int): of the signals.

    Shape:
        [..., time] -> [signals, bands, time]

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: no scale, too few taps, or a band that lies wholly below 0 Hz or beyond half the rate; an
            input of another precision or device than the module's.

    Warns:
        UserWarning: the taps cannot resolve the narrowest bands.

    Examples:
        >>> import torch
        >>> from zounds_lite.spectral import FrequencyBand, LinearScale
        >>> from zounds_lite.timeseries import SR11025
        >>> layer = SincLayer(LinearScale(FrequencyBand(0, 5512), 16), 255, SR11025())
        >>> layer(torch.randn(4, 1, 8192)).shape, [tuple(p.shape) for p in layer.parameters()]
        (torch.Size([4, 16, 8192]), [(16, 2)])

    Sources:
        M. Ravanelli, Y. Bengio, "Speaker recognition from raw waveform with SincNet", IEEE Spoken Language Technology
        Workshop (2018), eq. 4-8.
    """

    window: Tensor
    turns: Tensor
    delta: Tensor
    sinc_over: Tensor

    def __init__(self, scale: FrequencyScale, taps: int, samplerate: Any) -> None:
        super().__init__()
        if not isinstance(scale, FrequencyScale):
            raise DeclarationError(f"scale={scale!r}; allowed: a scale such as MelScale(FrequencyBand(100, 4000), 40)")
        check_size("taps", taps, 2)
        self.scale = scale
        self.taps = int(taps)
        self.samplerate = rate_of(samplerate)
        self._make_tables()
        self.edges = nn.Parameter(torch.tensor(self._initial(), dtype=torch.get_default_dtype()))

    def _initial(self) -> np.ndarray:
        """Return the edges of the scale's bands in cycles per sample."""
        rate = self.samplerate.rate
        edges = np.stack([self.scale.band_starts, self.scale.band_stops], axis=-1) / rate
        edges = edges.clip(0.0, 0.5)
        empty = np.flatnonzero(edges[:, 0] >= edges[:, 1])
        if len(empty):
            raise DeclarationError(
                f"{self.scale.bands[int(empty[0])]!r}; allowed: bands that reach 0..{rate / 2} Hz, half the sample rate"
            )
        narrowest = float((edges[:, 1] - edges[:, 0]).min())
        if narrowest * self.taps < _RESOLVED / 2:
            warnings.warn(
                f"{self.taps} taps cannot resolve bands of {narrowest * rate:.1f} Hz, whose filters begin blunt and "
                f"weak; use about {int(np.ceil(_RESOLVED / narrowest))} taps, or wider bands",
                stacklevel=3,
            )
        return edges

    def _tables(self) -> dict[str, np.ndarray]:
        n = np.arange(self.taps) - self.taps // 2
        over = np.divide(1.0, np.pi * n, out=np.zeros(self.taps), where=n != 0)
        # as many taps of the symmetric window of one tap more, where the number is even
        window = hamming(self.taps, periodic=self.taps % 2 == 0)
        return {"window": window, "turns": 2 * np.pi * n, "sinc_over": over, "delta": (n == 0).astype(float)}

    @property
    def n_bands(self) -> int:
        """The number of bands."""
        return len(self.scale)

    def band_edges(self) -> Tensor:
        """Return the edges of the bands as they are now, in cycles per sample.

        The lower one is the magnitude of the first parameter, and the upper one lies above it by the distance of both
        parameters, and at most at a half.

        Shape:
            -> [bands, 2]
        """
        start, stop = self.edges.unbind(-1)
        # abs has no gradient at 0, where a band would stay for ever
        low = torch.where(start < 0, -start, start)
        high = (low + (stop - low).abs()).clamp(max=0.5)
        return torch.stack([low, high], dim=-1)

    def filters(self) -> Tensor:
        """Return the filters as they are now.

        Shape:
            -> [bands, taps]
        """
        edges = self.band_edges()[..., None]
        # 2 f sinc(2 f n) = sin(2 pi f n) / (pi n), and 2 f at n = 0
        low_passes = torch.sin(edges * self.turns) * self.sinc_over + 2 * edges * self.delta
        return (low_passes[:, 1] - low_passes[:, 0]) * self.window

    def forward(self, x: Tensor) -> Tensor:
        """Filter signals."""
        return correlated(as_signals(x, self.window), self.filters(), self.taps // 2, (self.taps - 1) // 2)

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return f"{self.samplerate.rate} Hz, {self.n_bands} bands of {type(self.scale).__name__}, {self.taps} taps"
