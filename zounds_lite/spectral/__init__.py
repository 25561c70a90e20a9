"""Spectra with units: bands, scales, windows, transforms and the nodes that stream them.

- ``bands``: ``Hertz``, ``Bark``, ``Mel``, ``FrequencyBand``
- ``scales``, ``linear``, ``perceptual``, ``pitchclasses``: which band each bin of an axis stands for
- ``dimension``: frequency axes
- ``frequencyadaptive``: frames of bands, each with a resolution in time of its own; ``features``: how they are stored
- ``windows``: window functions of any size
- ``weighting``: weights along a frequency axis; its base class shares its name with the node, which is the one here
- ``filters``, ``functional``: mathematics with units
- ``nodes``: the same, in streams
"""

from zounds_lite.dsp.transforms import dct_basis
from zounds_lite.spectral.bands import Bark, FrequencyBand, Hertz, Hz, Mel
from zounds_lite.spectral.dimension import ExplicitFrequencyDimension, FrequencyDimension
from zounds_lite.spectral.features import FrequencyAdaptiveDecoder, FrequencyAdaptiveFeature
from zounds_lite.spectral.frequencyadaptive import FrequencyAdaptive
from zounds_lite.spectral.functional import (
    apply_scale,
    bfcc,
    chroma,
    chroma_stft,
    dct,
    dct_iv,
    fft,
    fir_filter_bank,
    frequency_adaptive_transform,
    frequency_decomposition,
    gammatone_filter_bank,
    idct,
    imdct,
    mdct,
    mel_bands,
    mel_to_magnitude,
    mfcc,
    morlet_filter_bank,
    phase_shift,
    pitch_shift,
    rainbowgram,
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    stft,
    time_stretch,
    zero_crossing_rate,
)
from zounds_lite.spectral.linear import FFTScale, LinearScale
from zounds_lite.spectral.nodes import (
    BFCC,
    DCT,
    DCTIV,
    FFT,
    MDCT,
    MFCC,
    RMS,
    BarkBands,
    Chroma,
    ChromaSTFT,
    FrequencyAdaptiveTransform,
    FrequencyWeighting,
    MelBands,
    SlidingWindow,
    SpectralCentroid,
    SpectralFlatness,
    SpectralRolloff,
    SpectralSpread,
    ZeroCrossingRate,
)
from zounds_lite.spectral.perceptual import BarkScale, ERBScale, GeometricScale, MelScale, SlaneyMelScale
from zounds_lite.spectral.pitchclasses import ChromaScale, EllisChromaScale
from zounds_lite.spectral.scales import ExplicitScale, FrequencyScale
from zounds_lite.spectral.weighting import AWeighting
from zounds_lite.spectral.windows import (
    HanningWindowingFunc,
    IdentityWindowingFunc,
    OggVorbisWindowingFunc,
    WindowingFunc,
)

__all__ = [
    "BFCC",
    "DCT",
    "DCTIV",
    "FFT",
    "MDCT",
    "MFCC",
    "RMS",
    "AWeighting",
    "Bark",
    "BarkBands",
    "BarkScale",
    "Chroma",
    "ChromaSTFT",
    "ChromaScale",
    "ERBScale",
    "EllisChromaScale",
    "ExplicitFrequencyDimension",
    "ExplicitScale",
    "FFTScale",
    "FrequencyAdaptive",
    "FrequencyAdaptiveDecoder",
    "FrequencyAdaptiveFeature",
    "FrequencyAdaptiveTransform",
    "FrequencyBand",
    "FrequencyDimension",
    "FrequencyScale",
    "FrequencyWeighting",
    "GeometricScale",
    "HanningWindowingFunc",
    "Hertz",
    "Hz",
    "IdentityWindowingFunc",
    "LinearScale",
    "Mel",
    "MelBands",
    "MelScale",
    "OggVorbisWindowingFunc",
    "SlaneyMelScale",
    "SlidingWindow",
    "SpectralCentroid",
    "SpectralFlatness",
    "SpectralRolloff",
    "SpectralSpread",
    "WindowingFunc",
    "ZeroCrossingRate",
    "apply_scale",
    "bfcc",
    "chroma",
    "chroma_stft",
    "dct",
    "dct_basis",
    "dct_iv",
    "fft",
    "fir_filter_bank",
    "frequency_adaptive_transform",
    "frequency_decomposition",
    "gammatone_filter_bank",
    "idct",
    "imdct",
    "mdct",
    "mel_bands",
    "mel_to_magnitude",
    "mfcc",
    "morlet_filter_bank",
    "phase_shift",
    "pitch_shift",
    "rainbowgram",
    "rms",
    "spectral_centroid",
    "spectral_flatness",
    "spectral_rolloff",
    "spectral_spread",
    "stft",
    "time_stretch",
    "zero_crossing_rate",
]
