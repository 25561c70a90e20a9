"""AudioStream, Resampler and OggVorbis: any chunking gives what the whole file gives."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings, strategies as st

from tests.sounds import KINDS, MUSIC, bad_files, encoded, noise, reference, sine
from zounds_lite import dsp
from zounds_lite.errors import DeclarationError, EmptyAudio, EncodeError, SampleRateError
from zounds_lite.featureflow import ByteStream, Chunk, Graph
from zounds_lite.media import probe
from zounds_lite.soundfile import AudioStream, OggVorbis, OggVorbisWrapper, Resampler, resample
from zounds_lite.timeseries import SR11025, SR22050, SR44100, SR48000, AudioSampleRate, AudioSamples


def _chunks(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def _decode(chunks, **options):
    blocks = list(AudioStream(**options).run(chunks))
    assert all(isinstance(block, AudioSamples) for block in blocks)
    return AudioSamples(np.concatenate([np.asarray(block) for block in blocks]), blocks[0].samplerate)


_FILES = {}


def _file(kind, channels):
    key = (kind, channels)
    if key not in _FILES:
        _FILES[key] = encoded(noise(0.1, 48000, channels), 48000, *kind)
    return _FILES[key]


@settings(max_examples=60)
@given(kind=st.sampled_from(KINDS), channels=st.integers(1, 2), size=st.integers(1, 30_000), mono=st.booleans())
def test_any_chunking_gives_the_same_bits(kind, channels, size, mono):
    data = _file(kind, channels)
    whole = _decode([data], sum_to_mono=mono)
    np.testing.assert_array_equal(_decode(_chunks(data, size), sum_to_mono=mono), whole)
    np.testing.assert_array_equal(_decode([Chunk(b"", len(data), io.BytesIO(data))], sum_to_mono=mono), whole)


def test_single_bytes():
    data = encoded(noise(0.02, channels=2))
    np.testing.assert_array_equal(_decode(_chunks(data, 1), sum_to_mono=False), reference(data))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_equals_the_decoded_file(kind, channels):
    data = encoded(noise(2.0, 48000, channels), 48000, *kind)
    wanted = reference(data)
    many = _decode([data], sum_to_mono=False)
    assert many.shape == ((96000,) if channels == 1 else (96000, 2))
    assert (many.dtype, many.samplerate) == (np.float32, SR48000())
    tolerance = 2e-7 if kind[0] == "MP3" else 0
    assert np.abs(np.asarray(many).reshape(wanted.shape) - wanted).max() <= tolerance
    assert np.abs(np.asarray(_decode([data])) - wanted.mean(axis=1)).max() <= tolerance


def test_mono_is_the_mean():
    assert (_decode([encoded(np.ones((1000, 2), np.float32), subtype="FLOAT")]) == 1).all()
    many = noise(0.1, channels=5)
    np.testing.assert_array_equal(_decode([encoded(many, subtype="FLOAT")]), many.mean(axis=1))


@pytest.mark.parametrize("rate", [8000, 24000, 32000, 41100, 192000])
def test_any_rate(rate):
    assert _decode([encoded(sine(seconds=0.1, rate=rate), rate)]).samplerate == AudioSampleRate(rate)


def test_double_precision():
    x = np.random.default_rng(0).uniform(-1, 1, 1000)
    out = _decode([encoded(x, subtype="DOUBLE")], dtype="float64")
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, x)
    with pytest.raises(DeclarationError, match="'float32', 'float64'"):
        AudioStream(dtype="int16")


@pytest.mark.parametrize("name", bad_files())
@pytest.mark.parametrize("node", [AudioStream, OggVorbis])
def test_bad_bytes(name, node):
    data, error = bad_files()[name]
    for chunks in (_chunks(data, 1000), [Chunk(b"", len(data), io.BytesIO(data))]):
        with pytest.raises(error):
            list(node().run(chunks))
    with pytest.raises(EmptyAudio, match="received no bytes"):
        list(node().run([]))


def test_in_a_graph_the_source_is_opened_once_and_not_copied(tmp_path):
    data = encoded(noise(3.0, channels=2))
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    for source in (str(path), path, data, io.BytesIO(data)):
        stream = ByteStream(chunksize=1000)
        pcm, ogg = AudioStream(needs=stream), OggVorbis(needs=stream)
        seen = {"pcm": [], "ogg": []}
        original = {"pcm": pcm._process, "ogg": ogg._process}

        def spy(name, original=original, seen=seen):
            def _process(chunk):
                assert chunk == b""
                assert chunk.source is not None
                for out in original[name](chunk):
                    seen[name].append(out)
                    yield out

            return _process

        pcm._process, ogg._process = spy("pcm"), spy("ogg")
        Graph(raw=stream, pcm=pcm, ogg=ogg).process(raw=source)
        np.testing.assert_array_equal(
            np.concatenate([np.asarray(b) for b in seen["pcm"]]), reference(data).mean(axis=1)
        )
        assert probe(b"".join(seen["ogg"])).frames == len(reference(data))


def test_large_streams_are_spooled(tmp_path):
    data = encoded(noise(120.0, channels=2), subtype="FLOAT")
    assert len(data) > 2 * 16 * 1024 * 1024
    node = AudioStream()
    assert sum(map(len, node.run(_chunks(data, 1 << 20)))) == 120 * 44100
    assert node._spool is None


# Resampler


def _resample(x, samplerate, target, cuts=()):
    chunks = [AudioSamples(part, samplerate) for part in np.split(x, sorted(cuts))]
    out = list(Resampler(target).run(chunks))
    return np.concatenate([np.asarray(part) for part in out]), out


def test_documented_lengths():
    x = sine(440, 1.0)
    down, blocks = _resample(x, SR44100(), SR11025())
    assert len(down) == 11025
    assert blocks[0].samplerate == SR11025()
    assert down.dtype == np.float32
    assert len(_resample(sine(440, 2.0, 22050), SR22050(), SR11025())[0]) == 22050
    silent, _ = _resample(np.zeros(44100, np.float32), SR44100(), SR11025())
    assert not silent.any()
    assert Resampler().samplerate == SR44100()


def test_no_delay():
    impulse = np.zeros(44100, np.float32)
    impulse[20000] = 1
    assert np.argmax(np.abs(_resample(impulse, SR44100(), SR11025())[0])) == 5000
    assert np.argmax(np.abs(_resample(impulse[:22050], SR22050(), SR44100())[0])) == 40000


@settings(max_examples=30)
@given(
    cuts=st.lists(st.integers(0, 30_000), max_size=12),
    pair=st.sampled_from([(44100, 11025), (22050, 44100), (8000, 11025), (48000, 44100), (41100, 16000)]),
    channels=st.integers(1, 3),
    double=st.booleans(),
)
def test_any_chunking_gives_the_same_samples(cuts, pair, channels, double):
    x = noise(30_000 / pair[0], pair[0], channels).astype(np.float64 if double else np.float32)
    source, target = AudioSampleRate(pair[0]), AudioSampleRate(pair[1])
    got, _ = _resample(x, source, target, cuts)
    wanted = dsp.resample(x, *pair)
    assert got.shape == wanted.shape
    assert len(got) == dsp.output_length(len(x), *pair)
    assert got.dtype == x.dtype
    assert np.abs(got - wanted).max() < 1e-6


def test_the_same_rate_passes_untouched():
    chunks = [AudioSamples(noise(0.1), SR44100()), AudioSamples(noise(0.2, channels=1), SR44100())]
    assert all(a is b for a, b in zip(Resampler().run(chunks), chunks, strict=True))


def test_function_and_node_agree():
    x = AudioSamples(noise(0.5, channels=2), SR44100())
    whole = resample(x, SR11025())
    assert isinstance(whole, AudioSamples)
    assert whole.samplerate == SR11025()
    assert np.abs(np.asarray(whole) - _resample(np.asarray(x), SR44100(), SR11025(), [100, 20000])[0]).max() < 1e-6
    assert resample(x, SR44100()) is x


def test_bad_rates():
    with pytest.raises(DeclarationError, match="SR44100"):
        Resampler(44100)
    with pytest.raises(SampleRateError, match="in one stream"):
        list(Resampler(SR11025()).run([AudioSamples(noise(0.1), SR44100()), AudioSamples(noise(0.1), SR22050())]))


# OggVorbis


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[0] != "OGG"])
@pytest.mark.parametrize("channels", [1, 2])
def test_ogg_copies_keep_rate_channels_length_and_sound(kind, channels):
    x = sine(440, 2.0, 48000, channels)
    data = b"".join(OggVorbis().run(_chunks(encoded(x, 48000, *kind), 5000)))
    info = probe(data)
    assert (info.subtype, info.samplerate, info.channels, info.frames) == ("VORBIS", 48000, channels, 96000)
    y = reference(data)
    for channel in range(channels):
        assert np.corrcoef(y[:, channel], np.atleast_2d(x.T)[channel])[0, 1] > 0.99


def test_ogg_passes_as_it_is(tmp_path):
    for subtype in ("VORBIS", "OPUS"):
        data = encoded(noise(1.0, 48000), 48000, "OGG", subtype)
        path = tmp_path / "a.ogg"
        path.write_bytes(data)
        for chunks in (
            _chunks(data, 999),
            [Chunk(b"", len(data), str(path))],
            [Chunk(b"", len(data), io.BytesIO(data))],
        ):
            assert b"".join(OggVorbis().run(chunks)) == data


def test_ogg_is_yielded_while_it_is_made():
    data = encoded(noise(60.0, channels=2))
    pieces = list(OggVorbis().run([data]))
    assert len(pieces) > 20
    assert max(map(len, pieces)) < 300_000


def test_ogg_quality():
    data = encoded(noise(2.0))
    small, large = (len(b"".join(OggVorbis(quality=q).run([data]))) for q in (0.1, 0.9))
    assert small < large
    with pytest.raises(DeclarationError, match="0 \\(small\\) to 1"):
        OggVorbis(quality=2)


def test_ogg_refuses_absurd_samples():
    with pytest.raises(EncodeError, match="VORBIS"):
        list(OggVorbis().run([encoded(np.full(1000, 1e6, np.float32), subtype="FLOAT")]))


@pytest.mark.skipif(not MUSIC.is_dir(), reason="no real recordings here")
def test_real_recordings():
    path = min(MUSIC.glob("*.ogg"), key=lambda path: path.stat().st_size)
    data = path.read_bytes()
    wanted = soundfile.read(path, dtype="float32", always_2d=True)[0]
    np.testing.assert_array_equal(_decode(_chunks(data, 4096)), wanted.mean(axis=1))
    assert b"".join(OggVorbis().run(_chunks(data, 4096))) == data
    assert len(OggVorbisWrapper(data)) == len(wanted)
