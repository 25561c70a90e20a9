"""Names of the package and where they come from; ``__init__.py`` loads them from here on first use."""

from zounds_lite import (
    core as core,
)
from zounds_lite import (
    datasets as datasets,
)
from zounds_lite import (
    dsp as dsp,
)
from zounds_lite import (
    errors as errors,
)
from zounds_lite import (
    featureflow as featureflow,
)
from zounds_lite import (
    graphs as graphs,
)
from zounds_lite import (
    index as index,
)
from zounds_lite import (
    learn as learn,
)
from zounds_lite import (
    loudness as loudness,
)
from zounds_lite import (
    media as media,
)
from zounds_lite import (
    persistence as persistence,
)
from zounds_lite import (
    segment as segment,
)
from zounds_lite import (
    soundfile as soundfile,
)
from zounds_lite import (
    spectral as spectral,
)
from zounds_lite import (
    synthesize as synthesize,
)
from zounds_lite import (
    testing as testing,
)
from zounds_lite import (
    timeseries as timeseries,
)
from zounds_lite import (
    ui as ui,
)
from zounds_lite import (
    visualization as visualization,
)
from zounds_lite.core import (
    ArrayWithUnits as ArrayWithUnits,
)
from zounds_lite.core import (
    Dimension as Dimension,
)
from zounds_lite.core import (
    IdentityDimension as IdentityDimension,
)
from zounds_lite.core import (
    sliding_window as sliding_window,
)
from zounds_lite.datasets import (
    CompositeDataset as CompositeDataset,
)
from zounds_lite.datasets import (
    Directory as Directory,
)
from zounds_lite.datasets import (
    Failure as Failure,
)
from zounds_lite.datasets import (
    IngestReport as IngestReport,
)
from zounds_lite.datasets import (
    ingest as ingest,
)
from zounds_lite.featureflow.settings import (
    simple_in_memory_settings as simple_in_memory_settings,
)
from zounds_lite.featureflow.settings import (
    simple_lmdb_settings as simple_lmdb_settings,
)
from zounds_lite.graphs import (
    Recording as Recording,
)
from zounds_lite.graphs import (
    resampled as resampled,
)
from zounds_lite.graphs import (
    stft as stft,
)
from zounds_lite.graphs import (
    windowed as windowed,
)
from zounds_lite.persistence import (
    ArrayWithUnitsFeature as ArrayWithUnitsFeature,
)
from zounds_lite.persistence import (
    AudioSamplesFeature as AudioSamplesFeature,
)
from zounds_lite.persistence import (
    PackedArrayWithUnitsFeature as PackedArrayWithUnitsFeature,
)
from zounds_lite.soundfile import (
    AudioMetaData as AudioMetaData,
)
from zounds_lite.soundfile import (
    AudioMetaDataEncoder as AudioMetaDataEncoder,
)
from zounds_lite.soundfile import (
    AudioStream as AudioStream,
)
from zounds_lite.soundfile import (
    ChunkSizeBytes as ChunkSizeBytes,
)
from zounds_lite.soundfile import (
    MetaData as MetaData,
)
from zounds_lite.soundfile import (
    OggVorbis as OggVorbis,
)
from zounds_lite.soundfile import (
    OggVorbisDecoder as OggVorbisDecoder,
)
from zounds_lite.soundfile import (
    OggVorbisEncoder as OggVorbisEncoder,
)
from zounds_lite.soundfile import (
    OggVorbisFeature as OggVorbisFeature,
)
from zounds_lite.soundfile import (
    OggVorbisWrapper as OggVorbisWrapper,
)
from zounds_lite.soundfile import (
    Resampler as Resampler,
)
from zounds_lite.spectral import (
    FFT as FFT,
)
from zounds_lite.spectral import (
    AWeighting as AWeighting,
)
from zounds_lite.spectral import (
    Bark as Bark,
)
from zounds_lite.spectral import (
    BarkBands as BarkBands,
)
from zounds_lite.spectral import (
    BarkScale as BarkScale,
)
from zounds_lite.spectral import (
    ChromaScale as ChromaScale,
)
from zounds_lite.spectral import (
    ExplicitFrequencyDimension as ExplicitFrequencyDimension,
)
from zounds_lite.spectral import (
    ExplicitScale as ExplicitScale,
)
from zounds_lite.spectral import (
    FFTScale as FFTScale,
)
from zounds_lite.spectral import (
    FrequencyBand as FrequencyBand,
)
from zounds_lite.spectral import (
    FrequencyDimension as FrequencyDimension,
)
from zounds_lite.spectral import (
    FrequencyScale as FrequencyScale,
)
from zounds_lite.spectral import (
    FrequencyWeighting as FrequencyWeighting,
)
from zounds_lite.spectral import (
    GeometricScale as GeometricScale,
)
from zounds_lite.spectral import (
    HanningWindowingFunc as HanningWindowingFunc,
)
from zounds_lite.spectral import (
    Hertz as Hertz,
)
from zounds_lite.spectral import (
    Hz as Hz,
)
from zounds_lite.spectral import (
    IdentityWindowingFunc as IdentityWindowingFunc,
)
from zounds_lite.spectral import (
    LinearScale as LinearScale,
)
from zounds_lite.spectral import (
    Mel as Mel,
)
from zounds_lite.spectral import (
    MelBands as MelBands,
)
from zounds_lite.spectral import (
    MelScale as MelScale,
)
from zounds_lite.spectral import (
    OggVorbisWindowingFunc as OggVorbisWindowingFunc,
)
from zounds_lite.spectral import (
    SlaneyMelScale as SlaneyMelScale,
)
from zounds_lite.spectral import (
    SlidingWindow as SlidingWindow,
)
from zounds_lite.spectral import (
    WindowingFunc as WindowingFunc,
)
from zounds_lite.synthesize import (
    FFTSynthesizer as FFTSynthesizer,
)
from zounds_lite.synthesize import (
    NoiseSynthesizer as NoiseSynthesizer,
)
from zounds_lite.synthesize import (
    ShortTimeSynthesizer as ShortTimeSynthesizer,
)
from zounds_lite.synthesize import (
    SilenceSynthesizer as SilenceSynthesizer,
)
from zounds_lite.synthesize import (
    SineSynthesizer as SineSynthesizer,
)
from zounds_lite.synthesize import (
    TickSynthesizer as TickSynthesizer,
)
from zounds_lite.synthesize import (
    WindowedAudioSynthesizer as WindowedAudioSynthesizer,
)
from zounds_lite.timeseries import (
    SR8000 as SR8000,
)
from zounds_lite.timeseries import (
    SR11025 as SR11025,
)
from zounds_lite.timeseries import (
    SR16000 as SR16000,
)
from zounds_lite.timeseries import (
    SR22050 as SR22050,
)
from zounds_lite.timeseries import (
    SR24000 as SR24000,
)
from zounds_lite.timeseries import (
    SR32000 as SR32000,
)
from zounds_lite.timeseries import (
    SR44100 as SR44100,
)
from zounds_lite.timeseries import (
    SR48000 as SR48000,
)
from zounds_lite.timeseries import (
    SR88200 as SR88200,
)
from zounds_lite.timeseries import (
    SR96000 as SR96000,
)
from zounds_lite.timeseries import (
    SR192000 as SR192000,
)
from zounds_lite.timeseries import (
    AudioSampleRate as AudioSampleRate,
)
from zounds_lite.timeseries import (
    AudioSamples as AudioSamples,
)
from zounds_lite.timeseries import (
    ConstantRateTimeSeries as ConstantRateTimeSeries,
)
from zounds_lite.timeseries import (
    HalfLapped as HalfLapped,
)
from zounds_lite.timeseries import (
    Hours as Hours,
)
from zounds_lite.timeseries import (
    Microseconds as Microseconds,
)
from zounds_lite.timeseries import (
    Milliseconds as Milliseconds,
)
from zounds_lite.timeseries import (
    Minutes as Minutes,
)
from zounds_lite.timeseries import (
    Nanoseconds as Nanoseconds,
)
from zounds_lite.timeseries import (
    Picoseconds as Picoseconds,
)
from zounds_lite.timeseries import (
    SampleRate as SampleRate,
)
from zounds_lite.timeseries import (
    Seconds as Seconds,
)
from zounds_lite.timeseries import (
    Stride as Stride,
)
from zounds_lite.timeseries import (
    TimeDimension as TimeDimension,
)
from zounds_lite.timeseries import (
    TimeSlice as TimeSlice,
)
from zounds_lite.timeseries import (
    VariableRateTimeSeries as VariableRateTimeSeries,
)
from zounds_lite.timeseries import (
    audio_sample_rate as audio_sample_rate,
)
from zounds_lite.timeseries import (
    nearest_audio_sample_rate as nearest_audio_sample_rate,
)
from zounds_lite.visualization import (
    spectrogram_png as spectrogram_png,
)

__version__: str
__all__: list[str]
