"""One declaration, many uses: repr, equality, hash, JSON and fingerprint follow from the constructor's arguments."""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite._declared import Declared, digest
from zounds_lite._declared.values import REGISTRY
from zounds_lite.core import Dimension
from zounds_lite.datasets.hdf5_clips import HDF5Clip
from zounds_lite.errors import DeclarationError, UnknownTypeError, ZoundsError
from zounds_lite.featureflow.fetch import Fetcher
from zounds_lite.featureflow.fetchcache import FetchCache
from zounds_lite.featureflow.settings import IdProvider, KeyBuilder
from zounds_lite.spectral import (
    FFTScale,
    FrequencyScale,
    IdentityWindowingFunc,
    SlaneyMelScale,
)
from zounds_lite.spectral.weighting import FrequencyWeighting
from zounds_lite.synthesize import WindowedAudioSynthesizer
from zounds_lite.timeseries import TimeDimension

BAND = zounds.FrequencyBand(20, 4000)
SCALE = zounds.LinearScale(BAND, 10)


def instances():
    """One value, or more, of every declared type of the library."""
    named = [value() for value in zounds_named_rates()]
    return [
        zounds.AWeighting(),
        zounds.AWeighting(gain=True),
        zounds.AudioMetaData(uri="a.wav", samplerate=44100, tags=["x", "y"], take=3, more={"type": "odd", "z": None}),
        zounds.AudioSampleRate(41100),
        *named,
        zounds.BarkScale(BAND, 7, always_even=True),
        zounds.ChromaScale(BAND),
        zounds.EllisChromaScale(tuning=0.1),
        zounds.ERBScale(BAND, 9),
        zounds.ChunkSizeBytes(zounds.SR44100(), zounds.Seconds(30)),
        zounds.DecodeLimits(cpu_s=10),
        Dimension(),
        zounds.Directory("music", recursive=False, licensing="CC0"),
        zounds.ExplicitFrequencyDimension(zounds.ExplicitScale([BAND]), [slice(0, 9)]),
        zounds.ExplicitScale([BAND, zounds.FrequencyBand(3000, 5000)]),
        FFTScale(11025, 512),
        FFTScale(11025, 511, 3, 9),
        zounds.FFTSynthesizer(),
        zounds.DCTSynthesizer(),
        zounds.DCTIVSynthesizer(zounds.HanningWindowingFunc()),
        zounds.MDCTSynthesizer(),
        zounds.CQTSynthesizer(steps=9),
        zounds.GriffinLimSynthesizer(n_iter=8, seed=3),
        zounds.FrequencyAdaptiveDCTSynthesizer(zounds.GeometricScale(100, 4000, 0.1, 50), zounds.SR8000()),
        zounds.FrequencyAdaptiveFFTSynthesizer(zounds.GeometricScale(100, 4000, 0.1, 50), zounds.SR8000()),
        zounds.FrequencyDecompositionSynthesizer(zounds.SR8000(), 512),
        zounds.Manifest("clips.csv", types={"label": str}, segments=False, collection="mine"),
        zounds.SpokenDigits("digits", licensing="CC0"),
        zounds.ESC50("sounds", licensing="CC0"),
        zounds.GTZAN("music"),
        HDF5Clip("clips.h5", "rock", 3, 22050),
        zounds.Archive("a.zip", zounds.ArchiveLimits(ratio=1000), licensing="CC0"),
        zounds.ArchiveLimits(members=10),
        zounds.ArchiveMember("a.zip", "b!/c.wav", zounds.ArchiveLimits()),
        zounds.ClipFrames(44_100, floor=0.5),
        zounds.MusicPicture("hilbert", size=64),
        FetchCache("folder", 1000),
        Fetcher(retries=7, backoff=0.25),
        zounds.InternetArchive("x", ["Flac", "WAVE"], fetcher=Fetcher(retries=1), label="rock"),
        zounds.MusicNet("music", "test", download=True),
        zounds.NSynth("notes", "train", label=7),
        zounds.PhatDrumLoops(licensing="?"),
        Fetcher(cache=FetchCache("folder", 1000, max_age=60.0)),
        BAND,
        zounds.FrequencyBand(0.1, 1e9),
        zounds.FrequencyDimension(SCALE),
        zounds.GeometricScale(20, 5000, 0.05, 12),
        zounds.HalfLapped(1024, 256),
        zounds.HanningWindowingFunc(periodic=True),
        IdProvider(),
        zounds.IdentityDimension(),
        IdentityWindowingFunc(),
        ff.IntegerIdProvider(),
        KeyBuilder(),
        SCALE,
        SCALE[2:5],
        zounds.MelScale(BAND, 40),
        zounds.NoiseSynthesizer(zounds.SR44100(), seed=3),
        zounds.OggVorbisWindowingFunc(),
        zounds.SampleRate(zounds.Milliseconds(250), zounds.Milliseconds(500)),
        zounds.SilenceSynthesizer(zounds.SR8000()),
        zounds.SineSynthesizer(zounds.SR96000()),
        SlaneyMelScale(BAND, 64),
        ff.StaticIdProvider("one"),
        ff.StringDelimitedKeyBuilder("|"),
        zounds.TickSynthesizer(zounds.SR16000(), seed=1),
        TimeDimension(zounds.Seconds(1), zounds.Seconds(2), size=7),
        TimeDimension.windowed(441, 1024, 44100, size=3, n_samples=1906, padding=583, start=zounds.Hours(10)),
        zounds.TimeSlice(zounds.Seconds(2), zounds.Minutes(1)),
        zounds.TimeSlice(),
        ff.UserSpecifiedIdProvider("_id"),
        ff.UuidProvider(),
        ff.Var("path"),
        WindowedAudioSynthesizer(zounds.HanningWindowingFunc()),
        zounds.WindowingFunc(),
    ]


def zounds_named_rates():
    return [cls for name, cls in sorted(REGISTRY.items()) if name.startswith("SR") and name[2:].isdigit()]


ABSTRACT = {"Declared", "FrequencyScale", "FrequencyWeighting", "ShortTimeSynthesizer", "TransformSynthesizer"}
INSTANCES = instances()
each = pytest.mark.parametrize("value", INSTANCES, ids=lambda v: type(v).__name__)


def test_every_declared_type_of_the_library_is_among_the_examples():
    ours = {
        name
        for name, cls in REGISTRY.items()
        if cls.__module__.startswith("zounds_lite.")
        and not cls.__module__.startswith("zounds_lite.learn.")  # what was learned holds arrays: see tests/testing
        and not name.startswith("_")
        and name not in ABSTRACT
        and hasattr(sys.modules[cls.__module__], name)  # types of docstring examples are not ours
    }
    assert ours - {type(value).__name__ for value in INSTANCES} == set()
    assert {FrequencyScale.__name__, FrequencyWeighting.__name__} <= ABSTRACT


@each
def test_json_round_trip(value):
    text = json.dumps(value.to_dict(), allow_nan=False)
    back = Declared.from_dict(json.loads(text))
    assert type(back) is type(value)
    assert back == value
    assert back.to_dict() == value.to_dict()
    assert back.fingerprint() == value.fingerprint()
    assert value.to_dict()["type"] == type(value).__name__


@each
def test_equal_values_hash_alike_and_a_copy_is_equal(value):
    other = value.replace()
    assert other == value
    assert repr(other) == repr(value)
    assert value != object()
    assert len({value, other}) == 1


@each
def test_values_are_frozen(value):
    with pytest.raises(AttributeError, match="is frozen; make another one with .replace"):
        value.anything = 1
    for name in value.parameters:
        with pytest.raises(AttributeError, match="frozen"):
            setattr(value, name, None)


def test_different_declarations_differ():
    for i, one in enumerate(INSTANCES):
        for other in INSTANCES[i + 1 :]:
            if one == other:  # an AudioSampleRate equals the named one, and the like
                assert hash(one) == hash(other)
            else:
                assert one.fingerprint() != other.fingerprint()
    fingerprints = [value.fingerprint() for value in INSTANCES]
    assert len(set(fingerprints)) == len(fingerprints)


def test_fingerprints_are_the_same_in_a_fresh_process():
    script = (
        "import json, sys\n"
        "from tests.declared.test_declared import instances\n"
        "json.dump([value.fingerprint() for value in instances()], sys.stdout)\n"
    )
    for seed in ("0", "1"):  # the order of sets and of hashes differs between these two
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [value.fingerprint() for value in INSTANCES]


class Louder(Declared):
    """A declared type with every kind of plain argument."""

    def __init__(self, factor=1.0, *, name="x", more=None):
        super().__init__(factor=factor, name=name, more=more)

    def validate(self):
        """Refuse to make a sound disappear."""
        if not np.any(self.factor):
            raise DeclarationError(f"factor={self.factor!r}; allowed: anything but 0")


def test_what_follows_from_the_constructor():
    gain = Louder(2, name="loud", more=(1, zounds.Seconds(1)))
    assert repr(gain).startswith("Louder(factor=2, name='loud', more=(1, ")
    assert gain.parameters == {"factor": 2, "name": "loud", "more": (1, zounds.Seconds(1))}
    assert gain == Louder(2.0, name="loud", more=[1, zounds.Milliseconds(1000)])
    assert hash(gain) == hash(Louder(2.0, name="loud", more=[1, zounds.Milliseconds(1000)]))
    assert gain != Louder(2, name="quiet")
    assert gain.replace(factor=3) == Louder(3, name="loud", more=gain.more)
    assert gain.factor == 2
    with pytest.raises(DeclarationError, match="factor=0; allowed: anything but 0"):
        gain.replace(factor=0)
    with pytest.raises(DeclarationError, match="anything but 0"):
        Declared.from_dict({"type": "Louder", "factor": 0})


def test_equal_declarations_have_equal_fingerprints():
    assert Louder(2).fingerprint() == Louder(2.0).fingerprint()
    assert zounds.FrequencyBand(20, 4000).fingerprint() == zounds.FrequencyBand(20.0, 4000.0).fingerprint()
    assert Louder(more=zounds.Seconds(1)).fingerprint() == Louder(more=zounds.Milliseconds(1000)).fingerprint()
    assert Louder(more=[1, 2]).fingerprint() == Louder(more=(1, 2)).fingerprint()
    assert Louder(more={"a": 1, "b": 2}).fingerprint() == Louder(more={"b": 2, "a": 1}).fingerprint()
    assert Louder(np.float64(2)).fingerprint() == Louder(2.0).fingerprint()


def test_arrays_and_mappings_compare_by_value():
    table = np.arange(6.0).reshape(2, 3)
    assert Louder(table) == Louder(table.copy())
    assert hash(Louder(table)) == hash(Louder(table.copy()))
    assert Louder(table) != Louder(table.reshape(3, 2))
    assert Louder(table) != Louder(table.astype(np.float32))
    back = Declared.from_dict(json.loads(json.dumps(Louder(table, more={"f": Fraction(1, 3)}).to_dict())))
    assert (back == Louder(table, more={"f": Fraction(1, 3)}), back.factor.dtype) == (True, np.float64)


def test_functions_are_for_lineage_and_not_for_headers():
    gain = Louder(more=lambda x: x + 1)
    with pytest.raises(DeclarationError, match="cannot stand in a stored header; allowed: numbers, text"):
        gain.to_dict()
    assert gain.fingerprint() == Louder(more=lambda x: x + 1).fingerprint()
    assert gain.fingerprint() != Louder(more=lambda x: x + 2).fingerprint()
    assert digest(gain.describe()) == gain.fingerprint()


def test_a_users_type_never_takes_the_name_of_one_of_ours():
    ours = REGISTRY["FFTScale"]
    type("FFTScale", (Declared,), {"__module__": "elsewhere"})
    assert REGISTRY["FFTScale"] is ours


def test_an_unknown_type_says_what_to_import():
    with pytest.raises(UnknownTypeError, match="'Tide', which this process does not know; import the module"):
        Declared.from_dict({"type": "Tide"})
    with pytest.raises(UnknownTypeError):
        Declared.from_dict({"type": "os.system", "command": "true"})


HOSTILE = [
    None, True, -1, 0, 10**30, -(10**30), 1e308, "", "x" * 1000, [], [[]], {}, {"a": 1}, [1, 2, 3],
    {"type": "float", "value": "nan"}, {"type": "float", "value": "inf"}, {"type": "timedelta64", "ps": -5},
    {"type": "bytes", "base64": "AAAA"}, {"type": "IdentityDimension"}, {"type": "slice", "bounds": [5, 1, 0]},
    {"type": "ndarray", "dtype": "<f8", "shape": [0], "base64": ""},
]  # fmt: skip


@each
def test_a_header_with_any_one_argument_replaced_is_read_or_refused(value):
    header = value.to_dict()
    began = time.monotonic()
    leaks = []
    for name in [*header, "unheard_of"]:
        for hostile in HOSTILE:
            if name == "type":
                continue
            try:
                made = Declared.from_dict({**header, name: hostile})
            except ZoundsError as error:
                assert str(error)
            except Exception as error:  # noqa: BLE001 - all leaks are listed at once
                leaks.append(f"{name}={hostile!r}: {type(error).__name__}: {error}")
            else:
                assert isinstance(made, Declared)
    assert leaks == []
    assert time.monotonic() - began < 5
