"""From a recording to what describes it: spectra, bands of hearing, brightness, pitch classes and cepstra.

The features are those of ``stft``, and ``dct`` (from windowed), ``bark`` and ``chroma`` (from fft), ``centroid`` and
``bfcc`` (from bark). Function: ``audio_graph``.
"""

from typing import Any

from zounds_lite import featureflow as ff
from zounds_lite.graphs.audio import DEFAULT_CHUNK_SIZE, stft
from zounds_lite.media import DecodeLimits
from zounds_lite.persistence import ArrayWithUnitsFeature
from zounds_lite.spectral import BFCC, DCT, BarkBands, Chroma, FrequencyBand, SpectralCentroid
from zounds_lite.timeseries import SR44100, AudioSampleRate, HalfLapped, SampleRate

__all__ = ["audio_graph"]


def audio_graph(
    chunksize_bytes: Any = DEFAULT_CHUNK_SIZE,
    resample_to: AudioSampleRate = SR44100(),  # noqa: B008 - an immutable value
    store_fft: bool = False,
    wscheme: SampleRate = HalfLapped(),  # noqa: B008 - an immutable value
    store_windowed: bool = False,
    store_resampled: bool = False,
    store_ogg: bool = True,
    pad: bool = False,
    damaged: str = "raise",
    limits: DecodeLimits | str | None = "network",
) -> type[ff.BaseModel]:
    """Return a document with the usual descriptors of sound, stored.

    Frames are multiplied by the Vorbis window. ``bark`` has 100 bands from 20 Hz to the Nyquist frequency; ``centroid``
    is in Hz, of those bands; ``chroma`` begins with A; ``bfcc`` are the second to fourteenth coefficient of the bands.
    Of a recording, all have as many frames: every sample is in one, and the last is filled with zeros.

    Args:
        chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits: as for ``resampled``.
        store_fft (bool): keep the Fourier transform in the store.
        wscheme, store_windowed, pad: as for ``windowed``.

    Examples:
        >>> import zounds_lite as zounds
        >>> @zounds.simple_in_memory_settings
        ... class Sound(zounds.audio_graph(resample_to=zounds.SR22050())):
        ...     pass
        >>> samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(5), [440.0])
        >>> sound = Sound(Sound.process(meta=samples.encode()))
        >>> sound.dct.shape, sound.bark.shape, sound.centroid.shape, sound.chroma.shape, sound.bfcc.shape
        ((215, 1024), (215, 100), (215,), (215, 12), (215, 13))
        >>> int(sound.chroma[100].argmax())
        0
    """
    base: Any = stft(
        chunksize_bytes,
        resample_to,
        wscheme,
        store_fft=store_fft,
        store_windowed=store_windowed,
        store_resampled=store_resampled,
        store_ogg=store_ogg,
        pad=pad,
        damaged=damaged,
        limits=limits,
    )
    band = FrequencyBand.audible_range(resample_to)

    class AudioGraph(base):
        """A recording and its descriptors."""

        dct = ArrayWithUnitsFeature(DCT, needs=base.windowed, store=True)
        bark = ArrayWithUnitsFeature(BarkBands, needs=base.fft, frequency_band=band, store=True)
        centroid = ArrayWithUnitsFeature(SpectralCentroid, needs=bark, store=True)
        chroma = ArrayWithUnitsFeature(Chroma, needs=base.fft, frequency_band=band, store=True)
        bfcc = ArrayWithUnitsFeature(BFCC, needs=bark, store=True)

    return AudioGraph
