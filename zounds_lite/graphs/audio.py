"""From a recording to its short-time Fourier transform.

=========== =================================================================== ===========================
function    features, each computed from the one before                         stored by default
=========== =================================================================== ===========================
resampled   meta, raw, ogg (from raw), pcm (from raw), resampled                meta, ogg
windowed    ... windowed                                                        meta, ogg, resampled
stft        ... windowed, fft                                                   meta, ogg
=========== =================================================================== ===========================

What is not stored is computed on access, from the nearest stored feature or from the source.
"""

from typing import Any

from zounds_lite import featureflow as ff
from zounds_lite.media import DecodeLimits
from zounds_lite.persistence import ArrayWithUnitsFeature, AudioSamplesFeature
from zounds_lite.soundfile import (
    AudioMetaDataEncoder,
    AudioStream,
    ChunkSizeBytes,
    MetaData,
    OggVorbis,
    OggVorbisFeature,
    Resampler,
)
from zounds_lite.spectral import FFT, OggVorbisWindowingFunc, SlidingWindow, WindowingFunc
from zounds_lite.timeseries import SR44100, AudioSampleRate, HalfLapped, SampleRate, Seconds, TimeDimension

__all__ = ["resampled", "stft", "windowed"]

DEFAULT_CHUNK_SIZE = ChunkSizeBytes(samplerate=SR44100(), duration=Seconds(30), bit_depth=16, channels=2)


def resampled(
    chunksize_bytes: Any = DEFAULT_CHUNK_SIZE,
    resample_to: AudioSampleRate = SR44100(),  # noqa: B008 - an immutable value
    store_resampled: bool = False,
    store_ogg: bool = True,
    damaged: str = "raise",
    limits: DecodeLimits | str | None = "network",
) -> type[ff.BaseModel]:
    """Return a document with mono audio at one sample rate.

    Args:
        chunksize_bytes (int | ChunkSizeBytes): bytes that are read at once from sources that cannot seek.
        resample_to (AudioSampleRate): the rate of ``resampled``.
        store_resampled (bool): keep ``resampled`` in the store.
        store_ogg (bool): keep an Ogg Vorbis copy at the source's own rate and channels; encoding it takes far longer
            than everything else.
        damaged (str): ``"raise"`` an error where a recording is damaged, or ``"keep"`` what could be decoded, and mark
            the document (``Document(_id).marks``).
        limits (DecodeLimits | str | None): decode in a process of its own, with limits of memory and time: what came
            from a URL (``"network"``), everything (a ``DecodeLimits``), or nothing (None).

    Raises:
        DeclarationError: an argument is none of these.

    Examples:
        >>> import zounds_lite as zounds
        >>> @zounds.simple_in_memory_settings
        ... class Sound(zounds.resampled(resample_to=zounds.SR11025())):
        ...     pass
        >>> samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(1))
        >>> Sound(Sound.process(meta=samples.encode())).resampled.shape
        (11025,)
    """

    # a wrong argument is an error here, not one of each recording later
    AudioStream(damaged=damaged, limits=limits)
    Resampler(resample_to)
    ff.ByteStream(chunksize_bytes)

    class Resampled(ff.BaseModel):
        """Audio at one sample rate."""

        meta = ff.JSONFeature(MetaData, damaged=damaged, store=True, encoder=AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=chunksize_bytes, needs=meta, store=False)
        ogg = OggVorbisFeature(OggVorbis, needs=raw, damaged=damaged, limits=limits, store=store_ogg)
        pcm = AudioSamplesFeature(AudioStream, needs=raw, damaged=damaged, limits=limits, store=False)
        resampled = AudioSamplesFeature(Resampler, needs=pcm, samplerate=resample_to, store=store_resampled)

    return Resampled


def windowed(
    wscheme: SampleRate,
    chunksize_bytes: Any = DEFAULT_CHUNK_SIZE,
    resample_to: AudioSampleRate = SR44100(),  # noqa: B008 - an immutable value
    store_resampled: bool = True,
    store_windowed: bool = False,
    wfunc: WindowingFunc | None = None,
    store_ogg: bool = True,
    pad: bool = False,
    damaged: str = "raise",
    limits: DecodeLimits | str | None = "network",
) -> type[ff.BaseModel]:
    """Return a document with overlapping frames of audio.

    Args:
        wscheme (SampleRate): hop and length of the frames, in time.
        chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits: as for ``resampled``.
        store_windowed (bool): keep the frames in the store.
        wfunc (WindowingFunc | None): window that each frame is multiplied by.
        pad (bool): put ``window - hop`` zeros before and after the audio, so that every sample, the first and last ones
            too, is covered by as many frames and can be recovered exactly.
    """
    base: Any = resampled(chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits)
    hop, window = wscheme.discrete_samples(TimeDimension(*resample_to))
    padding = window - hop if pad else 0

    class Windowed(base):
        """Frames of audio."""

        windowed = ArrayWithUnitsFeature(
            SlidingWindow,
            needs=base.resampled,
            wscheme=wscheme,
            wfunc=wfunc,
            padwith=padding,
            padend=padding,
            store=store_windowed,
        )

    return Windowed


def stft(
    chunksize_bytes: Any = DEFAULT_CHUNK_SIZE,
    resample_to: AudioSampleRate = SR44100(),  # noqa: B008 - an immutable value
    wscheme: SampleRate = HalfLapped(),  # noqa: B008 - an immutable value
    store_fft: bool = False,
    fft_padding_samples: int = 0,
    store_windowed: bool = False,
    store_resampled: bool = False,
    store_ogg: bool = True,
    pad: bool = False,
    damaged: str = "raise",
    limits: DecodeLimits | str | None = "network",
) -> type[ff.BaseModel]:
    """Return a document with a short-time Fourier transform, windowed by the Vorbis window.

    Args:
        chunksize_bytes, resample_to, store_resampled, store_ogg, damaged, limits: as for ``resampled``.
        wscheme, store_windowed, pad: as for ``windowed``.
        store_fft (bool): keep the transform in the store.
        fft_padding_samples (int): zeros behind each frame before it is transformed, >= 0.

    Examples:
        >>> import zounds_lite as zounds
        >>> @zounds.simple_in_memory_settings
        ... class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True)):
        ...     pass
        >>> samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(10), [440.0])
        >>> sound = Sound(Sound.process(meta=samples.encode()))
        >>> sound.fft.shape, sound.fft[zounds.TimeSlice(zounds.Seconds(1)), zounds.FrequencyBand(400, 500)].shape
        ((430, 257), (44, 5))
    """
    base: Any = windowed(
        wscheme,
        chunksize_bytes,
        resample_to,
        store_resampled=store_resampled,
        store_windowed=store_windowed,
        wfunc=OggVorbisWindowingFunc(),
        store_ogg=store_ogg,
        pad=pad,
        damaged=damaged,
        limits=limits,
    )

    class ShortTimeFourierTransform(base):
        """A short-time Fourier transform."""

        fft = ArrayWithUnitsFeature(FFT, needs=base.windowed, padding_samples=fft_padding_samples, store=store_fft)

    return ShortTimeFourierTransform
