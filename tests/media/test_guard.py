"""Guarded decoding: the same samples, and a typed error for whatever the decoder's process does instead."""

import gc
import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.sounds import ID3, KINDS, bad_files, encoded, noise, wav_header, without_xing
from zounds_lite.errors import DeclarationError, RejectedAudio, TruncatedAudio
from zounds_lite.media import AudioReader, DecodeLimits, check, guard, probe

LIMITS = DecodeLimits()


def children():
    """Processes that this one started and has not waited for, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.append(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def no_process_is_left():
    before = set(children())
    yield
    gc.collect()
    assert set(children()) <= before


def long_file(tmp_path, gigabytes):
    """A WAV of silence that takes no room on the disk and long to decode."""
    path = tmp_path / "long.wav"
    frames = gigabytes * 2**30 // 128
    with path.open("wb") as file:
        file.write(wav_header(64, 44100, frames))
        file.truncate(44 + frames * 128)
    return path


@pytest.mark.parametrize(("fmt", "subtype"), KINDS)
def test_the_same_samples(tmp_path, fmt, subtype):
    data = encoded(noise(3.0, 48000, 2), 48000, fmt, subtype)
    path = tmp_path / "sound"
    path.write_bytes(data)
    for dtype in ("float32", "int16"):
        with AudioReader(path, dtype) as plain, AudioReader(path, dtype, limits=LIMITS) as guarded:
            assert guarded.info == plain.info
            whole = plain.read()
            np.testing.assert_array_equal(np.concatenate(list(guarded.blocks(block=50_000))), whole)
    with AudioReader(io.BytesIO(data), limits=LIMITS) as reader:
        tolerance = 2e-7 if fmt == "MP3" else 0
        for start, stop in ((100_000, 100_100), (5, 70), (70, 90)):
            part = reader.read(start, stop).astype(np.float64)
            wanted = whole[start:stop] / 2**15 if dtype == "int16" else whole[start:stop]
            assert np.abs(part - wanted).max() <= 2**-15 + tolerance
    assert probe(path, limits=LIMITS) == probe(path)


@pytest.mark.parametrize("data", [ID3 + encoded(noise(1.0), fmt="FLAC"), without_xing(encoded(noise(1.0), fmt="MP3"))])
def test_files_that_are_read_in_pieces(data):
    with AudioReader(data) as plain, AudioReader(data, limits=LIMITS) as guarded:
        np.testing.assert_array_equal(guarded.read(), plain.read())


@pytest.mark.parametrize("name", bad_files())
def test_bad_files_have_the_same_outcome(name):
    data = bad_files()[name][0]
    assert check(data, LIMITS) == check(data)


def test_damage_is_kept_alike():
    x = noise(5.0)
    data = bytearray(encoded(x, fmt="FLAC"))
    data[len(data) // 2 : len(data) // 2 + 200] = b"\x55" * 200
    with AudioReader(bytes(data), damaged="keep") as plain:
        wanted = plain.read()
    with AudioReader(bytes(data), damaged="keep", limits=LIMITS) as guarded:
        np.testing.assert_array_equal(guarded.read(), wanted)
        assert guarded.marks[0].kind == "truncated"
    with pytest.raises(TruncatedAudio), AudioReader(bytes(data), limits=LIMITS) as guarded:
        guarded.read()


def test_memory(tmp_path):
    path = long_file(tmp_path, 1)
    outcome = check(path, DecodeLimits(memory=1 << 20))  # a block of it takes 8 to 32 MiB
    assert outcome.kind == "rejected"
    assert "more than 1048576 bytes of memory" in outcome.message


def test_processor_time(tmp_path):
    outcome = check(long_file(tmp_path, 64), DecodeLimits(cpu_s=0.5))
    assert outcome.kind == "rejected"
    assert "more than 0.5 s of processor time" in outcome.message


def test_wall_time(tmp_path):
    began = time.monotonic()
    outcome = check(long_file(tmp_path, 64), DecodeLimits(wall_s=0.5))
    assert outcome.kind == "rejected"
    assert "took more than 0.5 s" in outcome.message
    assert time.monotonic() - began < 20


def test_a_slow_caller_is_not_counted(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(noise(5.0)))
    with AudioReader(path, limits=DecodeLimits(wall_s=20)) as reader:
        handle = reader._handle
        before = handle._left_s
        blocks = iter(reader.blocks())
        next(blocks)
        waited = before - handle._left_s
        began = time.monotonic()
        while time.monotonic() - began < 0.3:  # what the caller does with the block
            pass
        assert len(next(blocks))
        assert before - handle._left_s - waited < 0.25


INFO = json.dumps({"format": "WAV", "subtype": "PCM_16", "samplerate": 44100, "channels": 1, "frames": 1000}).encode()


def message(kind, data, size=None):
    return struct.pack("<cI", kind, len(data) if size is None else size) + data


def scripted(monkeypatch, tmp_path, body):
    """Put another program in the decoder's place."""
    script = tmp_path / "decoder.py"
    script.write_text(f"import os, signal, sys, time\n{body}\n")
    monkeypatch.setattr(guard, "_SCRIPT", script)


LIES = {
    "no info": message(b"B", b""),
    "an unknown letter": message(b"X", b""),
    "huge info": message(b"I", b"", 2**31),
    "info that is no JSON": message(b"I", b"{" * 100),
    "info of another type": message(b"I", b"[]"),
    "true channels": message(b"I", INFO.replace(b": 1,", b": true,")),
    "65 channels": message(b"I", INFO.replace(b": 1,", b": 65,")),
    "no channels": message(b"I", INFO.replace(b": 1,", b": 0,")),
    "2 ** 70 frames": message(b"I", INFO.replace(b"1000", str(2**70).encode())),
    "more frames than bytes can hold": message(b"I", INFO.replace(b"1000", str(2**60).encode())),
    "a rate of 2 ** 40": message(b"I", INFO.replace(b"44100", str(2**40).encode())),
    "a name of control characters": message(b"I", INFO.replace(b"WAV", b"\\u0007")),
    "a huge block": message(b"I", INFO) + message(b"B", b"", 2**32 - 1),
    "half a sample": message(b"I", INFO) + message(b"B", b"abc"),
    "an error that is no number": message(b"I", INFO) + message(b"E", b"abc"),
    "a huge error": message(b"I", INFO) + message(b"E", b"", 2**30),
    "an end in a message": message(b"I", INFO) + b"B\x00",
    "an end in a block": message(b"I", INFO) + message(b"B", bytes(10), 20),
    "nothing": b"",
}


@pytest.mark.parametrize("name", LIES)
def test_nothing_that_the_decoder_says_is_believed(monkeypatch, tmp_path, name):
    scripted(monkeypatch, tmp_path, f"os.write(1, {LIES[name]!r})")
    with pytest.raises(RejectedAudio), AudioReader(encoded(noise(1.0)), limits=LIMITS) as reader:
        reader.read()


def test_a_short_decoder_is_a_cut(monkeypatch, tmp_path):
    said = message(b"B", bytes(20)) + message(b"B", b"")
    scripted(monkeypatch, tmp_path, f"os.write(1, {message(b'I', INFO)!r})\nos.read(0, 1)\nos.write(1, {said!r})")
    with pytest.raises(TruncatedAudio), AudioReader(encoded(noise(1.0)), limits=LIMITS) as reader:
        reader.read()


def test_more_than_the_header_counts_is_never_read(monkeypatch, tmp_path):
    body = f"os.write(1, {message(b'I', INFO)!r})\nwhile True: os.write(1, {message(b'B', bytes(2000))!r})"
    scripted(monkeypatch, tmp_path, body)
    with AudioReader(encoded(noise(1.0)), limits=LIMITS) as reader:
        assert len(reader.read()) == 1000


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE])
def test_a_crash_is_an_error_of_the_recording(monkeypatch, tmp_path, number):
    scripted(monkeypatch, tmp_path, f"os.write(1, {message(b'I', INFO)!r})\nos.kill(os.getpid(), {int(number)})")
    with (
        pytest.raises(RejectedAudio, match=rf"crashed \(signal {int(number)}\)"),
        AudioReader(encoded(noise(1.0)), limits=LIMITS) as reader,
    ):
        reader.read()
    scripted(monkeypatch, tmp_path, "sys.exit(3)")
    assert "ended early (code 3)" in check(encoded(noise(1.0)), LIMITS).message


@pytest.mark.parametrize("body", ["time.sleep(600)", "while True: pass", "os.close(1); time.sleep(600)"])
def test_a_hang_ends(monkeypatch, tmp_path, body):
    scripted(monkeypatch, tmp_path, body)
    began = time.monotonic()
    assert check(encoded(noise(0.1)), DecodeLimits(wall_s=0.3)).kind == "rejected"
    assert time.monotonic() - began < 20


def test_the_decoder_sees_no_secrets_and_writes_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    real = guard._SCRIPT
    body = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("decoder", {str(real)!r})
decoder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(decoder)
decoder._limit(1 << 28, 10)
try:
    with open({str(tmp_path / "written")!r}, "w") as file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file.write("x" * 100)
        file.flush()
    wrote = True
except OSError:
    wrote = False
os._exit(40 + ("SECRET_TOKEN" in os.environ) + 2 * wrote)
"""
    scripted(monkeypatch, tmp_path, body)
    assert "ended early (code 40)" in check(encoded(noise(1.0)), LIMITS).message


def test_neither_main_nor_the_package_is_imported(tmp_path):
    # a program without a guard around its main part, as with multiprocessing, would start itself again
    program = tmp_path / "program.py"
    sound = tmp_path / "a.wav"
    sound.write_bytes(encoded(noise(1.0)))
    program.write_text(
        "print('started')\n"
        "from zounds_lite.media import DecodeLimits, check\n"
        f"print(check({str(sound)!r}, DecodeLimits()).kind)\n"
    )
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert ended.stdout.split() == ["started", "ok"]
    assert ended.stderr == ""


def _state(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def test_the_decoder_ends_with_its_caller(tmp_path):
    path = long_file(tmp_path, 64)
    code = (
        "import os, sys; from zounds_lite.media import AudioReader, DecodeLimits\n"
        "reader = AudioReader(sys.argv[1], limits=DecodeLimits())\n"
        "next(reader.blocks()); print(reader._handle._process.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    decoder = int(ended.stdout)
    until = time.monotonic() + 20
    while _state(decoder) not in (None, "Z", "X") and time.monotonic() < until:
        time.sleep(0.05)
    assert _state(decoder) in (None, "Z", "X")


def test_readers_that_are_dropped_or_closed_early_leave_nothing(tmp_path):
    path = long_file(tmp_path, 1)
    for _ in range(3):
        reader = AudioReader(path, limits=LIMITS)
        next(reader.blocks())
    with AudioReader(path, limits=LIMITS) as reader:
        assert len(reader.read(10, 20)) == 10
    before = len(os.listdir("/proc/self/fd"))
    with AudioReader(encoded(noise(0.5)), limits=LIMITS) as reader:
        reader.read()
    assert len(os.listdir("/proc/self/fd")) == before


def test_threads_at_once(tmp_path):
    path = tmp_path / "a.ogg"
    path.write_bytes(encoded(noise(2.0), fmt="OGG"))
    with AudioReader(path) as reader:
        wanted = reader.read()
    wrong = []

    def work():
        with AudioReader(path, limits=LIMITS) as reader:
            if not np.array_equal(reader.read(), wanted):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    "arguments",
    [{"memory": 0}, {"memory": 1.5}, {"memory": True}, {"cpu_s": 0}, {"cpu_s": "1"}, {"wall_s": float("nan")}],
)
def test_bad_limits(arguments):
    with pytest.raises(DeclarationError, match="allowed"):
        DecodeLimits(**arguments)


def test_limits_are_declared():
    limits = DecodeLimits(memory=2**26, cpu_s=5, wall_s=6)
    assert DecodeLimits.from_dict(limits.to_dict()) == limits
    assert limits.replace(wall_s=7) != limits
