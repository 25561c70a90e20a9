"""Decoding: equal to soundfile's own reading, for any slice, block size and thread."""

import io
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
from hypothesis import given, strategies as st

from tests.sounds import DIGITS, KINDS, MUSIC, encoded, noise, reference, sine, ticks
from zounds_lite.errors import DeclarationError, DecodeError, NonFiniteAudio, TruncatedAudio
from zounds_lite.media import BLOCK, AudioReader, mix_to_mono, mp3, probe

TOLERANCE = {"MP3": 2e-7}
"""mpg123 rounds differently, in the last bit, depending on the frames that it decoded before."""


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_whole_file_equals_soundfile(tmp_path, fmt, subtype, channels):
    data = encoded(noise(2.0, 48000, channels), 48000, fmt, subtype)
    wanted = reference(data)
    path = tmp_path / "x"
    path.write_bytes(data)
    for source in (path, data, io.BytesIO(data)):
        with AudioReader(source) as reader:
            got = reader.read()
            assert got.dtype == np.float32
            assert got.flags.writeable
            assert np.abs(got - wanted).max() <= TOLERANCE.get(fmt, 0)
            assert np.abs(np.concatenate(list(reader.blocks())) - wanted).max() <= TOLERANCE.get(fmt, 0)


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
@pytest.mark.parametrize("kind", ["noise", "sine", "ticks"])
def test_slices_are_exact_to_the_sample(fmt, subtype, kind):
    x = {"noise": noise(10.0, 48000, 2), "sine": sine(440, 10.0, 48000), "ticks": ticks(10.0, 48000)}[kind]
    data = encoded(x, 48000, fmt, subtype)
    random = np.random.default_rng(0).integers(0, 480_000, (20, 2))
    edges = [(0, 10), (70_000, 70_001), (479_990, 480_000), (5, 140_000), (100, 200), (479_999, 10**9)]
    with AudioReader(data) as reader:
        whole = reader.read()
        for start, stop in [*edges, *np.sort(random)]:
            part = reader.read(int(start), int(stop))
            assert part.shape == whole[start:stop].shape
            assert np.abs(part - whole[start:stop]).max() <= TOLERANCE.get(fmt, 0)


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
def test_slices_at_the_end(fmt, subtype):
    with AudioReader(encoded(noise(3.0, 48000, 2), 48000, fmt, subtype)) as reader:
        assert reader.read(144_000).shape == reader.read(10**9).shape == reader.read(50, 50).shape == (0, 2)


@given(block=st.integers(1, 5000), start=st.integers(0, 3000), length=st.integers(0, 3000), kind=st.sampled_from(KINDS))
def test_any_block_size(block, start, length, kind):
    data = _cached(kind)
    with AudioReader(data) as reader:
        parts = list(reader.blocks(start, start + length, block))
        whole = reader.read()
    wanted = whole[start : start + length]
    assert all(len(part) == block for part in parts[:-1])
    assert sum(map(len, parts)) == len(wanted)
    if parts:
        assert np.abs(np.concatenate(parts) - wanted).max() <= TOLERANCE.get(kind[0], 0)


_FILES = {}


def _cached(kind):
    if kind not in _FILES:
        _FILES[kind] = encoded(noise(0.1, 48000, 2), 48000, *kind)
    return _FILES[kind]


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
def test_dtypes(fmt, subtype):
    data = encoded(sine(440, 1.0, 48000, 2), 48000, fmt, subtype)
    with AudioReader(data) as reader:
        single = reader.read()
    with AudioReader(data, "float64") as reader:
        double = reader.read()
    with AudioReader(data, np.int16) as reader:
        integer = reader.read()
    assert (double.dtype, integer.dtype) == (np.float64, np.int16)
    assert np.abs(double - single).max() < 1e-6
    assert np.abs(integer / 32768 - single).max() <= 1.01 / 32768
    with pytest.raises(DeclarationError, match="float32, float64, int16"):
        AudioReader(data, "int32")


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32"])
def test_decoders_that_cannot_seek(subtype):
    fmt = "WAV" if subtype == "GSM610" else "AU"
    data = encoded(sine(440, 1.0, 8000), 8000, fmt, subtype)
    with AudioReader(data) as reader:
        whole = reader.read()
        assert len(whole) == reader.info.frames
        for start, stop in [(4000, 4100), (10, 20), (20, 30), (7000, 7001)]:
            np.testing.assert_array_equal(reader.read(start, stop), whole[start:stop])


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 22050, 24000, 44100, 48000])
def test_slices_of_mp3_whose_frames_use_bytes_of_many_before_them(rate, channels, mode, tmp_path):
    x = sine(440, 14.0, rate) + 0.2 * noise(14.0, rate=rate)
    path = tmp_path / "slow.mp3"
    kind = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": mode, "compression_level": 0.99}
    with soundfile.SoundFile(path, "w", rate, channels, **kind) as file:
        for at in range(0, len(x), BLOCK):
            file.write(np.repeat(x[at : at + BLOCK, None], channels, axis=1))
    with AudioReader(path) as reader:
        whole = reader.read()
        for start in np.random.default_rng(0).integers(len(whole) // 2, len(whole) - 2000, 20):
            reader.read(0, 1)
            assert np.abs(reader.read(start, start + 2000) - whole[start : start + 2000]).max() <= 2e-7


@pytest.mark.parametrize("rate", [25_043, 30_000, 44_100, 400_000])
def test_the_frames_before_a_slice_of_mp3_are_counted_at_any_rate(rate):
    assert mp3.preroll(rate, 2) >= 7 * 576


def test_full_scale_is_exact():
    values = np.array([-32768, -32767, -1, 0, 1, 32767], np.int16)
    with AudioReader(encoded(values)) as reader:
        np.testing.assert_array_equal(reader.read()[:, 0], values / np.float32(32768))
    with AudioReader(encoded(np.array([2.0, -3.0, 0.5], np.float32), subtype="FLOAT"), "int16") as reader:
        np.testing.assert_array_equal(reader.read()[:, 0], [32767, -32768, 16384])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_non_finite_samples_are_named(bad, subtype):
    x = noise(2.0, channels=2)
    x[80_000, 1] = bad
    for dtype in ("float32", "float64", "int16"):
        with AudioReader(encoded(x, subtype=subtype), dtype) as reader:
            assert len(reader.read(0, 80_000)) == 80_000
            with pytest.raises(NonFiniteAudio, match=r"frame 80000 \(1\.814 s\)"):
                reader.read()


def test_large_finite_floats_pass():
    x = np.full(1000, 3e38, np.float32)
    with AudioReader(encoded(x, subtype="FLOAT")) as reader:
        np.testing.assert_array_equal(reader.read()[:, 0], x)


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.999])
def test_cut_flac_names_promised_and_decoded_frames(cut):
    data = encoded(noise(5.0), fmt="FLAC")
    with AudioReader(data[: int(len(data) * cut)]) as reader:
        assert reader.info.frames == 220_500
        with pytest.raises(TruncatedAudio, match=r"promises 220500 frames, about \d+ could be decoded"):
            reader.read()


def test_damage_in_the_middle_is_an_error():
    data = bytearray(encoded(noise(5.0), fmt="FLAC"))
    data[len(data) // 2 : len(data) // 2 + 200] = b"\x55" * 200
    with AudioReader(bytes(data)) as reader, pytest.raises(DecodeError, match="damaged"):
        reader.read()


def test_file_objects_keep_their_position(tmp_path):
    data = encoded(noise(1.0), fmt="OGG")
    path = tmp_path / "x.ogg"
    path.write_bytes(data)
    with open(path, "rb") as opened, io.BytesIO(data) as memory:
        for file in (opened, memory):
            file.seek(123)
            with AudioReader(file) as reader:
                reader.read(1000, 2000)
            assert file.tell() == 123
            with pytest.raises(DeclarationError), AudioReader(file) as reader:
                reader.read(-1)
            assert file.tell() == 123


def test_a_file_object_that_fails_raises_its_own_error():
    class Broken(io.BytesIO):
        broken = False

        def read(self, *args):
            if self.broken:
                raise OSError("the disk is gone")
            return super().read(*args)

    file = Broken(encoded(noise(5.0)))
    with AudioReader(file) as reader:
        reader.read(0, 10)
        file.broken = True
        with pytest.raises((OSError, DecodeError), match="the disk is gone"):
            reader.read()


def test_threads_share_a_reader():
    data = encoded(noise(4.0, channels=2), fmt="OGG")
    with AudioReader(data) as reader:
        whole = reader.read()
        wrong = []

        def work(seed):
            for start in np.random.default_rng(seed).integers(0, len(whole) - 2000, 30):
                if not np.array_equal(reader.read(start, start + 2000), whole[start : start + 2000]):
                    wrong.append(start)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_memory_stays_bounded(tmp_path):
    # ten minutes of stereo are 211 MB as float32; one block is half a megabyte
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 44100, 2) as file:
        for _ in range(600):
            file.write(np.zeros((44100, 2), np.int16))
    code = (
        "import resource, sys; from zounds_lite.media import AudioReader\n"
        "reader = AudioReader(sys.argv[1]); next(reader.blocks())\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(len(b) for b in reader.blocks()) == 600 * 44100\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8192\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_mean_of_channels():
    x = noise(0.1, channels=5)
    np.testing.assert_array_equal(mix_to_mono(x), x.mean(axis=1))
    ones = np.ones((10, 2), np.float32)
    assert (mix_to_mono(ones) == 1).all()
    assert mix_to_mono(x[:, :1]).shape == (len(x),)


@pytest.mark.skipif(not MUSIC.is_dir(), reason="no real recordings here")
def test_real_recordings_equal_soundfile():
    path = min(MUSIC.glob("*.ogg"), key=lambda path: path.stat().st_size)
    with AudioReader(path) as reader:
        whole = reader.read()
        np.testing.assert_array_equal(whole, soundfile.read(path, dtype="float32", always_2d=True)[0])
        assert reader.info.frames > BLOCK
        for start in np.random.default_rng(0).integers(0, len(whole), 50):
            np.testing.assert_array_equal(reader.read(int(start), int(start) + 500), whole[start : start + 500])


@pytest.mark.skipif(not DIGITS.is_dir(), reason="no real recordings here")
def test_real_digits_equal_soundfile():
    for path in sorted(DIGITS.glob("*.wav"))[::200]:
        with AudioReader(path) as reader:
            np.testing.assert_array_equal(reader.read(), soundfile.read(path, dtype="float32", always_2d=True)[0])
        assert probe(path).frames == soundfile.info(path).frames


@pytest.mark.parametrize("mono", [False, True], ids=["channels", "mono"])
@pytest.mark.parametrize("kind", [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("MP3", "MPEG_LAYER_III")], ids=str)
def test_blocks_that_grow_hold_what_was_there_and_keep_it(kind, mono):
    data = encoded(noise(12.0, channels=2), fmt=kind[0], subtype=kind[1])
    with AudioReader(data, mono=mono) as reader:
        blocks = list(reader.blocks(block=1000, most=20_000))  # all are kept while the decoder goes on
        whole = reader.read()
    sizes = [len(block) for block in blocks]
    assert sizes[:17] == [1000] * 17 and sorted(sizes[:-1]) == sizes[:-1] and 10_000 < sizes[-2] <= 20_000
    assert all(size <= max(1000, sum(sizes[:i]) // 16) for i, size in enumerate(sizes))
    assert np.abs(np.concatenate(blocks) - whole).max() <= TOLERANCE.get(kind[0], 0)
