"""Encoding: lossless where the format is, all or nothing, and never a crash of the encoder."""

import io
import subprocess
import sys
import wave

import numpy as np
import pytest

from tests.sounds import noise, reference, sine
from zounds_lite.errors import DeclarationError, EncodeError, UnsupportedCodec
from zounds_lite.media import BLOCK, AudioReader, Encoder, encode, encode_stream, formats, probe

PAIRS = [(fmt, subtype) for fmt, subtypes in formats().items() for subtype in subtypes]


def _encode(samples, rate=48000, fmt="WAV", subtype=None, **options):
    out = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    assert encode(samples, rate, channels, out, fmt, subtype, **options) == len(samples)
    return out.getvalue()


@pytest.mark.parametrize(("fmt", "subtype"), PAIRS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_and_subtype(fmt, subtype, channels):
    x = sine(440, 1.5, 48000, channels)
    data = _encode(x, fmt=fmt, subtype=subtype)
    info = probe(data)
    assert (info.format, info.samplerate, info.channels, info.frames) == (fmt, 48000, channels, len(x))
    assert info.subtype == subtype
    y = reference(data).reshape(x.shape)
    for a, b in zip(np.atleast_2d(x.T), np.atleast_2d(y.T), strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.99


def test_float_wav_is_bit_exact_and_pcm_is_within_half_a_step():
    x = noise(1.0, channels=3, amplitude=0.99)
    np.testing.assert_array_equal(reference(_encode(x, subtype="FLOAT")), x)
    assert np.abs(reference(_encode(x, subtype="PCM_16")) - x).max() <= 1 / 32768
    assert np.abs(reference(_encode(x, subtype="PCM_24")) - x).max() <= 2**-23
    assert np.abs(reference(_encode(x, fmt="FLAC", subtype="PCM_24")) - x).max() <= 2**-23


def test_the_wave_module_reads_it():
    values = np.random.default_rng(0).integers(-32768, 32768, (5000, 2)).astype(np.int16)
    with wave.open(io.BytesIO(_encode(values))) as file:
        assert file.getparams()[:4] == (2, 2, 48000, 5000)
        np.testing.assert_array_equal(np.frombuffer(file.readframes(5000), "<i2").reshape(-1, 2), values)


def test_integers_keep_full_scale_in_every_subtype():
    values = np.array([-32768, -1, 0, 1, 32767], np.int16)
    for subtype in ("PCM_16", "PCM_24", "FLOAT", "DOUBLE"):
        np.testing.assert_array_equal(reference(_encode(values, subtype=subtype))[:, 0], values / np.float32(32768))
    wide = values.astype(np.int32) << 16
    np.testing.assert_array_equal(reference(_encode(wide, subtype="PCM_16"))[:, 0], values / np.float32(32768))


@pytest.mark.parametrize(("fmt", "subtype"), PAIRS)
def test_loud_samples_clip_instead_of_wrapping_around(fmt, subtype):
    x = sine(100, 0.5, 48000, amplitude=3.0)
    y = reference(_encode(x, fmt=fmt, subtype=subtype))[:, 0]
    assert np.corrcoef(x, y)[0, 1] > 0.9
    assert np.abs(y).max() < 4


def test_incompatible_subtype_falls_back_to_the_default():
    x = sine(seconds=0.5, rate=48000)
    assert probe(_encode(x, fmt="OGG", subtype="PCM_16")).subtype == "VORBIS"
    assert probe(_encode(x, fmt="flac", subtype="float")).subtype == "PCM_16"
    assert probe(_encode(x, fmt="MP3", subtype="PCM_16")).subtype == "MPEG_LAYER_III"


@pytest.mark.parametrize(
    ("fmt", "subtype", "rate", "channels", "match"),
    [
        ("M4A", None, 44100, 1, "cannot write the format 'M4A'; allowed: WAV, WAVEX"),
        ("WAV", "AAC", 44100, 1, "cannot write the subtype 'AAC'; allowed in WAV: PCM_16"),
        ("MP3", None, 44100, 3, "3 channels; allowed: 1 to 2"),
        ("FLAC", None, 44100, 9, "9 channels; allowed: 1 to 8"),
        ("WAV", None, 44100, 65, "65 channels; allowed: 1 to 64"),
        ("WAV", None, 44100, 0, "0 channels"),
        ("MP3", None, 96000, 2, "96000 Hz; allowed: 8000"),
        ("OGG", "OPUS", 44100, 2, "44100 Hz; allowed: 8000"),
        ("OGG", "VORBIS", 300_000, 1, "300000 Hz; allowed: 1 to 200000"),
        ("FLAC", None, 700_000, 1, "700000 Hz"),
        ("WAV", None, 0, 1, "0 Hz"),
    ],
)
def test_what_cannot_be_written_says_what_can(fmt, subtype, rate, channels, match):
    with pytest.raises(UnsupportedCodec, match=match):
        encode(np.zeros((10, channels)), rate, channels, io.BytesIO(), fmt, subtype)


@pytest.mark.parametrize(("fmt", "subtype"), [pair for pair in PAIRS if pair[1] not in ("FLOAT", "DOUBLE")])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e6, -4e4])
def test_samples_that_crash_encoders_never_reach_them(fmt, subtype, bad):
    x = noise(2.0, 48000, 2)
    x[70_000, 1] = bad
    with pytest.raises(EncodeError, match=r"frame 70000, channel 1; 1 such in this block\); allowed: finite"):
        _encode(x, fmt=fmt, subtype=subtype)


def test_floats_may_hold_anything():
    x = np.array([np.nan, np.inf, 1e30], np.float32)
    np.testing.assert_array_equal(reference(_encode(x, subtype="FLOAT"))[:, 0], x)


@pytest.mark.parametrize(("fmt", "subtype"), PAIRS)
def test_no_samples(fmt, subtype):
    empty = np.zeros((0, 2), np.float32)
    if fmt in ("FLAC", "MP3") or subtype == "OPUS":
        with pytest.raises(EncodeError, match="0 frames"):
            _encode(empty, fmt=fmt, subtype=subtype)
    else:
        assert len(reference(_encode(empty, fmt=fmt, subtype=subtype))) == 0


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (np.zeros((10, 3)), r"shape \(10, 3\); allowed: \(frames, 2\)"),
        (np.zeros(10), r"shape \(10,\); allowed: \(frames, 2\)"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((10, 2), complex), "complex128; allowed: floats, int16, int32"),
        (np.zeros((10, 2), np.uint8), "uint8"),
        (np.zeros((10, 2), bool), "bool"),
    ],
)
def test_arrays_that_are_no_samples(samples, match):
    with pytest.raises(EncodeError, match=match):
        encode(samples, 44100, 2, io.BytesIO())


def test_blocks_equal_one_array():
    x = noise(3.0, channels=2)
    cuts = np.sort(np.random.default_rng(0).integers(0, len(x), 40))
    for fmt in ("WAV", "FLAC"):
        whole, parts = io.BytesIO(), io.BytesIO()
        encode(x, 44100, 2, whole, fmt)
        encode((block for block in np.split(x, cuts)), 44100, 2, parts, fmt)
        assert np.array_equal(reference(whole.getvalue()), reference(parts.getvalue()))


def test_long_vorbis_does_not_crash_the_process():
    # a single write of this length ends libsndfile 1.2.2 with a stack overflow
    code = (
        "import io, numpy as np; from zounds_lite.media import encode, probe\n"
        "out = io.BytesIO(); encode(np.zeros((44100 * 120, 2), np.float32), 44100, 2, out, 'OGG')\n"
        "assert probe(out).frames == 44100 * 120\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_channels():
    x = noise(0.2, 48000, 64)
    for fmt, subtype in [("WAV", None), ("OGG", "VORBIS"), ("CAF", None), ("W64", None)]:
        with AudioReader(_encode(x, fmt=fmt, subtype=subtype)) as reader:
            assert reader.read().shape == x.shape


def test_paths_are_all_or_nothing(tmp_path):
    path = tmp_path / "x.wav"
    x = noise(1.0)
    assert encode(x, 44100, 1, path) == len(x)
    before = path.read_bytes()
    bad = np.concatenate([x, np.full(BLOCK, np.nan, np.float32)])
    with pytest.raises(EncodeError):
        encode(bad, 44100, 1, path)
    with pytest.raises(FileNotFoundError):
        encode(x, 44100, 1, tmp_path / "no" / "x.wav")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.wav"]
    assert path.stat().st_mode & 0o600 == 0o600


def test_file_objects_are_written_from_their_position(tmp_path):
    x = noise(0.5)
    plain = _encode(x, 44100)
    with open(tmp_path / "x", "w+b") as file:
        file.write(b"before")
        encode(x, 44100, 1, file)
        assert file.tell() == 6 + len(plain)
        file.seek(0)
        assert file.read() == b"before" + plain
    memory = io.BytesIO()
    with pytest.raises(EncodeError):
        encode(np.full(100_000, np.nan), 44100, 1, memory)
    assert memory.getvalue() == b""
    assert memory.tell() == 0


def test_unseekable_files():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    x = noise(0.5)
    pipe = Pipe()
    encode(x, 44100, 1, pipe, "FLAC")
    assert probe(pipe.data).frames == len(x)


def test_a_full_disk_is_reported():
    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > 100_000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    with pytest.raises(OSError, match="No space left"), Encoder(Full(), 44100, 2) as encoder:
        encoder.write(noise(5.0, channels=2))


def test_quality_orders_sizes():
    x = noise(3.0, 48000, 2)
    for fmt, subtype in [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)]:
        small, middle, best = (len(_encode(x, fmt=fmt, subtype=subtype, quality=q)) for q in (0.0, 0.5, 1.0))
        assert small < middle < best
    for quality in (-0.1, 1.1):
        with pytest.raises(DeclarationError, match="allowed: 0 to 1"):
            _encode(x, fmt="OGG", quality=quality)
    with pytest.raises(DeclarationError, match="for VORBIS, OPUS"):
        _encode(x, fmt="WAV", quality=0.5)


def test_stream_yields_while_it_encodes():
    x = noise(10.0, channels=2)
    seen = 0

    def blocks():
        nonlocal seen
        for start in range(0, len(x), BLOCK):
            seen = start + BLOCK
            yield x[start : start + BLOCK]

    parts, first = [], None
    for part in encode_stream(blocks(), 44100, 2):
        first = seen if first is None else first
        parts.append(part)
    assert first == BLOCK
    assert max(map(len, parts)) < 200_000
    assert probe(b"".join(parts)).frames == len(x)
    with pytest.raises(EncodeError):
        list(encode_stream([x, x * np.nan], 44100, 2))


def test_longdouble_and_half():
    x = sine(seconds=0.1)
    for dtype in (np.float16, np.longdouble, ">f4"):
        assert np.abs(reference(_encode(x.astype(dtype)))[:, 0] - x).max() < 1e-3
