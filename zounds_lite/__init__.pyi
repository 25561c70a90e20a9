"""Names of the package and where they come from; ``__init__.py`` loads them from here on first use."""

from zounds_lite import (
    core as core,
    datasets as datasets,
    dsp as dsp,
    errors as errors,
    featureflow as featureflow,
    graphs as graphs,
    index as index,
    learn as learn,
    loudness as loudness,
    media as media,
    persistence as persistence,
    segment as segment,
    soundfile as soundfile,
    spectral as spectral,
    synthesize as synthesize,
    testing as testing,
    timeseries as timeseries,
    ui as ui,
    visualization as visualization,
)
from zounds_lite.core import (
    ArrayWithUnits as ArrayWithUnits,
    Dimension as Dimension,
    IdentityDimension as IdentityDimension,
    sliding_window as sliding_window,
)
from zounds_lite.core.nodes import (
    Max as Max,
    Merge as Merge,
    Slice as Slice,
    Sum as Sum,
)
from zounds_lite.datasets import (
    CompositeDataset as CompositeDataset,
    Directory as Directory,
    Failure as Failure,
    IngestReport as IngestReport,
    ingest as ingest,
)
from zounds_lite.featureflow.overview import (
    FeatureInfo as FeatureInfo,
    StoreInfo as StoreInfo,
    info as info,
)
from zounds_lite.featureflow.settings import (
    simple_in_memory_settings as simple_in_memory_settings,
    simple_lmdb_settings as simple_lmdb_settings,
)
from zounds_lite.featureflow.stores.base import Damage as Damage
from zounds_lite.featureflow.stores.maintenance import (
    Compaction as Compaction,
    CopyReport as CopyReport,
    compact as compact,
    copy as copy,
    merge as merge,
)
from zounds_lite.featureflow.stores.verification import verify as verify
from zounds_lite.graphs import (
    Recording as Recording,
    frequency_adaptive as frequency_adaptive,
    resampled as resampled,
    stft as stft,
    windowed as windowed,
)
from zounds_lite.loudness import (
    Decibel as Decibel,
    LogModulus as LogModulus,
    MuLaw as MuLaw,
    decibel as decibel,
    instance_scale as instance_scale,
    inverse_log_modulus as inverse_log_modulus,
    inverse_mu_law as inverse_mu_law,
    inverse_one_hot as inverse_one_hot,
    log_modulus as log_modulus,
    mu_law as mu_law,
)
from zounds_lite.media import DecodeLimits as DecodeLimits
from zounds_lite.persistence import (
    ArrayWithUnitsFeature as ArrayWithUnitsFeature,
    AudioSamplesFeature as AudioSamplesFeature,
    PackedArrayWithUnitsFeature as PackedArrayWithUnitsFeature,
    VariableRateTimeSeriesFeature as VariableRateTimeSeriesFeature,
)
from zounds_lite.soundfile import (
    AudioMetaData as AudioMetaData,
    AudioMetaDataEncoder as AudioMetaDataEncoder,
    AudioStream as AudioStream,
    ChunkSizeBytes as ChunkSizeBytes,
    MetaData as MetaData,
    OggVorbis as OggVorbis,
    OggVorbisDecoder as OggVorbisDecoder,
    OggVorbisEncoder as OggVorbisEncoder,
    OggVorbisFeature as OggVorbisFeature,
    OggVorbisWrapper as OggVorbisWrapper,
    Resampler as Resampler,
)
from zounds_lite.spectral import (
    BFCC as BFCC,
    DCT as DCT,
    DCTIV as DCTIV,
    FFT as FFT,
    MDCT as MDCT,
    MFCC as MFCC,
    RMS as RMS,
    AWeighting as AWeighting,
    Bark as Bark,
    BarkBands as BarkBands,
    BarkScale as BarkScale,
    Chroma as Chroma,
    ChromaScale as ChromaScale,
    ChromaSTFT as ChromaSTFT,
    EllisChromaScale as EllisChromaScale,
    ERBScale as ERBScale,
    ExplicitFrequencyDimension as ExplicitFrequencyDimension,
    ExplicitScale as ExplicitScale,
    FFTScale as FFTScale,
    FrequencyAdaptive as FrequencyAdaptive,
    FrequencyAdaptiveFeature as FrequencyAdaptiveFeature,
    FrequencyAdaptiveTransform as FrequencyAdaptiveTransform,
    FrequencyBand as FrequencyBand,
    FrequencyDimension as FrequencyDimension,
    FrequencyScale as FrequencyScale,
    FrequencyWeighting as FrequencyWeighting,
    GeometricScale as GeometricScale,
    HanningWindowingFunc as HanningWindowingFunc,
    Hertz as Hertz,
    Hz as Hz,
    IdentityWindowingFunc as IdentityWindowingFunc,
    LinearScale as LinearScale,
    Mel as Mel,
    MelBands as MelBands,
    MelScale as MelScale,
    OggVorbisWindowingFunc as OggVorbisWindowingFunc,
    SlaneyMelScale as SlaneyMelScale,
    SlidingWindow as SlidingWindow,
    SpectralCentroid as SpectralCentroid,
    SpectralFlatness as SpectralFlatness,
    SpectralRolloff as SpectralRolloff,
    SpectralSpread as SpectralSpread,
    WindowingFunc as WindowingFunc,
    ZeroCrossingRate as ZeroCrossingRate,
    fir_filter_bank as fir_filter_bank,
)
from zounds_lite.synthesize import (
    DCTIVSynthesizer as DCTIVSynthesizer,
    DCTSynthesizer as DCTSynthesizer,
    FFTSynthesizer as FFTSynthesizer,
    FrequencyAdaptiveDCTSynthesizer as FrequencyAdaptiveDCTSynthesizer,
    FrequencyAdaptiveFFTSynthesizer as FrequencyAdaptiveFFTSynthesizer,
    FrequencyDecompositionSynthesizer as FrequencyDecompositionSynthesizer,
    MDCTSynthesizer as MDCTSynthesizer,
    NoiseSynthesizer as NoiseSynthesizer,
    ShortTimeSynthesizer as ShortTimeSynthesizer,
    SilenceSynthesizer as SilenceSynthesizer,
    SineSynthesizer as SineSynthesizer,
    TickSynthesizer as TickSynthesizer,
    WindowedAudioSynthesizer as WindowedAudioSynthesizer,
)
from zounds_lite.timeseries import (
    SR8000 as SR8000,
    SR11025 as SR11025,
    SR16000 as SR16000,
    SR22050 as SR22050,
    SR24000 as SR24000,
    SR32000 as SR32000,
    SR44100 as SR44100,
    SR48000 as SR48000,
    SR88200 as SR88200,
    SR96000 as SR96000,
    SR192000 as SR192000,
    AudioSampleRate as AudioSampleRate,
    AudioSamples as AudioSamples,
    ConstantRateTimeSeries as ConstantRateTimeSeries,
    HalfLapped as HalfLapped,
    Hours as Hours,
    Microseconds as Microseconds,
    Milliseconds as Milliseconds,
    Minutes as Minutes,
    Nanoseconds as Nanoseconds,
    Picoseconds as Picoseconds,
    SampleRate as SampleRate,
    Seconds as Seconds,
    Stride as Stride,
    TimeDimension as TimeDimension,
    TimeSlice as TimeSlice,
    VariableRateTimeSeries as VariableRateTimeSeries,
    audio_sample_rate as audio_sample_rate,
    nearest_audio_sample_rate as nearest_audio_sample_rate,
)
from zounds_lite.timeseries.nodes import Pooled as Pooled
from zounds_lite.visualization import (
    spectrogram_png as spectrogram_png,
)

__version__: str
__all__: list[str]
