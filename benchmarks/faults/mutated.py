"""Mutated audio: recordings in every format, damaged at random, and some that were made to do harm.

Two processes decode one file after the other and say in a pipe which one is under way, so a crash or a hang names its
file: ``_mutations.mutated(number, _mutations.seeds())``. First come crafted files whose outcome is known.
"""

import contextlib
import json
import os
import resource
import select
import signal
import struct
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.faults import broken
from benchmarks.faults._mutations import mutated, seeds
from benchmarks.faults.table import Fault, Result, Setting

_WORKERS = 2
_HANG_S = 3.0
_STALL_S = 20.0
"""Seconds on the clock after which a file counts as a hang even if the machine gave the process no time."""
_MORE_MB = 384
_OUTCOMES = ("ok", "truncated", "non-finite", "rejected", "unreadable")
_APART = 10_000_000
"""Between the numbers of two runs with different seeds."""


def crafted(recordings: dict[str, bytes]) -> list[tuple[str, bytes, str]]:
    """Files with the outcome that each must have: name, bytes, kind."""
    found = [(name, data, "ok") for name, data in recordings.items()]
    for name in ("WAV PCM_16", "RF64 PCM_16", "W64 PCM_16", "FLAC PCM_16", "OGG VORBIS", "OGG OPUS", "AU PCM_16",
                 "MP3 MPEG_LAYER_III", "MP3 behind ID3", "AIFF PCM_16", "CAF PCM_16", "CAF ALAC_16"):  # fmt: skip
        found.append((f"half of {name}", recordings[name][: len(recordings[name]) // 2], "truncated"))
    wav, flac = recordings["WAV FLOAT"], recordings["FLAC PCM_16"]
    for value in (np.nan, np.inf):
        found.append((f"WAV with {value}", wav[:-400] + np.float32(value).tobytes() + wav[-396:], "non-finite"))
    plain = bytearray(recordings["WAV PCM_16"])
    for offset, layout, claims in ((22, "<H", (0, 65, 1000, 65535)), (24, "<I", (0, 2_000_000, 2**32 - 1))):
        for claim in claims:
            struct.pack_into(layout, plain, offset, claim)
            found.append((f"WAV that claims {claim} at byte {offset}", bytes(plain), "rejected"))
        struct.pack_into(layout, plain, offset, {22: 2, 24: 8000}[offset])
    for frames, kind in ((2**36 - 1, "rejected"), (2**29, "truncated")):
        claim = flac[:21] + bytes([flac[21] & 0xF0 | frames >> 32]) + struct.pack(">I", frames & 0xFFFFFFFF) + flac[26:]
        found.append((f"FLAC that claims {frames} frames", claim, kind))
    page = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
    return [*found, ("empty", b"", "unreadable"), ("HTML", page, "unreadable"), ("zeros", bytes(5000), "unreadable")]


def _tried(number: int, what: str, data: bytes, folder: Path) -> tuple[str, str | None]:
    """Decode in every way; return the outcome, and in words what should not have happened."""
    from zounds_lite.errors import MediaError
    from zounds_lite.media import AudioReader, check

    source: Path | bytes = data
    if number % 2:
        source = folder / f"{os.getpid()}"
        source.write_bytes(data)
    try:
        outcome = check(source)
        if outcome.kind not in _OUTCOMES:
            return outcome.kind, f"{what}: an outcome of no known kind"
        raised, frames = None, 0
        try:
            with AudioReader(source) as reader:
                for block in reader.blocks():
                    frames += len(block)
                    if not np.isfinite(block).all():
                        return outcome.kind, f"{what}: non-finite samples were handed out"
                starts = np.random.default_rng(number).integers(0, (reader.info.frames or 0) + 1, 2 * (number % 4 == 0))
                for start in starts.tolist():
                    reader.read(start, start + 100)
        except MediaError as error:
            raised = error
        if (raised is None) != outcome.is_ok or (outcome.is_ok and frames != outcome.frames):
            return outcome.kind, f"{what}: check says {outcome}, reading it {raised or frames}"
        return outcome.kind, None
    except Exception as error:  # noqa: BLE001  (what the library did not mean to raise)
        return "untyped", f"{what}: {type(error).__name__}: {str(error)[:300]}"


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _work(pipe: int, first: int, step: int, setting: Setting, recordings: dict[str, bytes]) -> None:
    """Decode mutated files until killed; the decoders' own remarks go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    broken.apply(setting.broken)
    known = crafted(recordings)
    number, inherited_mb = first, _peak_mb()  # a fork begins with the memory of whoever runs this row
    while True:
        os.write(pipe, f"{number}\n".encode())
        began = time.monotonic()
        if number % _APART < len(known):
            what, data, wanted = known[number % _APART]
        else:
            (what, data), wanted = mutated(number, recordings), None
        kind, loss = _tried(number, f"{number} ({what})", data, setting.folder)
        if wanted is not None and kind != wanted and loss is None:
            loss = f"{number} ({what}): the outcome is {kind!r}, it should be {wanted!r}"
        facts = {"kind": kind, "loss": loss, "seconds": time.monotonic() - began,
                 "rss": _peak_mb() - inherited_mb}  # fmt: skip
        os.write(pipe, json.dumps(facts).encode() + b"\n")
        number += step


class _Worker:
    """A process that decodes, and what it said last."""

    def __init__(self, first: int, step: int, setting: Setting, recordings: dict[str, bytes]) -> None:
        self.number, self.step = first, step
        self.pipe, end = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            try:
                _work(end, first, step, setting, recordings)
            except BaseException as error:  # noqa: BLE001  (this row is at fault, and says so)
                facts = {"kind": "untyped", "loss": repr(error), "seconds": 0, "rss": 0}
                os.write(end, json.dumps(facts).encode() + b"\n")
            os._exit(70)
        os.close(end)
        self.rest = b""
        self.began, self.began_cpu = time.monotonic(), 0.0

    def messages(self) -> list[str] | None:
        """What came since the last call; None where the process is gone."""
        data = os.read(self.pipe, 1 << 16)
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [line.decode() for line in lines]

    def took(self, number: int) -> None:
        """Note that another file is under way."""
        self.number, self.began, self.began_cpu = number, time.monotonic(), self.cpu()

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    @property
    def hangs(self) -> bool:
        """True where the file under way takes too long."""
        waited = time.monotonic() - self.began
        return waited > _HANG_S and (waited > _STALL_S or self.cpu() - self.began_cpu > _HANG_S)

    def end(self) -> int:
        """Kill the process; return the code that it ended with."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


class _Count:
    """What all workers reported."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.losses: list[str] = []
        self.slowest_s = 0.0
        self.peak_mb = self.crashes = self.hangs = 0

    def add(self, line: str) -> None:
        """Take in the result of one file."""
        facts = json.loads(line)
        self.kinds[facts["kind"]] += 1
        self.slowest_s = max(self.slowest_s, facts["seconds"])
        self.peak_mb = max(self.peak_mb, facts["rss"])
        if facts["loss"]:
            self.losses.append(facts["loss"])

    def result(self) -> Result:
        """The row."""
        if self.peak_mb >= _MORE_MB:
            self.losses.append(f"resident memory grew by {self.peak_mb} MB; allowed: below {_MORE_MB}")
        figures = {"files": sum(self.kinds.values()), **{kind: self.kinds[kind] for kind in _OUTCOMES},
                   "crashes": self.crashes, "hangs": self.hangs, "slowest s": round(self.slowest_s, 2),
                   "RSS grew by MB": self.peak_mb}  # fmt: skip
        return Result(figures, self.losses)


def _listen(worker: _Worker, count: _Count) -> str | None:
    """Take in what a worker says; return how it ended, if it did."""
    said = worker.messages()
    if said is None:
        return "crash"
    for line in said:
        if line.startswith("{"):
            count.add(line)
        else:
            worker.took(int(line))
    return None


def run(setting: Setting) -> Result:
    """Decode mutated files for ``setting.size`` seconds."""
    recordings, count = seeds(), _Count()
    first = setting.seed * _APART
    workers = [_Worker(first + i, _WORKERS, setting, recordings) for i in range(_WORKERS)]
    until = time.monotonic() + setting.size
    try:
        while time.monotonic() < until:
            ready = select.select([worker.pipe for worker in workers], [], [], 0.2)[0]
            for i, worker in enumerate(workers):
                ended = _listen(worker, count) if worker.pipe in ready else "hang" if worker.hangs else None
                if ended is None:
                    continue
                code, number = worker.end(), worker.number
                count.crashes += ended == "crash"
                count.hangs += ended == "hang"
                count.losses.append(f"{ended} (code {code}) at file {number}")
                workers[i] = _Worker(number + _WORKERS, _WORKERS, setting, recordings)
    finally:
        for worker in workers:
            worker.end()
    return count.result()


FAULTS = [
    Fault(
        name="mutated audio",
        size=60,
        unit="s",
        promise="crash 0, hang over 3 s 0, growth below 384 MB, only typed outcomes, no damage passed off as sound",
        run=run,
        broken=("unchecked_headers", "swallowed_damage"),
        prove_size=4,
    )
]
