"""OggVorbisWrapper: slices by time, by durations and by samples, decoded where they are."""

import io
import threading

import numpy as np
import pytest

from tests.sounds import MUSIC, encoded, noise, reference
from zounds_lite.errors import DecodeError, UnitIndexError
from zounds_lite.soundfile import OggVorbisWrapper
from zounds_lite.timeseries import (
    SR11025,
    SR44100,
    AudioSamples,
    Milliseconds,
    Picoseconds,
    Seconds,
    TimeSlice,
)

RATE = 11025


@pytest.fixture(scope="module")
def data():
    return encoded(noise(10.0, RATE), RATE, "OGG")


@pytest.fixture(scope="module")
def whole(data):
    return reference(data)[:, 0]


def test_what_it_is(data, tmp_path):
    path = tmp_path / "a.ogg"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data)):
        with OggVorbisWrapper(source) as ogg:
            assert (ogg.samplerate, ogg.channels, ogg.duration_seconds, len(ogg)) == (RATE, 1, 10.0, 110250)
            assert type(ogg.samplerate) is int
            assert "10.000 s" in repr(ogg)
    with pytest.raises(DecodeError):
        OggVorbisWrapper(b"no audio")


@pytest.mark.parametrize(
    ("index", "start", "stop"),
    [
        (slice(None), 0, 110250),
        (TimeSlice(), 0, 110250),
        (TimeSlice(Seconds(2)), 0, 22050),
        (TimeSlice(start=Seconds(5), duration=Seconds(1)), 5 * RATE, 6 * RATE),
        (TimeSlice(start=Seconds(9)), 9 * RATE, 110250),
        (TimeSlice(start=Milliseconds(9500), duration=Seconds(1)), 104737, 110250),
        (TimeSlice(start=Seconds(11), duration=Seconds(1)), 110250, 110250),
        (slice(Seconds(1), Seconds(2)), RATE, 2 * RATE),
        (slice(None, Seconds(1)), 0, RATE),
        (slice(Seconds(8), None), 8 * RATE, 110250),
        (slice(100, 300), 100, 300),
        (slice(-100, None), 110150, 110250),
        (slice(np.int64(5), np.int64(10)), 5, 10),
        (slice(300, 100), 300, 300),
        (slice(0, 10**9), 0, 110250),
    ],
)
def test_slices(data, whole, index, start, stop):
    ogg = OggVorbisWrapper(data)
    for _ in range(2):  # repeated reading is allowed
        got = ogg[index]
        assert isinstance(got, AudioSamples)
        assert (got.samplerate, got.dtype) == (SR11025(), np.float32)
        np.testing.assert_array_equal(got, whole[start:stop])


@pytest.mark.parametrize("index", [5, "a", slice(0, 100, 2), Seconds(1), None, (slice(None),)])
def test_what_is_no_index(data, index):
    with pytest.raises(UnitIndexError, match=r"allowed: a TimeSlice"):
        OggVorbisWrapper(data)[index]


def test_slices_agree_with_decoded_samples(data, whole):
    ogg, samples = OggVorbisWrapper(data), AudioSamples(whole, SR11025())
    random = np.random.default_rng(0)
    for start, length in random.integers(0, 10**13, (30, 2)):
        index = TimeSlice(start=Picoseconds(int(start)), duration=Picoseconds(int(length // 5 + 1)))
        np.testing.assert_array_equal(ogg[index], samples[index])


@pytest.mark.parametrize("seconds", [3.0, 2.5, 0.2])
def test_chunks_end_without_an_empty_one(seconds):
    ogg = OggVorbisWrapper(encoded(noise(seconds, RATE), RATE, "OGG"))
    lengths = [len(chunk) for chunk in ogg.iter_chunks()]
    assert all(length == RATE for length in lengths[:-1])
    assert sum(lengths) == len(ogg)
    assert lengths[-1] > 0
    if seconds == 3.0:
        assert lengths == [RATE] * 3
    np.testing.assert_array_equal(np.concatenate(list(ogg)), ogg[:])
    assert [len(c) for c in ogg.iter_chunks(Seconds(2))][0] == min(2 * RATE, len(ogg))


def test_channels():
    ogg = OggVorbisWrapper(encoded(noise(1.0, channels=2), fmt="OGG"))
    assert ogg[TimeSlice(Milliseconds(500))].shape == (22050, 2)
    assert ogg[:].samplerate == SR44100()


def test_other_formats_decode_too():
    x = noise(1.0)
    for fmt in ("FLAC", "WAV"):
        assert np.abs(np.asarray(OggVorbisWrapper(encoded(x, fmt=fmt))[1000:2000]) - x[1000:2000]).max() < 2**-15


def test_threads(data, whole):
    ogg, wrong = OggVorbisWrapper(data), []

    def work(seed):
        for start in np.random.default_rng(seed).integers(0, 100_000, 20):
            if not np.array_equal(ogg[int(start) : int(start) + 500], whole[start : start + 500]):
                wrong.append(start)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not MUSIC.is_dir(), reason="no real recordings here")
def test_real_recordings_are_sliced_exactly():
    for path in MUSIC.glob("*.ogg"):
        ogg = OggVorbisWrapper(path)
        rate, length = ogg.samplerate, min(len(ogg), 20 * ogg.samplerate)
        whole = np.asarray(ogg[:length])
        for start in (0, 1, 3):
            got = ogg[TimeSlice(start=Seconds(start), duration=Seconds(1))]
            np.testing.assert_array_equal(got, whole[start * rate : (start + 1) * rate])
