"""The nodes of ``spectral`` for bands of long transforms keep the contract of nodes."""

import numpy as np
import scipy.fftpack

import zounds_lite as zounds
from tests.testing.nodes.inputs import HANN, spectra, windows
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import FrequencyDimension, LinearScale, frequency_adaptive_transform
from zounds_lite.testing.contracts import NodeContract

SCALE = zounds.GeometricScale(200, 5000, bandwidth_ratio=0.3, n_bands=20)


class TestFrequencyAdaptiveTransform(NodeContract):
    node = zounds.FrequencyAdaptiveTransform

    def arguments(self):
        return {"transform": np.fft.irfft, "scale": SCALE, "window_func": np.hanning}

    def changes(self):
        return {
            "transform": scipy.fftpack.idct, "scale": zounds.GeometricScale(200, 5000, 0.3, 21),
            "window_func": np.hamming, "check_scale_overlap_ratio": True, "residual": True,
        }  # fmt: skip

    def example(self):
        return spectra()

    def dtype(self, dtype):
        return dtype.type(0).real.dtype

    def offline(self, whole):
        return frequency_adaptive_transform(whole, np.fft.irfft, SCALE, np.hanning)


class TestFrequencyAdaptiveTransformWithResidualBands(TestFrequencyAdaptiveTransform):
    def arguments(self):
        return {**super().arguments(), "window_func": HANN, "residual": True}

    def changes(self):
        return {**super().changes(), "residual": False}

    def offline(self, whole):
        return frequency_adaptive_transform(whole, np.fft.irfft, SCALE, HANN, residual=True)


class TestFrequencyAdaptiveTransformOfCosines(TestFrequencyAdaptiveTransform):
    def arguments(self):
        return {"transform": scipy.fftpack.idct, "scale": SCALE}

    def changes(self):
        return {**super().changes(), "transform": np.fft.irfft}

    def example(self):
        whole = windows()
        axis = FrequencyDimension(LinearScale.from_sample_rate(zounds.SR11025(), whole.shape[1], True))
        return ArrayWithUnits(np.asarray(whole), [whole.dimensions[0], axis])

    def offline(self, whole):
        return frequency_adaptive_transform(whole, scipy.fftpack.idct, SCALE)
