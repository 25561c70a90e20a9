"""Every declared value of the library keeps its contract, and the contract refuses values that do not.

Dimensions, scales and synthesizers keep it too; their own tests stand beside this one.
"""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.testing.library import library_classes, names, refusals
from zounds_lite import featureflow as ff
from zounds_lite._declared import Declared
from zounds_lite.core import Dimension
from zounds_lite.datasets import (
    ESC50,
    GTZAN,
    Archive,
    Directory,
    InternetArchive,
    Manifest,
    MusicNet,
    NSynth,
    PhatDrumLoops,
    SpokenDigits,
)
from zounds_lite.datasets.exports import ClipFrames
from zounds_lite.datasets.hdf5_clips import HDF5Clip
from zounds_lite.featureflow import settings
from zounds_lite.featureflow.archivelimits import ArchiveLimits
from zounds_lite.featureflow.archives import ArchiveMember
from zounds_lite.featureflow.feature import Var
from zounds_lite.featureflow.fetch import Fetcher
from zounds_lite.featureflow.fetchcache import FetchCache
from zounds_lite.learn import (
    Op,
    Pipeline,
    PreprocessResult,
    hashing,
    kmeans,
    logistic,
    scaling,
    shaping,
    sklearn_models,
)
from zounds_lite.learn.nets import networks, storing
from zounds_lite.learn.reports import ClassificationReport, ConfusionMatrix
from zounds_lite.learn.standardization import Standardized
from zounds_lite.media.guard import DecodeLimits
from zounds_lite.soundfile import AudioMetaData, ChunkSizeBytes
from zounds_lite.spectral import FrequencyScale, weighting, windows
from zounds_lite.testing.contracts import DeclaredContract
from zounds_lite.timeseries import Milliseconds, Seconds, TimeSlice, audiorate
from zounds_lite.visualization.layouts import MusicPicture

SR = zounds.SR22050()

VALUES = {
    AudioMetaData: (
        lambda: AudioMetaData("a.wav", 44100, channels=2, artist="Ann", year=1999),
        [AudioMetaData("b.wav", 44100, channels=2), AudioMetaData("a.wav", 44100, channels=2, artist="Ann")],
    ),
    audiorate.AudioSampleRate: (lambda: audiorate.AudioSampleRate(41100), [audiorate.AudioSampleRate(41101)]),
    ChunkSizeBytes: (
        lambda: ChunkSizeBytes(SR, Seconds(2)),
        [ChunkSizeBytes(SR, Seconds(3)), ChunkSizeBytes(SR, Seconds(2), 1), ChunkSizeBytes(SR, Seconds(2), 2, 24)],
    ),
    Archive: (
        lambda: Archive("a.zip", licensing="CC0"),
        [Archive("a.zip"), Archive("b.zip", licensing="CC0"), Archive("a.zip", ArchiveLimits(), licensing="CC0")],
    ),
    ArchiveLimits: (
        ArchiveLimits,
        [ArchiveLimits(members=5), ArchiveLimits(member_bytes=5), ArchiveLimits(total_bytes=5), ArchiveLimits(ratio=5)],
    ),
    ArchiveMember: (
        lambda: ArchiveMember("a.zip", "b.wav"),
        [
            ArchiveMember("a.zip", "c.wav"),
            ArchiveMember("c.zip", "b.wav"),
            ArchiveMember("a.zip", "b.wav", ArchiveLimits()),
        ],
    ),
    ClipFrames: (
        ClipFrames,
        [
            ClipFrames(44_100),
            ClipFrames(frame=512),
            ClipFrames(start_hz=70.0),
            ClipFrames(size=(5, 9)),
            ClipFrames(floor=0.1),
        ],
    ),
    DecodeLimits: (DecodeLimits, [DecodeLimits(cpu_s=1), DecodeLimits(wall_s=1), DecodeLimits(memory=2**21)]),
    Directory: (lambda: Directory("music", licensing="CC0"), [Directory("music"), Directory("sounds", False)]),
    FetchCache: (
        lambda: FetchCache("a", 10),
        [FetchCache("b", 10), FetchCache("a", 11), FetchCache("a", 10, 1.0)],
    ),
    Fetcher: (Fetcher, [Fetcher(cache=FetchCache("a")), Fetcher(retries=1), Fetcher(max_bytes=10)]),
    ESC50: (lambda: ESC50("x"), [ESC50("y"), ESC50("x", licensing="CC0")]),
    GTZAN: (lambda: GTZAN("x"), [GTZAN("y"), GTZAN("x", licensing="CC0")]),
    HDF5Clip: (
        lambda: HDF5Clip("x.h5", "rock", 3, 22050),
        [HDF5Clip("x.h5", "rock", 4, 22050), HDF5Clip("x.h5", "rock", 3, 8000), HDF5Clip("x.h5", "jazz", 3, 22050)],
    ),
    Manifest: (
        lambda: Manifest("x.csv", label=7),
        [Manifest("x.csv"), Manifest("x.csv", segments=False, label=7), Manifest("x.csv", types={"a": str}, label=7)],
    ),
    SpokenDigits: (lambda: SpokenDigits("x"), [SpokenDigits("y"), SpokenDigits("x", licensing="CC0")]),
    InternetArchive: (
        lambda: InternetArchive("x", "Flac", label="rock"),
        [InternetArchive("x", "Flac"), InternetArchive("y", "Flac", label="rock"), InternetArchive("x", label="rock")],
    ),
    MusicPicture: (
        lambda: MusicPicture("hilbert", tempo=90.0),
        [
            MusicPicture("hilbert", tempo=91.0),
            MusicPicture("tiles", tempo=90.0),
            MusicPicture("hilbert", band=zounds.FrequencyBand(50, 8001), tempo=90.0),
            MusicPicture("hilbert", tempo=90.0, white_db=0.0),
        ],
    ),
    MusicNet: (lambda: MusicNet("x"), [MusicNet("y"), MusicNet("x", "test"), MusicNet("x", download=True)]),
    NSynth: (lambda: NSynth("x"), [NSynth("y"), NSynth("x", "test"), NSynth("x", pitch=60)]),
    PhatDrumLoops: (PhatDrumLoops, [PhatDrumLoops(label="x"), PhatDrumLoops(base_url="https://example.org")]),
    settings.IdProvider: (settings.IdProvider, []),
    settings.IntegerIdProvider: (settings.IntegerIdProvider, []),
    settings.KeyBuilder: (settings.KeyBuilder, []),
    settings.StaticIdProvider: (lambda: ff.StaticIdProvider("a"), [ff.StaticIdProvider("b")]),
    settings.StringDelimitedKeyBuilder: (
        settings.StringDelimitedKeyBuilder,
        [settings.StringDelimitedKeyBuilder("/")],
    ),
    settings.UserSpecifiedIdProvider: (
        lambda: ff.UserSpecifiedIdProvider("_id"),
        [ff.UserSpecifiedIdProvider("key")],
    ),
    settings.UuidProvider: (settings.UuidProvider, []),
    Var: (lambda: Var("name"), [Var("other")]),
    zounds.FrequencyBand: (
        lambda: zounds.FrequencyBand(20, 200.5),
        [zounds.FrequencyBand(20, 200), zounds.FrequencyBand(21, 200.5)],
    ),
    weighting.FrequencyWeighting: (weighting.FrequencyWeighting, []),
    weighting.AWeighting: (weighting.AWeighting, [weighting.AWeighting(gain=True), weighting.FrequencyWeighting()]),
    windows.HanningWindowingFunc: (zounds.HanningWindowingFunc, [zounds.HanningWindowingFunc(True)]),
    windows.IdentityWindowingFunc: (zounds.IdentityWindowingFunc, [zounds.HanningWindowingFunc()]),
    windows.OggVorbisWindowingFunc: (zounds.OggVorbisWindowingFunc, [zounds.HanningWindowingFunc()]),
    windows.WindowingFunc: (lambda: zounds.WindowingFunc(np.hanning), [zounds.WindowingFunc(np.hamming)]),
    zounds.SampleRate: (
        lambda: zounds.SampleRate(Seconds(1), Milliseconds(1500)),
        [zounds.SampleRate(Seconds(1), Seconds(2)), zounds.SampleRate(Seconds(2), Milliseconds(1500))],
    ),
    zounds.HalfLapped: (zounds.HalfLapped, [zounds.HalfLapped(1024, 512), zounds.HalfLapped(2048, 512)]),
    TimeSlice: (
        lambda: TimeSlice(Seconds(2), start=Milliseconds(1500)),
        [TimeSlice(Seconds(2)), TimeSlice(start=Milliseconds(1500)), TimeSlice(Seconds(3), start=Milliseconds(1500))],
    ),
}
"""Each declared type: how one is made, and some that are not equal to it."""

VALUES |= {
    cls: (cls, [audiorate.AudioSampleRate(cls.RATE + 1)])
    for cls in library_classes(audiorate.AudioSampleRate)
    if hasattr(cls, "RATE")
}
STEP = PreprocessResult(None, scaling.Multiplied(2.0), name="a")
SPEC = storing.NetworkSpec("Linear", "torch.nn.modules.linear", {"in_features": 2})
STORED = storing.StoredNetwork(SPEC, {"bias": np.zeros(1)}, "2.4")
STATE = np.zeros(3, np.uint8)

VALUES |= {
    # what was learned
    Op: (Op, [scaling.UnitNormalized()]),
    PreprocessResult: (
        lambda: PreprocessResult(None, scaling.Multiplied(2.0), name="a"),
        [
            STEP.replace(op=scaling.Multiplied(3.0)),
            STEP.replace(inverse=scaling.Multiplied(0.5)),
            STEP.replace(inversion_data=scaling.Multiplied(0.5)),
            STEP.replace(name="b"),
        ],
    ),
    Pipeline: (lambda: Pipeline([STEP]), [Pipeline([STEP, STEP]), Pipeline([])]),
    Standardized: (
        lambda: Standardized(np.zeros(2), np.ones(2)),
        [Standardized(np.ones(2), np.ones(2)), Standardized(np.zeros(2), np.zeros(2))],
    ),
    scaling.UnitNormalized: (scaling.UnitNormalized, []),
    scaling.InstanceScaled: (scaling.InstanceScaled, [scaling.InstanceScaled(2)]),
    scaling.Logarithmic: (scaling.Logarithmic, []),
    scaling.MuLawCurve: (scaling.MuLawCurve, []),
    scaling.Multiplied: (lambda: scaling.Multiplied(2.0), [scaling.Multiplied(np.array([2.0]))]),
    scaling.WeightedBands: (
        lambda: scaling.WeightedBands(weighting.AWeighting()),
        [scaling.WeightedBands(weighting.AWeighting(gain=True))],
    ),
    shaping.Sliced: (lambda: shaping.Sliced(slice(1, 2)), [shaping.Sliced(slice(1, 3)), shaping.Sliced()]),
    shaping.Reshaped: (lambda: shaping.Reshaped((2, -1)), [shaping.Reshaped((-1, 2))]),
    shaping.Magnitude: (shaping.Magnitude, []),
    shaping.Thresholded: (shaping.Thresholded, [shaping.Thresholded(0.1)]),
    shaping.Sharpened: (lambda: shaping.Sharpened(np.ones(3)), [shaping.Sharpened(), shaping.Sharpened(np.ones(2))]),
    logistic.LinearClassifier: (
        lambda: logistic.LinearClassifier([[1.0, -1.0]], [0.0], ["a", "b"], [2]),
        [
            logistic.LinearClassifier([[1.0, 2.0]], [0.0], ["a", "b"], [2]),
            logistic.LinearClassifier([[1.0, -1.0]], [0.5], ["a", "b"], [2]),
            logistic.LinearClassifier([[1.0, -1.0]], [0.0], ["a", "c"], [2]),
            logistic.LinearClassifier([[1.0, -1.0]], [0.0], ["a", "b"], [2, 1]),
            logistic.LinearClassifier([[1.0, -1.0]], [0.0], ["a", "b"], [2], "decision_function"),
        ],
    ),
    kmeans.NearestCentroid: (
        lambda: kmeans.NearestCentroid(np.eye(2)),
        [kmeans.NearestCentroid(np.eye(3)), kmeans.NearestCentroid(2 * np.eye(2))],
    ),
    hashing.Hashed: (
        lambda: hashing.Hashed(np.eye(2), np.zeros(2)),
        [
            hashing.Hashed(2 * np.eye(2), np.zeros(2)),
            hashing.Hashed(np.eye(2), np.ones(2)),
            hashing.Hashed(np.eye(2), np.zeros(2), True),
        ],
    ),
    sklearn_models.FittedEstimator: (
        lambda: sklearn_models.FittedEstimator(STATE, "transform", (2,)),
        [
            sklearn_models.FittedEstimator(STATE + 1, "transform", (2,)),
            sklearn_models.FittedEstimator(STATE, "predict", (2,)),
            sklearn_models.FittedEstimator(STATE, "transform", (3,)),
        ],
    ),
    sklearn_models.FittedComponents: (
        lambda: sklearn_models.FittedComponents(STATE, "transform", (2,)),
        [sklearn_models.FittedEstimator(STATE, "transform", (2,))],
    ),
    storing.NetworkSpec: (
        lambda: storing.NetworkSpec("Linear", "torch.nn.modules.linear", {"in_features": 2}),
        [SPEC.replace(kind="Conv1d"), SPEC.replace(arguments={"in_features": 3}), SPEC.replace(layers={"a": SPEC})],
    ),
    storing.StoredNetwork: (
        lambda: storing.StoredNetwork(SPEC, {"bias": np.zeros(1)}, "2.4"),
        [STORED.replace(weights={"bias": np.ones(1)}), STORED.replace(spec=SPEC.replace(kind="Conv1d"))],
    ),
    networks.AppliedNetwork: (
        lambda: networks.AppliedNetwork(STORED),
        [networks.AppliedNetwork(STORED, "encoder"), networks.AppliedNetwork(STORED, chunksize=3)],
    ),
    networks.AutoEncoded: (lambda: networks.AutoEncoded(STORED), [networks.AutoEncoded(STORED, "decoder")]),
    ConfusionMatrix: (
        lambda: ConfusionMatrix(["a", "b"], [[1, 2], [0, 4]]),
        [ConfusionMatrix(["a", "c"], [[1, 2], [0, 4]]), ConfusionMatrix(["a", "b"], [[1, 2], [0, 5]])],
    ),
    ClassificationReport: (
        lambda: ClassificationReport(ConfusionMatrix(["a"], [[1]])),
        [ClassificationReport(ConfusionMatrix(["a"], [[2]]))],
    ),
}
UNSTORABLE = {windows.WindowingFunc}  # any function of a size

ABSTRACT = {Declared}


def _suite(cls):
    create, others = VALUES[cls]
    members = {"create": staticmethod(create), "others": lambda self: others, "storable": cls not in UNSTORABLE}
    return type(f"Test{cls.__name__}", (DeclaredContract,), members)


globals().update({f"Test{cls.__name__}": _suite(cls) for cls in VALUES if cls is not weighting.FrequencyWeighting})


class TestWeighting(DeclaredContract):
    """The node of the same name has it at the top of the library."""

    def create(self):
        return weighting.FrequencyWeighting()


def test_every_declared_value_is_here():
    elsewhere = {cls for cls in library_classes(Declared) if issubclass(cls, (Dimension, FrequencyScale))}
    elsewhere |= library_classes(Declared, having="synthesize")
    assert names(library_classes(Declared) - elsewhere - set(VALUES) - ABSTRACT) == []


# what the contract refuses


class Gain(Declared):
    def __init__(self, factor=1.0, offset=0.0):
        super().__init__(factor=factor, offset=offset)


class Renames(Gain):
    def __init__(self, factor=1.0, offset=0.0):
        Declared.__init__(self, factor=factor, offset=offset, level=offset)
        del self.__dict__["offset"]

    @property
    def parameters(self):
        return {"factor": self.factor, "level": self.level}


class Forgets(Gain):
    def to_dict(self):
        return {key: value for key, value in super().to_dict().items() if key != "offset"}


class Thaws(Gain):
    def __setattr__(self, name, value):
        self.__dict__[name] = value


class EqualsMore(Gain):
    def _identity(self):
        return (self.factor,)


class HashesItself(Gain):
    def __hash__(self):
        return id(self)


class EqualsNothing(Gain):
    def __eq__(self, other):
        return self is other

    __hash__ = Gain.__hash__


class WritesNaN(Gain):
    def to_dict(self):
        return {**super().to_dict(), "offset": float("nan")}


class ShowsItsAddress(Gain):
    __repr__ = object.__repr__


BROKEN = {
    Renames: {"every_argument_is_kept_under_its_name"},
    Forgets: {"it_reads_back_from_a_header"},
    Thaws: {"it_is_frozen"},
    EqualsMore: {"other_arguments_make_another_value"},
    HashesItself: {"equal_arguments_make_one_value"},
    EqualsNothing: {"equal_arguments_make_one_value"},
    WritesNaN: {"it_reads_back_from_a_header"},
    ShowsItsAddress: {"equal_arguments_make_one_value"},
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    class Broken(DeclaredContract):
        def create(self):
            return broken(2.0, 3.0)

        def others(self):
            return [broken(2.0, 4.0)]

    assert refusals(Broken, BROKEN[broken]) == BROKEN[broken]


def test_the_contract_takes_a_value_that_does_nothing_wrong():
    class Good(DeclaredContract):
        def create(self):
            return Gain(2.0, 3.0)

        def others(self):
            return [Gain(2.0), Gain(1.0, 3.0)]

    assert refusals(Good) == set()
