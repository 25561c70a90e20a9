"""Nodes that decode: the policy on damage and the limits, in a graph and on the document."""

import http.server
import io
import os
import signal
import threading

import numpy as np
import pytest

import zounds_lite as zounds
from tests.children import in_child
from tests.sounds import encoded, noise
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, NonFiniteAudio, RejectedAudio, TruncatedAudio
from zounds_lite.media import AudioReader, DecodeLimits, Outcome, check, guard, probe
from zounds_lite.soundfile import AudioStream, MetaData, OggVorbis, OggVorbisFeature
from zounds_lite.soundfile.nodes import reading


def cut(fmt="WAV", seconds=4.0):
    data = encoded(noise(seconds), fmt=fmt)
    return data[: int(len(data) * 0.6)]


def with_nan():
    x = noise(1.0)
    x[100] = np.nan
    return encoded(x, subtype="FLOAT")


def document(damaged="raise", limits=None):
    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        meta = ff.JSONFeature(MetaData, damaged=damaged, store=True, encoder=zounds.AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, needs=meta)
        ogg = OggVorbisFeature(OggVorbis, needs=raw, damaged=damaged, limits=limits, store=True)
        pcm = zounds.AudioSamplesFeature(AudioStream, needs=raw, damaged=damaged, limits=limits, store=True)

    return Sound


@pytest.mark.parametrize(("data", "error"), [(cut(), TruncatedAudio), (with_nan(), NonFiniteAudio)])
def test_damage_is_an_error_by_default(data, error):
    sound = document()
    with pytest.raises(error):
        sound.process(meta=data)
    assert list(sound) == []


@pytest.mark.parametrize(
    ("data", "kind", "frames"),
    [(cut(), "truncated", 105_822), (cut("FLAC"), "truncated", 100_000), (with_nan(), "non-finite", 44_100)],
)
def test_what_is_kept_is_marked_on_the_document(data, kind, frames):
    sound = document("keep")
    found = sound(sound.process(meta=data))
    assert abs(len(found.pcm) - frames) < 10_000
    assert np.isfinite(np.asarray(found.pcm)).all()
    assert abs(len(found.ogg) - len(found.pcm)) == 0
    assert list(found.marks) == ["ogg", "pcm"]
    for marks in found.marks.values():
        assert [mark["kind"] for mark in marks] == [kind]
        assert "again" not in marks[0]["message"]


def test_whole_recordings_are_not_marked():
    sound = document("keep")
    assert not sound(sound.process(meta=encoded(noise(1.0)))).marks


@pytest.mark.parametrize("damaged", ["raise", "keep"])
def test_the_policy_counts_in_the_lineage_and_the_limits_do_not(damaged):
    def lineage(**arguments):
        class Sound(ff.BaseModel):
            raw = ff.ByteStreamFeature(ff.ByteStream)
            pcm = zounds.AudioSamplesFeature(AudioStream, needs=raw, **arguments)

        return ff.lineage.Lineage(Sound.features).hash(Sound.features["pcm"])

    assert (lineage(damaged=damaged) == lineage()) == (damaged == "raise")
    assert lineage(limits="network") == lineage() == lineage(limits=DecodeLimits(wall_s=7))


def test_an_ogg_copy_of_damaged_ogg_can_be_read():
    data = cut("OGG")
    copy = b"".join(OggVorbis(damaged="keep").run([data]))
    assert copy != data
    assert check(copy).is_ok
    assert abs(probe(copy).frames - check(data).frames) < 100
    whole = encoded(noise(1.0), fmt="OGG")
    assert b"".join(OggVorbis(damaged="keep").run([whole])) == whole


def test_nothing_left_is_an_error_also_where_damage_is_kept():
    data = bytearray(encoded(noise(0.05), fmt="FLAC"))
    data[100:] = bytes(len(data) - 100)
    for node in (AudioStream(damaged="keep"), OggVorbis(damaged="keep")):
        with pytest.raises(TruncatedAudio, match="nothing of it is left"):
            list(node.run([bytes(data)]))


def test_limits_give_the_same_samples():
    data = encoded(noise(1.0, channels=2), fmt="OGG")
    wanted = np.concatenate([np.asarray(block) for block in AudioStream().run([data])])
    for limits in (DecodeLimits(), "network"):
        got = np.concatenate([np.asarray(block) for block in AudioStream(limits=limits).run([data])])
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(RejectedAudio, match="took more than"):
        list(AudioStream(limits=DecodeLimits(wall_s=1e-6)).run([data]))


@pytest.fixture
def address():
    data = encoded(noise(1.0))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/a.wav"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_network_is_decoded_apart(address, monkeypatch, tmp_path):
    started = []
    real = guard._start
    monkeypatch.setattr(guard, "_start", lambda *arguments: started.append(1) or real(*arguments))
    sound = document(limits="network")
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(noise(1.0)))
    for local in (str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        sound.process(meta=local)
    assert not started
    found = sound(sound.process(meta=address))
    assert len(started) == 2  # for ogg and pcm
    assert len(found.pcm) == 44_100


def test_ogg_that_breaks_the_limits_passes_into_no_copy(monkeypatch):
    data = encoded(noise(1.0), fmt="OGG")
    limits = DecodeLimits()
    assert b"".join(OggVorbis(limits=limits).run([data])) == data
    asked = []
    monkeypatch.setattr(
        reading, "check", lambda source, limits: asked.append(limits) or Outcome("rejected", "crash", 0)
    )
    assert b"".join(OggVorbis().run([data])) == data  # decoded by nobody
    assert asked == []
    made = b"".join(OggVorbis(limits=limits).run([data]))
    assert asked == [limits] and made != data
    assert len(AudioReader(made).read()) == 44_100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_an_interrupt_of_the_whole_group_ends_no_decoder():
    data = encoded(noise(30.0))

    def work():
        os.setsid()
        signal.signal(signal.SIGINT, lambda number, frame: None)
        with AudioReader(data, limits=DecodeLimits()) as reader:
            os.killpg(0, signal.SIGINT)  # as Ctrl-C does
            assert len(reader.read()) == 30 * 44_100

    in_child(work)


@pytest.mark.parametrize("node", [AudioStream, OggVorbis])
def test_bad_arguments(node):
    with pytest.raises(DeclarationError, match="'raise'"):
        node(damaged="drop")
    for limits in ("internet", 5, {}):
        with pytest.raises(DeclarationError, match="'network'"):
            node(limits=limits)
    with pytest.raises(DeclarationError, match="'raise'"):
        MetaData(damaged=True)
