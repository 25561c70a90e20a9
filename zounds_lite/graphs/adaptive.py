"""From a recording to a frequency-adaptive transform.

The features are those of ``resampled``, and ``long_windowed``, ``long_fft``, ``freq_adaptive``, each computed from the
one before. What is not stored is computed on access. Function: ``frequency_adaptive``.
"""

from typing import Any

import numpy as np

from zounds_lite import featureflow as ff
from zounds_lite.graphs.audio import DEFAULT_CHUNK_SIZE, resampled
from zounds_lite.media import DecodeLimits
from zounds_lite.persistence import ArrayWithUnitsFeature
from zounds_lite.spectral import (
    FFT,
    FrequencyAdaptiveFeature,
    FrequencyAdaptiveTransform,
    FrequencyScale,
    OggVorbisWindowingFunc,
    SlidingWindow,
)
from zounds_lite.timeseries import SR44100, AudioSampleRate, SampleRate, TimeDimension

__all__ = ["frequency_adaptive"]


def frequency_adaptive(
    long_window_sample_rate: SampleRate,
    scale: FrequencyScale,
    store_freq_adaptive: bool = False,
    check_scale_overlap_ratio: bool = False,
    chunksize_bytes: Any = DEFAULT_CHUNK_SIZE,
    resample_to: AudioSampleRate = SR44100(),  # noqa: B008 - an immutable value
    store_resampled: bool = False,
    store_ogg: bool = True,
    pad: bool = False,
    damaged: str = "raise",
    limits: DecodeLimits | str | None = "network",
    residual: bool = False,
) -> type[ff.BaseModel]:
    """Return a document with bands of long frames, each band at a rate that follows its width.

    Frames are multiplied by the Vorbis window, and bands by ``np.hanning``, as ``FrequencyAdaptiveFFTSynthesizer``
    expects.

    Args:
        long_window_sample_rate (SampleRate): hop and length of the long frames, in time.
        scale (FrequencyScale): the bands.
        store_freq_adaptive (bool): keep the transform in the store.
        check_scale_overlap_ratio (bool): refuse a scale whose bands overlap less than half.
        chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits: as for ``resampled``.
        pad (bool): as for ``windowed``.
        residual (bool): add a band below and one above the scale, so that the whole spectrum can be recovered.

    Raises:
        DeclarationError: ``scale`` is no scale, or overlaps too little.

    Examples:
        >>> import zounds_lite as zounds
        >>> scale = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
        >>> long = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))
        >>> @zounds.simple_in_memory_settings
        ... class Sound(zounds.frequency_adaptive(long, scale, resample_to=zounds.SR11025())):
        ...     pass
        >>> samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(3), [440.0])
        >>> bands = Sound(Sound.process(meta=samples.encode())).freq_adaptive
        >>> bands.n_bands, bands.rasterize(100).shape
        (100, (5, 100, 100))
    """
    base: Any = resampled(chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits)
    hop, window = long_window_sample_rate.discrete_samples(TimeDimension(*resample_to))
    padding = window - hop if pad else 0
    bands: dict[str, Any] = {
        "transform": np.fft.irfft,
        "scale": scale,
        "window_func": np.hanning,
        "check_scale_overlap_ratio": check_scale_overlap_ratio,
        "residual": residual,
    }
    FrequencyAdaptiveTransform(**bands)  # a wrong argument is an error here, not one of each recording later

    class FrequencyAdaptive(base):
        """Bands of long frames."""

        long_windowed = ArrayWithUnitsFeature(
            SlidingWindow,
            needs=base.resampled,
            wscheme=long_window_sample_rate,
            wfunc=OggVorbisWindowingFunc(),
            padwith=padding,
            padend=padding,
            store=False,
        )
        long_fft = ArrayWithUnitsFeature(FFT, needs=long_windowed, store=False)
        freq_adaptive = FrequencyAdaptiveFeature(
            FrequencyAdaptiveTransform, needs=long_fft, store=store_freq_adaptive, **bands
        )

    return FrequencyAdaptive
