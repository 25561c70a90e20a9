"""From features back to sound, and sounds made from nothing.

- ``adaptive``: inverses of frequency-adaptive transforms, and of decompositions
- ``constantq``: the inverse of the constant-Q transform
- ``cosine``: inverses of short-time cosine transforms
- ``griffinlim``: sound from magnitudes alone
- ``shorttime``: inverses of short-time Fourier transforms, and what all inverses share
- ``signals``: sines, noise, ticks and silence
"""

from zounds_lite.synthesize.adaptive import (
    FrequencyAdaptiveDCTSynthesizer,
    FrequencyAdaptiveFFTSynthesizer,
    FrequencyDecompositionSynthesizer,
)
from zounds_lite.synthesize.constantq import CQTSynthesizer
from zounds_lite.synthesize.cosine import DCTIVSynthesizer, DCTSynthesizer, MDCTSynthesizer
from zounds_lite.synthesize.griffinlim import GriffinLimSynthesizer
from zounds_lite.synthesize.shorttime import (
    FFTSynthesizer,
    ShortTimeSynthesizer,
    TransformSynthesizer,
    WindowedAudioSynthesizer,
)
from zounds_lite.synthesize.signals import NoiseSynthesizer, SilenceSynthesizer, SineSynthesizer, TickSynthesizer

__all__ = [
    "CQTSynthesizer",
    "DCTIVSynthesizer",
    "DCTSynthesizer",
    "FFTSynthesizer",
    "FrequencyAdaptiveDCTSynthesizer",
    "FrequencyAdaptiveFFTSynthesizer",
    "FrequencyDecompositionSynthesizer",
    "GriffinLimSynthesizer",
    "MDCTSynthesizer",
    "NoiseSynthesizer",
    "ShortTimeSynthesizer",
    "SilenceSynthesizer",
    "SineSynthesizer",
    "TickSynthesizer",
    "TransformSynthesizer",
    "WindowedAudioSynthesizer",
]
