"""Bad input, one line of the list each: a typed error that says what was given, what is allowed, and what to do.

The rooms test their own errors in depth; this page shows that each one reaches the user, through the public names.
"""

import io
import os

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from zounds_lite import errors, featureflow as ff
from zounds_lite.testing.contracts import NASTY_IDS

SAMPLES = zounds.AudioSamples(noise(0.2, 11025), zounds.SR11025())
OTHER = zounds.AudioSamples(noise(0.2, 11025), zounds.SR22050())
SPECTRA = zounds.spectral.stft(SAMPLES, zounds.HalfLapped(), zounds.OggVorbisWindowingFunc())
SCALE = zounds.LinearScale(zounds.FrequencyBand(0, 100), 4)
SECOND = zounds.TimeSlice(zounds.Seconds(1))
BAND = zounds.FrequencyBand(200, 800)


def bad_samples(value):
    samples = noise(0.1)
    samples[7] = value
    return zounds.AudioSamples(samples, zounds.SR44100())


CALLS = {
    "hertz on a time axis": (
        lambda: SAMPLES[BAND], errors.UnitIndexError, IndexError,
        ["axis 0", "TimeDimension", "FrequencyBand", "allowed: TimeSlice, a duration such as Seconds(1)"],
    ),
    "seconds on a frequency axis": (
        lambda: SPECTRA[:, SECOND], errors.UnitIndexError, IndexError,
        ["axis 1", "TimeSlice", "allowed: FrequencyBand(200, 800), Hertz(200):Hertz(800)"],
    ),
    "a slice of hertz on a time axis": (
        lambda: SAMPLES[zounds.Hertz(200) : zounds.Hertz(300)], errors.UnitIndexError, ValueError,
        ["axis 0", "Hertz(200", "allowed: TimeSlice"],
    ),
    "a slice of seconds on a frequency axis": (
        lambda: SPECTRA[:, zounds.Seconds(0) : zounds.Seconds(1)], errors.UnitIndexError, IndexError,
        ["axis 1", "allowed: FrequencyBand"],
    ),
    "seconds on an axis without units": (
        lambda: zounds.ArrayWithUnits(np.zeros(3), [None])[SECOND], errors.UnitIndexError, IndexError,
        ["axis 0 is IdentityDimension()", "TimeSlice", "allowed: integers"],
    ),
    "fewer dimensions than axes": (
        lambda: zounds.ArrayWithUnits(np.zeros((3, 4)), [None]), errors.DimensionError, ValueError,
        ["1 dimensions for an array of shape (3, 4)", "give one dimension per axis"],
    ),
    "more dimensions than axes": (
        lambda: zounds.ArrayWithUnits(np.zeros(3), [None, None]), errors.DimensionError, ValueError,
        ["2 dimensions for an array of shape (3,)", "one dimension per axis"],
    ),
    "something else for a dimension": (
        lambda: zounds.ArrayWithUnits(np.zeros(3), [zounds.Seconds(1)]), errors.DimensionError, ValueError,
        ["axis 0", "is no Dimension", "allowed: a Dimension, or None"],
    ),
    "a scale that does not fit the array": (
        lambda: zounds.ArrayWithUnits(np.zeros(3), [zounds.FrequencyDimension(SCALE)]),
        errors.DimensionError, ValueError,
        ["axis 0", "3 elements for a LinearScale of 4 bands", "one element per band"],
    ),
    "an addition of two rates": (
        lambda: SAMPLES + OTHER, errors.SampleRateError, ValueError,
        ["SR11025", "SR22050", "cannot be combined", ".resample(rate)"],
    ),
    "a product of two rates": (
        lambda: np.multiply(SAMPLES, OTHER), errors.SampleRateError, ValueError, ["SR11025", ".resample(rate)"],
    ),
    "an unknown format": (
        lambda: SAMPLES.encode(fmt="XYZ"), errors.UnsupportedCodec, ValueError, ["'XYZ'", "allowed: WAV", "FLAC"],
    ),
    "an unknown subtype": (
        lambda: SAMPLES.encode(subtype="PCM_99"), errors.UnsupportedCodec, ValueError,
        ["'PCM_99'", "allowed in WAV: PCM_16"],
    ),
    "no bytes": (
        lambda: zounds.AudioSamples.from_file(io.BytesIO(b"")), errors.EmptyAudio, ValueError,
        ["is empty (0 bytes)", "allowed: WAV"],
    ),
    "a recording of no samples": (
        lambda: zounds.AudioSamples.from_file(io.BytesIO(encoded(noise(1.0)[:0]))), errors.EmptyAudio, ValueError,
        ["BytesIO"],
    ),
    "65 channels": (
        lambda: zounds.AudioSamples(np.zeros((9, 65)), zounds.SR44100()), errors.DimensionError, ValueError,
        ["(9, 65)", "allowed: 1 to 64"],
    ),
    "NaN to FLAC": (
        lambda: bad_samples(np.nan).encode(fmt="FLAC"), errors.EncodeError, ValueError,
        ["sample nan (frame 7", "allowed: finite values", "Repair or scale"],
    ),
    "infinity to FLAC": (
        lambda: bad_samples(np.inf).encode(fmt="FLAC"), errors.EncodeError, ValueError,
        ["sample inf (frame 7", "allowed: finite values"],
    ),
    "NaN to MP3": (
        lambda: bad_samples(np.nan).encode(fmt="MP3", subtype=None), errors.EncodeError, ValueError,
        ["sample nan (frame 7", "allowed: finite values"],
    ),
    "minus infinity to MP3": (
        lambda: bad_samples(-np.inf).encode(fmt="MP3", subtype=None), errors.EncodeError, ValueError,
        ["sample -inf (frame 7", "allowed: finite values"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_bad_values(name):
    call, error, builtin, words = CALLS[name]
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, errors.ZoundsError)
    assert isinstance(caught.value, builtin)
    for word in words:
        assert word in str(caught.value)


def document(**features):
    """Return a model with a text feature and some others, with ids from the caller."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = ff.InMemoryDatabase()
    text = ff.TextFeature(ff.IteratorNode, store=True)
    others = {name: ff.JSONFeature(make, needs=text, store=store) for name, (make, store) in features.items()}
    return type("Document", (ff.BaseModel, Settings), {"text": text, **others})


def test_a_missing_root_argument():
    with pytest.raises(errors.MissingArgument, match="needs text; missing: text; given: _id") as caught:
        document().process(_id="a")
    assert isinstance(caught.value, KeyError)


def test_an_unknown_id():
    Document = document()
    for act in (lambda: Document("nobody").text, lambda: Document.delete("nobody"), lambda: Document.update("nobody")):
        with pytest.raises(errors.KeyNotFound, match="no document 'nobody'") as caught:
            act()
        assert isinstance(caught.value, KeyError)
    with pytest.raises(errors.KeyNotFound, match="Document has no feature 'pitch'; it has: text"):
        Document.explain("nobody", "pitch")


def test_a_feature_that_cannot_be_computed():
    @ff.simple_in_memory_settings
    class Nothing(ff.BaseModel):
        text = ff.TextFeature(ff.IteratorNode, store=False)
        length = ff.JSONFeature(len, needs=text, store=False)
        first = ff.JSONFeature(lambda text: text[0], needs=text, store=True)

    _id = Nothing.process(text=iter(["one-time"]))  # an iterator cannot be read twice
    assert Nothing(_id).first == "o"
    with pytest.raises(
        errors.FeatureNotComputable, match="length of document.*text cannot be.*process the doc"
    ) as caught:
        _ = Nothing(_id).length
    assert isinstance(caught.value, AttributeError)
    assert not hasattr(Nothing(_id), "length")


def test_a_function_that_cannot_be_fingerprinted():
    scope = {}
    exec("def unseen(text):\n    return len(text)", scope)
    Document = document(length=(scope["unseen"], True))
    with pytest.raises(errors.LineageError, match="'length'.*version=") as caught:
        Document.process(text=["abc"], _id="a")
    assert isinstance(caught.value, ValueError)
    assert not Document.exists("a")


@pytest.mark.parametrize("_id", NASTY_IDS, ids=lambda _id: ascii(_id[:12]))
@pytest.mark.parametrize("kind", ["memory", "files", "lmdb"])
def test_any_text_is_an_id(tmp_path, kind, _id):
    Document = document()
    if kind == "files":
        Document.database = ff.FileSystemDatabase(tmp_path / "store", createdirs=True)
    elif kind == "lmdb":
        Document.database = ff.LmdbDatabase(tmp_path / "store")
    assert Document.process(text=["abc"], _id=_id) == _id
    assert Document(_id).text == "abc"
    assert [found._id for found in Document] == [_id]
    assert os.listdir(tmp_path) in ([], ["store"])
    Document.delete(_id)
    assert not Document.exists(_id)


@pytest.mark.parametrize("_id", ["", None, 7, b"bytes"])
def test_what_is_no_text_is_no_id(_id):
    with pytest.raises(errors.InvalidId, match="an id must be non-empty text, got") as caught:
        document().process(text=["abc"], _id=_id)
    assert isinstance(caught.value, ValueError)


def test_every_error_of_the_tree_is_also_a_builtin_or_a_branch():
    leaves = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(error, errors.ZoundsError) for error in leaves)
    builtins = (ValueError, LookupError, TypeError, AttributeError, OSError, ImportError, RuntimeError)
    branches = {"ZoundsError", "GraphError", "StoreError", "MediaError", "NotEnoughData"}
    assert {error.__name__ for error in leaves if not issubclass(error, builtins)} == branches
    drawn = errors.__doc__ or ""
    assert [error.__name__ for error in leaves if error.__name__ not in drawn] == []
