"""Damage: an error by default, or what could be decoded and a mark; ``check`` names each kind in one word."""

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.sounds import KINDS, bad_files, encoded, noise, wav_header, without_xing
from zounds_lite.errors import DeclarationError, DecodeError, NonFiniteAudio, TruncatedAudio, UnsupportedCodec
from zounds_lite.media import AudioReader, Outcome, check, probe

RARE = [("AVR", "PCM_16"), ("SVX", "PCM_16"), ("VOC", "PCM_16"), ("NIST", "PCM_16"), ("WVE", "ALAW")]
BLOCKS = [("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("W64", "PCM_24"), ("AIFF", "FLOAT"), ("CAF", "FLOAT")]
KIND_OF = {"EmptyAudio": "unreadable", "NotAudio": "unreadable", "UnsupportedCodec": "unreadable"}


def kind_of(error):
    return KIND_OF.get(error.__name__, {"TruncatedAudio": "truncated", "RejectedAudio": "rejected"}.get(error.__name__))


@pytest.mark.parametrize(("fmt", "subtype"), [*KINDS, *RARE, *BLOCKS])
def test_what_is_left_of_a_cut_file_is_kept(tmp_path, fmt, subtype):
    channels = 1 if fmt in ("SVX", "WVE") else 2
    data = encoded(noise(4.0, 48000, channels), 48000, fmt, subtype)
    with AudioReader(data) as reader:
        whole = reader.read()
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * 0.6)])
    for source in (path, path.read_bytes()):
        outcome = check(source)
        assert outcome.kind == "truncated"
        with pytest.raises(TruncatedAudio), AudioReader(source) as reader:
            reader.read()
        with AudioReader(source, damaged="keep") as reader:
            kept = np.concatenate(list(reader.blocks(block=1000)))
            assert [mark.kind for mark in reader.marks] == ["truncated"]
            assert "cut" in reader.marks[0].message and "again" not in reader.marks[0].message
        assert len(kept) == outcome.frames
        assert 0.4 * len(whole) < len(kept) < 0.65 * len(whole)
        # what is kept is the beginning, with nothing made up at its end
        assert np.abs(kept - whole[: len(kept)]).max() <= (2e-7 if fmt == "MP3" else 0)
        assert probe(source, damaged="keep").samplerate == probe(data).samplerate


@pytest.mark.parametrize("name", bad_files())
def test_every_bad_file_has_its_kind(name):
    data, error = bad_files()[name]
    outcome = check(data)
    assert (outcome.kind, outcome.is_ok) == (kind_of(error), False)
    assert len(outcome.message) > 40
    if outcome.kind != "truncated":
        assert outcome.frames == 0
        with pytest.raises((DecodeError, UnsupportedCodec)), AudioReader(data, damaged="keep"):
            pass


def test_good_files_are_ok(tmp_path):
    for fmt, subtype in KINDS:
        data = encoded(noise(0.1, 48000), 48000, fmt, subtype)
        assert check(data) == Outcome("ok", "", 4800)
    file = io.BytesIO(data)
    file.seek(9)
    assert check(file).is_ok
    assert file.tell() == 9
    with pytest.raises(FileNotFoundError):
        check(tmp_path / "nowhere.wav")
    with pytest.raises(TypeError, match="a path, bytes"):
        check(42)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_non_finite_samples_become_zero(bad, dtype):
    x = noise(2.0, channels=2)
    x[70_000:70_003, 1] = bad
    data = encoded(x, subtype="FLOAT")
    with pytest.raises(NonFiniteAudio, match="frame 70000 .*damaged='keep'"), AudioReader(data, dtype) as reader:
        reader.read()
    with AudioReader(data, dtype, damaged="keep") as reader:
        got = reader.read()
        assert [mark.kind for mark in reader.marks] == ["non-finite"]
        assert "first at frame 70000 (1.587 s); they were set to 0" in reader.marks[0].message
    wanted = np.nan_to_num(x, nan=0, posinf=0, neginf=0)
    scale = 2**15 if dtype == "int16" else 1
    assert np.abs(got - wanted * scale).max() <= (0.5 if dtype == "int16" else 0)
    assert check(data).kind == "non-finite"
    assert check(data).frames == len(x)


def test_a_slice_away_from_the_damage_is_whole():
    x = noise(3.0)
    x[1000] = np.nan
    with AudioReader(encoded(x, subtype="FLOAT")) as reader:
        for start in (1001, 2000, 100_000):
            np.testing.assert_array_equal(reader.read(start, start + 50)[:, 0], x[start : start + 50])
        with pytest.raises(NonFiniteAudio):
            reader.read(990, 1010)
        np.testing.assert_array_equal(reader.read(0, 1000)[:, 0], x[:1000])


def test_both_kinds_are_marked():
    x = noise(1.0)
    x[5] = np.nan
    data = encoded(x, subtype="FLOAT")[:100_000]
    outcome = check(data)
    assert outcome.kind == "truncated"
    assert "holds NaN" in outcome.message and "cut short" in outcome.message


def test_damage_in_the_middle_of_flac_keeps_what_is_before_it():
    x = noise(5.0)
    data = bytearray(encoded(x, fmt="FLAC"))
    data[len(data) // 2 : len(data) // 2 + 200] = b"\x55" * 200
    with AudioReader(bytes(data), damaged="keep") as reader:
        got = reader.read()
        assert reader.marks[0].kind == "truncated"
    assert 80_000 < len(got) < 120_000
    assert np.abs(got[:, 0] - x[: len(got)]).max() < 2**-15


def test_flac_of_unknown_length_that_is_damaged():
    data = bytearray(encoded(noise(5.0), fmt="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert check(bytes(data)) == Outcome("ok", "", 220_500)
    data[len(data) // 2 : len(data) // 2 + 200] = b"\x55" * 200
    outcome = check(bytes(data))
    assert outcome.kind == "truncated" and outcome.frames > 80_000
    with pytest.raises(DecodeError), AudioReader(bytes(data)) as reader:
        reader.read()


def test_mp3_without_a_length_that_ends_within_a_frame():
    data = without_xing(encoded(noise(2.0), 44100, "MP3"))
    assert check(data).is_ok
    outcome = check(data[: len(data) // 2])
    assert outcome.kind == "truncated"
    assert outcome.frames > 20_000
    assert "bytes in its last frame" in outcome.message


def test_nothing_left_to_keep_is_an_error():
    data = encoded(noise(1.0), fmt="OGG")
    for cut in (data[:100], data[:3000], encoded(noise(1.0))[:44]):
        with pytest.raises(DecodeError), AudioReader(cut, damaged="keep") as reader:
            assert len(reader.read())


def test_unknown_policies():
    for function in (AudioReader, probe):
        with pytest.raises(DeclarationError, match="'raise' .* 'keep'"):
            function(encoded(noise(0.1)), damaged="ignore")


def test_seeking_that_libsndfile_gets_wrong():
    # libsndfile 1.2.2 says that it can seek in DWVW, and fails behind the first third
    data = encoded(noise(1.0), fmt="AIFF", subtype="DWVW_16")
    with AudioReader(data) as reader:
        whole = reader.read()
        for start in (100, 40_000, 30_000, 0):
            np.testing.assert_array_equal(reader.read(start, start + 100), whole[start : start + 100])


def test_vorbis_headers_of_a_few_bytes():
    for fmt, subtype in (("OGG", "VORBIS"), ("OGG", "OPUS")):
        data = encoded(noise(0.1, 48000), 48000, fmt, subtype)
        for size in range(28, 60):
            assert check(data[:size]).kind == "truncated"


def test_rejected_claims_of_rare_formats():
    paf = bytearray(encoded(noise(0.1), fmt="PAF", subtype="PCM_16"))
    paf[20:24] = struct.pack(">I", 70)
    pvf = encoded(noise(0.1), fmt="PVF").replace(b"1 44100 16", b"999 4100 16", 1)
    nist = encoded(noise(0.1), fmt="NIST").replace(b"sample_rate -i 44100", b"sample_rate -i 99999999", 1)
    ircam = bytearray(encoded(noise(0.1), fmt="IRCAM"))
    ircam[8:12] = struct.pack("<I", 65)
    for data in (bytes(paf), pvf, nist, bytes(ircam)):
        assert check(data).kind == "rejected", data[:40]


CHILD = """
import io, resource, struct, sys
import numpy as np
from zounds_lite.media import check
source = sys.argv[1]
check(bytes(100))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kind = check(source).kind
print(kind, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def _memory(path):
    ended = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    kind, megabytes = ended.stdout.split()
    return kind, int(megabytes)


def test_claims_cost_no_memory(tmp_path):
    path = tmp_path / "claim"
    flac = bytearray(encoded(noise(0.2), fmt="FLAC"))
    flac[21], flac[22:26] = flac[21] & 0xF0, struct.pack(">I", 2**28)  # 1 GB of float32
    stream = bytearray(wav_header(1, 44100, 0))
    with path.open("wb") as file:  # the samples follow 1 GB of something else
        file.write(stream[:36] + b"junk" + struct.pack("<I", 2**30))
        file.seek(2**30, io.SEEK_CUR)
        file.write(b"data" + bytes(4) + np.zeros(1000, np.int16).tobytes())
        file.seek(4)
        file.write(struct.pack("<I", 0))
    assert _memory(path) == ("ok", pytest.approx(0, abs=20))
    path.write_bytes(flac)
    assert _memory(path) == ("truncated", pytest.approx(0, abs=20))
    path.write_bytes(wav_header(64, 44100, 2**20) + bytes(1000))
    assert _memory(path) == ("truncated", pytest.approx(0, abs=40))


def test_long_recordings_are_checked_in_bounded_memory(tmp_path):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 44100, 2) as file:
        for _ in range(600):
            file.write(np.zeros((44100, 2), np.int16))
    assert _memory(path) == ("ok", pytest.approx(0, abs=20))


def test_mp3_counts_on_behind_damage_anywhere():
    data = without_xing(encoded(noise(60.0, amplitude=0.9), 44100, "MP3"))
    data = data * (1 + (3 << 20) // len(data))
    for place in (1 << 20, (1 << 20) - 30, 2 << 20):  # the headers are read in pieces of a megabyte
        broken = bytearray(data)
        broken[place - 1000 : place + 1000] = bytes(2000)
        frames = probe(bytes(broken)).frames
        assert 0.999 * probe(data).frames < frames < probe(data).frames + 1


def test_ever_more_tags_end():
    assert check((b"ID3\x04" + bytes(6)) * 300_000).kind == "unreadable"
    assert check(b"\xff" * 2_000_000).kind == "unreadable"


def test_paf_of_24_bits_is_refused():
    # libsndfile 1.2.2 loses the last block of ten frames when the reads do not fall on blocks
    assert check(encoded(noise(0.1), fmt="PAF", subtype="PCM_16")).is_ok
    outcome = check(encoded(noise(0.1), fmt="PAF", subtype="PCM_24"))
    assert (outcome.kind, outcome.frames) == ("unreadable", 0)
    assert "PAF file of 24 bits" in outcome.message


def _pages(ogg):
    at = 0
    while at < len(ogg):
        stop = at + 27 + ogg[at + 26]
        stop += sum(ogg[at + 27 : stop])
        yield at, stop
        at = stop


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_that_lacks_a_page(subtype):
    data = encoded(noise(10.0, 48000), 48000, "OGG", subtype)
    start, stop = list(_pages(data))[8]
    outcome = check(data[:start] + data[stop:])
    assert outcome.kind == "truncated"
    assert 0 < outcome.frames < 480_000
    with pytest.raises(TruncatedAudio), AudioReader(data[:start] + data[stop:]) as reader:
        reader.read()
