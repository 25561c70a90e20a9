"""Probing: by content, before anything is allocated, and with a reason for every refusal."""

import io
import struct

import numpy as np
import pytest

from tests.sounds import (
    DIGITS,
    ID3,
    KINDS,
    MUSIC,
    bad_files,
    encoded,
    html,
    noise,
    sine,
    wav_header,
    without_xing,
)
from zounds_lite.errors import (
    DecodeError,
    EmptyAudio,
    NotAudio,
    RejectedAudio,
    TruncatedAudio,
    UnsupportedCodec,
)
from zounds_lite.media import AudioInfo, AudioReader, probe


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_from_path_bytes_and_file(tmp_path, fmt, subtype, channels):
    data = encoded(noise(0.3, 48000, channels), 48000, fmt, subtype)
    path = tmp_path / "misleading.xyz"
    path.write_bytes(data)
    wanted = AudioInfo(fmt, subtype, 48000, channels, 14400)
    file = io.BytesIO(data)
    file.seek(7)
    assert probe(path) == probe(str(path)) == probe(data) == probe(file) == wanted
    assert file.tell() == 7
    assert wanted.duration_s == 0.3


@pytest.mark.parametrize("name", bad_files())
def test_bad_files_are_refused_with_their_reason(tmp_path, name):
    data, error = bad_files()[name]
    (tmp_path / name).write_bytes(data)
    for source in (tmp_path / name, data, io.BytesIO(data)):
        with pytest.raises(error) as caught, AudioReader(source) as reader:
            reader.read()
        assert len(str(caught.value)) > 40
    with pytest.raises(error, match=name), AudioReader(tmp_path / name) as reader:
        reader.read()


def test_missing_path_and_wrong_types(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav"):
        probe(tmp_path / "nowhere.wav")
    with pytest.raises(TypeError, match="path, bytes or a seekable binary file"):
        probe(42)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (html(), "HTML page"),
        (b"\xef\xbb\xbf  <html>", "HTML page"),
        (b"<?xml version='1.0'?><rss/>", "HTML or XML"),
        (b'{"error": "not found"}', "text"),
        ("Zażółć gęślą jaźń ".encode() * 60, "text"),
        (bytes(1000), "all zero"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (bytes(np.random.default_rng(1).integers(0, 256, 200_000, dtype=np.uint8)), "unknown kind"),
    ],
)
def test_not_audio_says_what_it_is(data, match):
    with pytest.raises(NotAudio, match=match):
        probe(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x18ftypmp42" + bytes(100),
        bytes.fromhex("fff150800a9ffc") + bytes(77) + bytes.fromhex("fff150800a9ffc") + bytes(77),
        b"\x1aE\xdf\xa3" + bytes(100),
        b"wvpk" + bytes(100),
    ],
)
def test_foreign_codecs_say_how_to_convert(data):
    with pytest.raises(UnsupportedCodec, match="ffmpeg -i INPUT"):
        probe(data)


@pytest.mark.parametrize(
    ("channels", "rate", "match"),
    [(0, 44100, "0 channels"), (65, 44100, "65 channels"), (1024, 44100, "1024"), (65535, 44100, "65535")],
)
def test_channel_claims(channels, rate, match):
    with pytest.raises(RejectedAudio, match=match):
        probe(wav_header(channels, rate, 100) + bytes(100 * channels * 2))


@pytest.mark.parametrize("rate", [0, 1_000_001, 2**32 - 1])
def test_rate_claims(rate):
    with pytest.raises(RejectedAudio, match=f"{rate} Hz"):
        probe(wav_header(1, rate, 100) + bytes(200))


@pytest.mark.parametrize("rate", [1, 41100, 1_000_000])
def test_unusual_rates_pass(rate):
    assert probe(wav_header(64, rate, 100) + bytes(100 * 128)).samplerate == rate


@pytest.mark.parametrize(("fmt", "at"), [("FLAC", 18), ("AIFF", None), ("CAF", None), ("AU", None), ("OGG", None)])
def test_damaged_claims_in_other_containers(fmt, at):
    data = bytearray(encoded(noise(0.1), 44100, fmt))
    if fmt == "FLAC":
        data[18:21] = b"\x00\x00\x00"  # rate 0
    elif fmt == "AIFF":
        at = data.index(b"COMM") + 8
        data[at : at + 2] = struct.pack(">H", 500)
    elif fmt == "CAF":
        at = data.index(b"desc") + 12
        data[at : at + 8] = struct.pack(">d", 1e12)
    elif fmt == "AU":
        data[20:24] = struct.pack(">I", 1000)
    else:
        at = data.index(b"\x01vorbis") + 11
        data[at] = 200
    with pytest.raises(RejectedAudio, match="allowed: 1 to"):
        probe(bytes(data))


def test_impossible_length_is_refused_without_allocating():
    data = bytearray(encoded(noise(0.1), 44100, "FLAC"))
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    with pytest.raises(RejectedAudio, match="68719476735 frames"):
        probe(bytes(data))


@pytest.mark.parametrize("fmt", ["WAV", "RF64", "W64", "AIFF", "CAF", "AU", "OGG", "MP3"])
@pytest.mark.parametrize("share", [0.99, 0.5, 0.1])
def test_cut_files_are_found_by_their_header(fmt, share):
    data = encoded(noise(1.0, channels=2), 44100, fmt)
    with pytest.raises(TruncatedAudio, match="cut short"):
        probe(data[: int(len(data) * share)])


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
def test_no_cut_ever_passes_or_escapes(fmt, subtype):
    # any cut is a typed error, or loses nothing but bytes behind the samples
    data = encoded(noise(0.05, 48000), 48000, fmt, subtype)
    for size in [*range(0, 200, 7), *range(200, len(data), max(1, len(data) // 25))]:
        try:
            with AudioReader(data[:size]) as reader:
                samples = reader.read()
        except (DecodeError, UnsupportedCodec):
            continue
        assert len(samples) == 2400


def test_wav_promises_frames_and_says_how_many_there_are():
    data = encoded(sine(seconds=0.1))
    with pytest.raises(TruncatedAudio, match="promises 4410 frames, it holds 4405"):
        probe(data[:-10])


def test_wav_of_a_stream():
    x = noise(0.2, channels=2)
    whole = bytearray(encoded(x))
    at = whole.index(b"data") + 4
    for riff, size in [(0xFFFFFFFF, 0xFFFFFFFF), (0, 0), (0x7FFFFFFF, 0x7FFFFFFF), (at - 4, 0)]:
        whole[4:8], whole[at : at + 4] = struct.pack("<I", riff), struct.pack("<I", size)
        with AudioReader(bytes(whole)) as reader:
            assert reader.info.frames == len(x)
            assert np.abs(reader.read() - x).max() < 2**-15


def test_caf_au_and_flac_of_a_stream():
    x = noise(0.2, channels=2)
    caf = bytearray(encoded(x, fmt="CAF"))
    at = caf.index(b"data")
    caf[at + 4 : at + 12] = b"\xff" * 8
    au = bytearray(encoded(x, fmt="AU"))
    au[8:12] = b"\xff" * 4
    flac = bytearray(encoded(x, fmt="FLAC"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    for data in (caf, au, flac):
        with AudioReader(bytes(data)) as reader:
            assert np.abs(reader.read() - x).max() < 2**-15
            assert np.abs(reader.read(100, 200) - x[100:200]).max() < 2**-15
    assert probe(bytes(flac)).frames is None
    assert probe(bytes(flac)).duration_s is None


@pytest.mark.parametrize("prefix", [b"", ID3, ID3 + ID3, bytes(100), b"garbage!" * 50, ID3 + bytes(1000)], ids=range(6))
@pytest.mark.parametrize("suffix", [b"", b"TAG" + bytes(125)], ids=["plain", "id3v1"])
def test_mp3_is_found_behind_tags_and_junk(tmp_path, prefix, suffix):
    x = sine(440, 0.5)
    mp3 = encoded(x, 44100, "MP3")
    path = tmp_path / "song.dat"
    path.write_bytes(prefix + mp3 + suffix)
    for source in (path, prefix + mp3 + suffix, io.BytesIO(prefix + mp3 + suffix)):
        with AudioReader(source) as reader:
            assert reader.info == AudioInfo("MP3", "MPEG_LAYER_III", 44100, 1, len(x))
            assert np.corrcoef(reader.read()[:, 0], x)[0, 1] > 0.99


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_rates(rate, channels):
    data = encoded(noise(0.5, rate, channels), rate, "MP3")
    assert probe(data) == AudioInfo("MP3", "MPEG_LAYER_III", rate, channels, rate // 2)


def test_mp3_without_a_length_is_counted():
    # silence first: a guess from the first frame's bit rate is far too long, and from a loud one too short
    quiet_first = np.concatenate([np.zeros(150_000, np.float32), noise(3.4)])
    for x in (quiet_first, quiet_first[::-1]):
        data = without_xing(encoded(x, 44100, "MP3"))
        with AudioReader(data) as reader:
            frames = reader.info.frames
            decoded = reader.read()[:, 0]
        assert len(decoded) == frames
        assert abs(frames - len(x)) < 3000
        loud = np.flatnonzero(np.abs(decoded) > 0.05)
        assert abs(len(loud) - np.count_nonzero(np.abs(x) > 0.05)) < 0.05 * len(x)


def test_flac_behind_an_id3_tag():
    x = noise(0.1)
    with AudioReader(ID3 + encoded(x, fmt="FLAC")) as reader:
        assert np.abs(reader.read()[:, 0] - x).max() < 2**-15


def test_extension_never_decides(tmp_path):
    for name in ("a.raw", "b.mp3", "c.vox", "d.au", "e"):
        path = tmp_path / name
        path.write_bytes(encoded(sine(seconds=0.1)))
        assert probe(path).format == "WAV"


def test_empty_header_only_files():
    for fmt in ("WAV", "AIFF", "AU", "W64", "CAF"):
        with pytest.raises(EmptyAudio):
            probe(encoded(np.zeros(0, np.float32), 44100, fmt))


@pytest.mark.skipif(not MUSIC.is_dir(), reason="no real recordings here")
def test_real_recordings():
    for path in MUSIC.glob("*.ogg"):
        info = probe(path)
        assert (info.format, info.subtype) == ("OGG", "VORBIS")
        with pytest.raises(TruncatedAudio):
            probe(path.read_bytes()[:-100])


@pytest.mark.skipif(not DIGITS.is_dir(), reason="no real recordings here")
def test_real_digits():
    for path in sorted(DIGITS.glob("*.wav"))[::100]:
        assert probe(path).samplerate == 8000
