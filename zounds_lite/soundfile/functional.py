"""Functions of audio with units.

Function: ``resample``.
"""

from zounds_lite.timeseries import AudioSampleRate, AudioSamples

__all__ = ["resample"]


def resample(samples: AudioSamples, new_sample_rate: AudioSampleRate) -> AudioSamples:
    """Change the sample rate, without delay.

    Args:
        samples (AudioSamples): the audio, (samples,) or (samples, channels).
        new_sample_rate (AudioSampleRate): the wanted rate; the same one returns the audio as it is.

    Returns:
        AudioSamples: ``round(n * new / old)`` samples, float64 where the audio is, else float32.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.timeseries import SR11025, SR44100
        >>> resample(AudioSamples(np.zeros(44100), SR44100()), SR11025()).shape
        (11025,)

    See Also:
        Resampler (the node, for a stream of chunks).
    """
    return samples.resample(new_sample_rate)
