"""From features back to sound, and sounds made from nothing.

- ``shorttime``: inverses of short-time transforms
- ``signals``: sines, noise, ticks and silence
"""

from zounds_lite.synthesize.shorttime import FFTSynthesizer, ShortTimeSynthesizer, WindowedAudioSynthesizer
from zounds_lite.synthesize.signals import NoiseSynthesizer, SilenceSynthesizer, SineSynthesizer, TickSynthesizer

__all__ = [
    "FFTSynthesizer",
    "NoiseSynthesizer",
    "ShortTimeSynthesizer",
    "SilenceSynthesizer",
    "SineSynthesizer",
    "TickSynthesizer",
    "WindowedAudioSynthesizer",
]
