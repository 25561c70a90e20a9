"""A loss in a space that is closer to hearing than samples are. Class: ``PerceptualLoss``."""

from typing import Any

import numpy as np

from zounds_lite.errors import DimensionError
from zounds_lite.learn.nets._correlation import correlated
from zounds_lite.learn.nets._tables import TableModule, as_signals, check_positive, check_size, rate_of
from zounds_lite.learn.nets._torch import Tensor, functional, torch
from zounds_lite.spectral import FrequencyScale, fir_filter_bank
from zounds_lite.spectral.weighting import FrequencyWeighting

__all__ = ["PerceptualLoss"]


class PerceptualLoss(TableModule):
    """Compares sounds in bands, half-wave rectified, on a logarithmic scale of amplitude.

    Two sounds that are the same give -1 with cosine similarity, and 0 with the mean squared error. Silence has no
    direction: its cosine similarity with any sound, silence too, is 0.

    Args:
        scale (FrequencyScale): the bands.
        samplerate (AudioSampleRate | int): of the sounds.
        frequency_window (WindowingFunc | Callable | np.ndarray | None): the gain over a band, as for
            ``fir_filter_bank``, which decides how narrow the filters respond; None: a Gaussian of 100 points with a
            standard deviation of 3, much narrower than the band.
        basis_size (int): samples in a filter, >= 1.
        lap (int): samples from one result of the filters to the next, >= 1.
        log_factor (float): how much amplitudes are compressed, > 0: ln(1 + log_factor * x).
        frequency_weighting (AWeighting | np.ndarray | None): multiplies each band after compression, such as
            ``AWeighting()``, or one factor per band.
        cosine_similarity (bool): True gives minus the mean cosine similarity of both sounds' features, False the mean
            squared error.

    Shape:
        [signals, time] or [signals, 1, time], twice -> a single number

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: other arguments out of range; sounds of another precision or device than the module's.
        DimensionError: sounds of different shapes, or without samples; not one factor per band.

    Warns:
        UserWarning: filters of this size cannot tell the narrowest bands apart.

    Examples:
        >>> import torch
        >>> from zounds_lite.spectral import FrequencyBand, MelScale
        >>> from zounds_lite.timeseries import SR11025
        >>> loss = PerceptualLoss(MelScale(FrequencyBand(300, 4000), 16), SR11025())
        >>> x = torch.randn(2, 1, 2048)
        >>> round(float(loss(x, x)), 5), bool(loss(x, torch.randn(2, 1, 2048)) > -0.95)
        (-1.0, True)
    """

    filter_bank: Tensor
    weights: Tensor

    def __init__(
        self,
        scale: FrequencyScale,
        samplerate: Any,
        frequency_window: Any = None,
        basis_size: int = 512,
        lap: int = 2,
        log_factor: float = 100,
        frequency_weighting: Any = None,
        cosine_similarity: bool = True,
    ) -> None:
        super().__init__()
        check_size("basis_size", basis_size)
        check_size("lap", lap)
        check_positive("log_factor", log_factor)
        self.scale = scale
        self.samplerate = rate_of(samplerate)
        self.frequency_window = frequency_window
        self.basis_size = int(basis_size)
        self.lap = int(lap)
        self.log_factor = float(log_factor)
        self.frequency_weighting = frequency_weighting
        self.cosine_similarity = bool(cosine_similarity)
        self._make_tables()

    def _tables(self) -> dict[str, np.ndarray]:
        window = _gaussian(100, 3.0) if self.frequency_window is None else self.frequency_window
        bank = np.asarray(fir_filter_bank(self.scale, self.basis_size, self.samplerate, window))
        return {"filter_bank": bank[:, None], "weights": self._weights()[:, None]}

    def _weights(self) -> np.ndarray:
        given = self.frequency_weighting
        if given is None:
            return np.ones(len(self.scale))
        if isinstance(given, FrequencyWeighting):
            return given.weights(self.scale)
        weights = np.asarray(given, dtype=np.float64)
        if weights.shape != (len(self.scale),):
            raise DimensionError(f"frequency_weighting of shape {weights.shape}; needed: ({len(self.scale)},)")
        return weights

    def features(self, x: Tensor) -> Tensor:
        """Return what sounds are compared by.

        Args:
            x (Tensor): real samples.

        Shape:
            [..., time] -> [signals, bands, (time + basis_size) // lap + 1]
        """
        x = as_signals(x, self.filter_bank)
        if not x.numel():
            raise DimensionError(f"sounds of shape {tuple(x.shape)}; needed: at least one sample")
        x = correlated(x, self.filter_bank[:, 0], self.basis_size, self.basis_size, self.lap)
        return torch.log1p(self.log_factor * functional.relu(x)) * self.weights

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare sounds."""
        if np.shape(input) != np.shape(target):
            raise DimensionError(f"sounds of shapes {tuple(np.shape(input))} and {tuple(np.shape(target))}: give pairs")
        found, wanted = self.features(input), self.features(target)
        if self.cosine_similarity:
            return -functional.cosine_similarity(found.flatten(1), wanted.flatten(1), dim=1).mean()
        return functional.mse_loss(found, wanted)

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return f"{self.samplerate.rate} Hz, {len(self.scale)} bands of {type(self.scale).__name__}, lap={self.lap}"


def _gaussian(size: int, deviation: float) -> np.ndarray:
    """Return a Gaussian window, 1 at its middle."""
    return np.exp(-0.5 * ((np.arange(size) - 0.5 * (size - 1)) / deviation) ** 2)
