"""Segments of recordings: exactly the samples that slicing the whole gives, in every format and from every source."""

import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.sounds import KINDS, bad_files, encoded, noise, without_xing, write
from zounds_lite._declared import decode, encode
from zounds_lite._span import Span
from zounds_lite.errors import CorruptValue, DeclarationError, EmptyAudio, GraphError, TruncatedAudio
from zounds_lite.featureflow import ByteStream, Chunk, Graph, Node, StoredValue
from zounds_lite.featureflow.kinds import ByteStreamFeature
from zounds_lite.media import AudioReader, DecodeLimits
from zounds_lite.soundfile import AudioMetaData, AudioMetaDataEncoder, AudioStream, MetaData, OggVorbis
from zounds_lite.soundfile.nodes import rows as rows_module
from zounds_lite.soundfile.nodes.rows import open_rows
from zounds_lite.timeseries import AudioSamples, Hours, Milliseconds, Minutes, Picoseconds, Seconds, TimeSlice

SECONDS = 3
_FILES = {}


def file_of(kind, channels=2, rate=44100):
    key = (kind, channels, rate)
    if key not in _FILES:
        data = encoded(noise(SECONDS, rate, channels), rate, *kind)
        _FILES[key] = data, AudioSamples.from_file(io.BytesIO(data))
    return _FILES[key]


def stretch(start, duration=None):
    return TimeSlice(start=Seconds(start), duration=None if duration is None else Seconds(duration))


def decoded(meta, size=10_000, **options):
    """What the nodes of a graph make of metadata; the bytes pass by in chunks unless all nodes read the source."""
    stream = ByteStream(size)
    node = AudioStream(needs=stream, **options)
    kept = Kept(needs=node)
    Graph(stream=stream, node=node, kept=kept).process(stream=meta)
    return np.concatenate([np.asarray(chunk) for chunk in kept.chunks])


class Kept(Node):
    """Keeps what it is given."""

    def __init__(self, needs=None):
        super().__init__(needs=needs)
        self.chunks = []

    def _process(self, data):
        self.chunks.append(data)
        yield from ()


@settings(max_examples=80)
@given(
    kind=st.sampled_from(KINDS),
    channels=st.integers(1, 2),
    rate=st.sampled_from([48000, 8000]),
    start_ps=st.integers(0, SECONDS * 10**12 - 10**9),
    duration_ps=st.none() | st.integers(1, 2 * SECONDS * 10**12),
    mono=st.booleans(),
)
def test_a_segment_is_that_slice_of_the_whole(kind, channels, rate, start_ps, duration_ps, mono):
    data, whole = file_of(kind, channels, rate)
    duration = None if duration_ps is None else Picoseconds(duration_ps)
    segment = TimeSlice(start=Picoseconds(start_ps), duration=duration)
    wanted = np.asarray((whole.mono if mono else whole)[segment])
    found = decoded(AudioMetaData(uri=data, segment=segment), sum_to_mono=mono)
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-7 if kind[0] == "MP3" else 0)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_segments_side_by_side_are_the_whole(kind, tmp_path):
    data, whole = file_of(kind, rate=48000)
    path = tmp_path / "whole.bin"
    path.write_bytes(data)
    metas = [AudioMetaData(uri=str(path), segment=stretch(0.7 * i, 0.7)) for i in range(5)]
    parts = [decoded(meta, sum_to_mono=False) for meta in metas]
    joined = np.concatenate(parts)
    assert joined.shape == whole.shape
    np.testing.assert_allclose(joined, whole, rtol=0, atol=2e-7 if kind[0] == "MP3" else 0)


@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("how", ["chunks", "source", "no source", "limits", "keep", "keep and limits", "rows"])
def test_every_way_of_reading_gives_the_same(how, fmt):
    data, whole = file_of((fmt, None))
    segment = stretch(1.234567, 0.9)
    span, wanted = segment.to_span(), np.asarray(whole.mono[segment])
    options = {"damaged": "keep"} if "keep" in how else {}
    if "limits" in how:
        options["limits"] = DecodeLimits()
    chunks = [Chunk(b"", len(data), io.BytesIO(data), span=span)]
    if how == "chunks":
        chunks = [
            Chunk(data[at : at + 5000], len(data), io.BytesIO(data), span=span) for at in range(0, len(data), 5000)
        ]
    if how == "no source":
        chunks = [Chunk(data[at : at + 5000], len(data), span=span) for at in range(0, len(data), 5000)]
    if how == "rows":
        rows = open_rows(chunks[0], "float32", "raise", None, True)
        assert rows.size == len(wanted)
        found = np.concatenate([rows.read(0, 100), rows.read(100, rows.size)])
        np.testing.assert_array_equal(rows.read(rows.size - 50, rows.size + 50), found[-50:])
    else:
        found = np.concatenate([np.asarray(block) for block in AudioStream(**options).run(chunks)])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-7 if fmt == "MP3" else 0)


def test_only_the_segment_is_read(tmp_path, monkeypatch):
    path = write(tmp_path / "long.flac", noise(60, 44100))
    counted, original = [], AudioReader._decode
    monkeypatch.setattr(AudioReader, "_decode", lambda self, count: counted.append(count) or original(self, count))
    assert len(decoded(AudioMetaData(uri=str(path), segment=stretch(50, 0.1)))) == 4410
    assert sum(counted) < 3 * 65536


def test_a_segment_of_ogg_is_encoded_anew_and_alone():
    data, whole = file_of(("OGG", "VORBIS"))
    span = stretch(1, 0.5).to_span()
    found = b"".join(OggVorbis(quality=1.0).run([Chunk(b"", len(data), io.BytesIO(data), span=span)]))
    assert len(found) < len(data)
    with AudioReader(found) as reader:
        copy = reader.read()
    assert copy.shape == (22050, 2)
    error = copy - np.asarray(whole[stretch(1, 0.5)])
    assert np.sqrt((error**2).mean()) < 0.1 * np.sqrt((copy**2).mean())


@pytest.mark.parametrize("kind", [("WAV", None), ("FLAC", None), ("OGG", "VORBIS"), ("MP3", None)], ids=str)
@pytest.mark.parametrize("node", [AudioStream, OggVorbis])
@pytest.mark.parametrize("options", [{}, {"damaged": "keep"}, {"limits": DecodeLimits()}], ids=str)
def test_a_segment_behind_the_end_says_how_long_the_recording_is(kind, node, options):
    data, _ = file_of(kind)
    chunk = Chunk(b"", len(data), io.BytesIO(data), span=stretch(5, 1).to_span())
    with pytest.raises(EmptyAudio, match=r"from 5 s to 6 s holds no samples; the recording lasts 3 s \(132300 frames"):
        list(node(**options).run([chunk]))
    assert open_rows(chunk, "float32", "raise", None, True) is None


def test_what_reaches_beyond_the_ends_is_clipped():
    data, whole = file_of(("FLAC", None))
    for segment in (stretch(2.5, 100), stretch(-1, 2), stretch(-1), TimeSlice(), TimeSlice(Hours(100), Minutes(-1))):
        found = decoded(AudioMetaData(uri=data, segment=segment), sum_to_mono=False)
        np.testing.assert_array_equal(found, whole[segment])


def test_damage_outside_of_a_segment_does_no_harm_where_it_is_kept():
    cut = bad_files()["truncated.wav"][0]
    meta = AudioMetaData(uri=cut, segment=stretch(0.1, 0.1))
    assert len(decoded(meta, damaged="keep")) == 4410
    with pytest.raises(TruncatedAudio):
        decoded(meta)
    with pytest.raises((TruncatedAudio, EmptyAudio)):
        decoded(meta.replace(segment=stretch(0.4, 0.05)), damaged="keep")


def test_metadata_with_a_segment():
    meta = AudioMetaData(uri="a.flac", segment=stretch(1.5, 2), label=7)
    same = AudioMetaData(
        uri="a.flac", segment=TimeSlice(start=Milliseconds(1500), duration=Milliseconds(2000)), label=7
    )
    assert meta == same and hash(meta) == hash(same)
    assert meta != AudioMetaData(uri="a.flac", label=7) and meta != meta.replace(segment=stretch(1.5, 3))
    assert meta.replace(segment=None) == AudioMetaData(uri="a.flac", label=7)
    assert meta.replace(segment=None).to_dict() == AudioMetaData(uri="a.flac", label=7).to_dict()
    assert pickle.loads(pickle.dumps(meta)) == meta
    assert decode(json.loads(json.dumps(encode(meta)))) == meta
    assert "segment=TimeSlice(start = 1.5, duration = 2.0)" in repr(meta)
    assert "segment" not in AudioMetaData(uri="a.flac").to_dict() and "segment" not in repr(AudioMetaData(uri="a.flac"))
    assert meta.fingerprint() == same.fingerprint() != meta.replace(segment=None).fingerprint()
    assert meta.span == Span(1_500_000_000_000, 3_500_000_000_000)


@pytest.mark.parametrize(
    ("segment", "fragment"),
    [
        (stretch(1.5, 1.5), "t=1.5,3"),
        (stretch(90), "t=90"),
        (stretch(0, 0.1), "t=0,0.1"),
        (stretch(-1, 3), "t=0,2"),
        (TimeSlice(start=Picoseconds(1), duration=Picoseconds(1)), "t=0.000000000001,0.000000000002"),
        (TimeSlice(start=Hours(100), duration=Hours(1)), "t=360000,363600"),
        (None, None),
    ],
    ids=str,
)
def test_media_fragments_are_exact(segment, fragment):
    assert AudioMetaData(uri="a.wav", segment=segment).fragment == fragment


def test_stored_metadata_is_exact_and_readable():
    meta = AudioMetaData(uri="a.wav", segment=TimeSlice(start=Picoseconds(10**12 // 3), duration=Seconds(2)))
    (data,) = AudioMetaDataEncoder().run([meta])
    assert json.loads(data)["segment"] == {
        "start": 333333333333 / 10**12,
        "duration": 2.0,
        "start_ps": 333333333333,
        "duration_ps": 2 * 10**12,
    }
    (data,) = AudioMetaDataEncoder().run([meta.replace(segment=stretch(1))])
    assert json.loads(data)["segment"] == {
        "start": 1.0,
        "duration": None,
        "start_ps": 10**12,
        "duration_ps": None,
    }


@pytest.mark.parametrize(
    "segment", [(1, 2), 3.0, "1,2", Seconds(1), slice(1, 2), Span(0, 5), stretch(1, 0), stretch(-3, 2), stretch(-3, 3)],
    ids=str,
)  # fmt: skip
def test_what_is_no_segment(segment):
    with pytest.raises(DeclarationError, match="segment="):
        AudioMetaData(uri="a.wav", segment=segment)


def test_probing_tells_of_the_segment():
    data, _ = file_of(("FLAC", None))
    for said in ({}, {"samplerate": 44100, "channels": 2}, {"duration": 3.0, "frames": 132300}):
        (meta,) = MetaData().run([AudioMetaData(uri=data, segment=stretch(1, 0.5), **said)])
        assert (meta.duration, meta.frames, meta.recording_duration) == (0.5, 22050, 3.0)
        assert meta.segment == stretch(1, 0.5) and (meta.samplerate, meta.channels) == (44100, 2)
    (meta,) = MetaData().run([AudioMetaData(uri=data, segment=stretch(2.75, 10))])
    assert (meta.duration, meta.frames) == (0.25, 11025)
    with pytest.raises(EmptyAudio, match=r"from 3 s to its end holds no samples; the recording lasts 3 s"):
        list(MetaData().run([AudioMetaData(uri=data, segment=stretch(3))]))
    remote = AudioMetaData(uri="http://example.com/a.ogg", segment=stretch(3))
    assert list(MetaData().run([remote])) == [remote]


def test_chunks_of_stored_metadata_name_the_segment(tmp_path):
    path = write(tmp_path / "a.wav", noise(1.0))
    for segment in (stretch(0.25, 0.5), stretch(-0.25, 0.5), stretch(0.75)):
        (text,) = AudioMetaDataEncoder().run([AudioMetaData(uri=path, segment=segment)])
        chunk = next(ByteStream().run([json.loads(text)]))
        assert chunk.span == segment.to_span()
    for odd in ("chorus", {"start": 1}, {"start_ps": "1"}, 5, None):
        assert next(ByteStream().run([{"uri": str(path), "segment": odd}])).span is None


class Plain(Node):
    """Passes bytes on, without what else the chunks say."""

    def _process(self, data):
        yield bytes(data)


class Careful(Node):
    """Passes bytes on, and the segment."""

    def _process(self, data):
        yield Chunk(bytes(data), data.total_length, span=data.span)


def test_a_node_on_the_way_that_loses_the_segment_is_an_error():
    data, whole = file_of(("FLAC", None))
    meta = AudioMetaData(uri=data, segment=stretch(1, 0.5))
    for kind in (Plain, Careful):
        stream = ByteStream()
        node = kind(needs=stream)
        audio = AudioStream(needs=node)
        kept = Kept(needs=audio)
        graph = Graph(stream=stream, node=node, audio=audio, kept=kept)
        if kind is Plain:
            with pytest.raises(GraphError, match="do not say which"):
                graph.process(stream=meta)
            continue
        graph.process(stream=meta)
        np.testing.assert_array_equal(np.concatenate(kept.chunks), whole.mono[stretch(1, 0.5)])
    # what has been cut out by a node on the way is no longer a segment of anything
    stream = ByteStream()
    ogg = OggVorbis(needs=stream)
    audio = AudioStream(needs=ogg)
    kept = Kept(needs=audio)
    Graph(stream=stream, ogg=ogg, audio=audio, kept=kept).process(stream=meta)
    assert sum(map(len, kept.chunks)) == 22050


@pytest.mark.parametrize("span", [[1], ["a", None], [5, 1], 7, [0, 1.5], [True, None]], ids=str)
def test_a_crafted_header_of_stored_bytes_is_refused(span):
    feature = ByteStreamFeature(ByteStream, chunksize=10)
    with pytest.raises(CorruptValue, match="malformed span"):
        list(feature.chunks(StoredValue({"span": span}, np.zeros(20, np.uint8), "raw of document 'a'")))


@pytest.fixture(scope="module", params=["1.wav", "2.flac", "1.ogg", "2.ogg", "1.mp3", "2.mp3"])
def on_disk(request, tmp_path_factory):
    """A recording with as many channels as its name says."""
    return write(tmp_path_factory.mktemp("segments") / request.param, noise(20, 44100, int(request.param[0])))


def bits_of(path, start, duration=0.5, **options):
    return decoded(AudioMetaData(uri=str(path), segment=stretch(start, duration)), **options)


def same_bits(found, wanted, path):
    """An MP3 decoder rounds by what it decoded before."""
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-7 if path.suffix == ".mp3" else 0)


def test_a_segment_is_the_same_whatever_was_read_before(on_disk):
    copy = on_disk.with_name(f"copy{on_disk.suffix}")
    starts = np.random.default_rng(1).uniform(0, 19, 12)
    for i, start in enumerate([0.0, 0.001, *starts, 7.0, 7.5, 8.0, 3.0, 0.0]):
        copy.unlink(missing_ok=True)
        copy.write_bytes(on_disk.read_bytes())  # another file, which nothing is open of
        wanted = bits_of(copy, start, 2.5 if i % 2 else 0.5)
        same_bits(bits_of(on_disk, start, 2.5 if i % 2 else 0.5), wanted, on_disk)


def test_threads_that_read_segments_of_one_file_do_not_disturb_each_other(on_disk):
    starts = [*np.random.default_rng(2).uniform(0, 15, 24)]
    wanted = [bits_of(on_disk, start, 3.0) for start in starts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: bits_of(on_disk, start, 3.0), starts))
    for one, other in zip(found, wanted, strict=True):
        same_bits(one, other, on_disk)


def test_a_decoder_stays_open_for_the_next_segment_of_a_file_that_has_not_changed(on_disk, monkeypatch):
    opened, original = [], rows_module._Reader.__init__
    monkeypatch.setattr(rows_module._Reader, "__init__", lambda self, *a: (opened.append(a[0]), original(self, *a))[1])
    path = on_disk.with_name(f"other{on_disk.suffix}")
    write(path, noise(5, 44100, seed=1))
    first = bits_of(path, 1)
    assert len(bits_of(path, 3)) == len(bits_of(path, 2)) == 22050 and len(opened) == 1
    with pytest.raises(EmptyAudio):
        bits_of(path, 30)
    write(path, noise(6, 44100, seed=2))
    assert not np.array_equal(bits_of(path, 1), first) and len(bits_of(path, 5.5)) == 22050
    assert len(opened) == 2


def test_a_segment_that_begins_before_damage_and_ends_after_it_is_an_error(tmp_path):
    data = bytearray(encoded(noise(10, 44100, 2), fmt="FLAC"))
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    path = tmp_path / "broken.flac"
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(TruncatedAudio):
            bits_of(path, 4, 2)
        assert len(bits_of(path, 1)) == len(bits_of(path, 8)) == 22050


def unknown_length():
    """Return a FLAC file whose header does not say how long it is."""
    data = bytearray(encoded(noise(SECONDS, 44100, 2), fmt="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return bytes(data)


def test_recordings_of_unknown_length_are_read_from_their_start():
    data, whole = unknown_length(), file_of(("FLAC", None))[1]
    for segment in (stretch(1, 0.5), stretch(2.5), stretch(2.5, 9), stretch(0, 0.1)):
        meta = AudioMetaData(uri=data, segment=segment)
        np.testing.assert_array_equal(decoded(meta, sum_to_mono=False), whole[segment])
        (probed,) = MetaData().run([meta])
        assert (probed.frames, probed.duration, probed.recording_duration) == (None, None, None)
    for segment in (stretch(3), stretch(100, 1)):
        with pytest.raises(EmptyAudio, match=r"the recording lasts 3 s \(132300 frames"):
            decoded(AudioMetaData(uri=data, segment=segment))


def test_an_mp3_that_does_not_say_how_long_it_is(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(without_xing(encoded(noise(20, 44100), fmt="MP3")))
    whole = AudioSamples.from_file(path)
    for start in (0, 0.3, 15, 19):
        found = decoded(AudioMetaData(uri=str(path), segment=stretch(start, 0.75)))
        np.testing.assert_allclose(found, whole[stretch(start, 0.75)], rtol=0, atol=2e-7)
