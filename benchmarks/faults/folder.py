"""A folder of recordings, one in ten of them hostile, taken in by two worker processes, of which some are killed.

One file kills its worker each time it is tried, so it must be given up after two deaths; one kills it the first time
only, and two workers are killed from outside: what they were doing must be done again. A second run has nothing to do.
"""

import io
import os
import random
import signal
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.faults import broken
from benchmarks.faults._documents import Sound, leftovers, sound_file, stored_in
from benchmarks.faults._forked import children
from benchmarks.faults._killed import begin
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff
from zounds_lite.datasets import Directory, ingest
from zounds_lite.featureflow.ledger import read_failures

__all__ = ["FAULTS", "Watched"]

_FRAMES = 4000
_DEFECT = "ZOUNDS_FAULTS_DEFECT"
"""Names the defect in the environment of worker processes, which import this module."""


class _Deadly(ff.Node):
    """Kills its process for files that are named so, and leaves a mark for each time."""

    def _process(self, meta: Any) -> Iterator[Any]:
        marks = Path(f"{meta.uri}.deaths")
        deaths = marks.stat().st_size if marks.exists() else 0
        name = Path(str(meta.uri)).stem
        if name == "deadly" or (name == "deadly once" and not deaths):
            with open(marks, "ab") as file:
                file.write(b"x")
            os.kill(os.getpid(), signal.SIGKILL)
        yield deaths


class Watched(Sound):
    """A sound whose file may kill the process that reads it."""

    deaths = ff.JSONFeature(_Deadly, needs=Sound.meta, store=True)


def _encoded(samples: np.ndarray, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 44100, subtype=subtype, format=kind)
    return file.getvalue()


def _claim(channels: int, rate: int, frames: int) -> bytes:
    """The header of a WAV file, whatever it claims."""
    block, size = channels * 2, min(frames * channels * 2, 2**32 - 50)
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, 16)
    head = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", size)


def _kinds() -> dict[str, Callable[[random.Random], bytes]]:
    """Hostile files by ending, each with its own way."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (20_000, 2)).astype(np.float32)
    whole = {kind: _encoded(noise, kind) for kind in ("WAV", "FLAC", "OGG", "MP3")}
    broken_samples = noise.copy()
    broken_samples[500:600] = np.nan
    kinds: dict[str, Callable[[random.Random], bytes]] = {
        f"cut.{kind.lower()}": lambda rng, data=data: data[: rng.randrange(len(data) // 4, len(data) // 2)]
        for kind, data in whole.items()
    }
    return {
        **kinds,
        "empty.wav": lambda rng: b"",
        "silent.wav": lambda rng: _encoded(noise[:0], "WAV"),
        "page.mp3": lambda rng: b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n" * rng.randrange(1, 9),
        "list.wav": lambda rng: b"milk, bread, two apples\n" * rng.randrange(1, 99),
        "noise.flac": lambda rng: b"fLaC" + rng.randbytes(5000),
        "chorus.wav": lambda rng: _claim(1024, 44100, 10) + bytes(20_480),
        "endless.wav": lambda rng: _claim(2, 44100, 2**28) + bytes(20_480),
        "fast.wav": lambda rng: _claim(1, 2**31, 100) + bytes(200),
        "phone.m4a": lambda rng: b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + rng.randbytes(500),
        "nan.wav": lambda rng: _encoded(broken_samples, "WAV", "FLOAT"),
    }


def _write_folder(folder: Path, size: int, seed: int) -> tuple[dict[str, int], list[str]]:
    """Write the files; return the good ones with their numbers, and the hostile ones."""
    rng, kinds = random.Random(seed), list(_kinds().items())
    good, hostile = {}, [folder / "0" / "deadly.wav"]
    for number in range(size):
        place = folder / str(number % 7)
        place.mkdir(parents=True, exist_ok=True)
        if number == 1:
            sound_file(place, number, 0, _FRAMES).rename(hostile[0].parent / hostile[0].name)
        elif number % 10 == 1:
            name, make = kinds[number // 10 % len(kinds)]
            hostile.append(place / f"{number} {name}")
            hostile[-1].write_bytes(make(rng))
        else:
            path = sound_file(place, number, 0, _FRAMES)
            good[str(path.rename(place / "deadly once.wav") if number == 7 else path)] = number
    return good, [str(path) for path in hostile]


def _attack(document: Any, size: int, seed: int) -> None:
    """Kill a worker when a third of the documents are there, and another one at two thirds.

    Not while something is tried for the second time: two deaths are enough for the quarantine, whoever is to blame.
    """
    rng, parent = random.Random(seed), os.getppid()
    document.database.close()
    for share in (1 / 3, 2 / 3):
        while len(document.database) < share * size or _is_tried_again(document.database):
            time.sleep(0.02)
        others = [pid for pid in children(parent) if pid != os.getpid()]
        os.kill(rng.choice(others), signal.SIGKILL)


def _is_tried_again(database: Any) -> bool:
    """Tell whether a file has killed its worker once, or is still to do so."""
    return any(entry.is_open for entry in read_failures(database)) or not any(map(_is_deadly_once, database))


def _is_deadly_once(_id: str) -> bool:
    return _id.endswith("deadly once.wav")


def _run_first(setting: Setting, document: Any, sounds: Path) -> Any:
    attacker = begin(partial(_attack, document, setting.size, setting.seed))
    try:
        return ingest(Directory(sounds), document, workers=2, progress=False)
    finally:
        os.kill(attacker, signal.SIGKILL)
        os.waitpid(attacker, 0)


def _compare(document: Any, good: dict[str, int], hostile: list[str], report: Any) -> Iterator[str]:
    """What the first run must have done."""
    ledger = {entry.id: entry for entry in read_failures(document.database)}
    stored, reported = set(document.database), {failure.id for failure in report.failed}
    for name, found, wanted in (
        ("stored", stored, set(good)),
        ("reported as processed", set(report.processed), set(good)),
        ("in the ledger", set(ledger), set(hostile)),
        ("reported as failed", reported, set(hostile)),
    ):
        for _id in sorted(found ^ wanted)[:5]:
            reason = ledger[_id].reason if _id in ledger else ""
            yield f"{'not ' if _id in wanted else ''}{name}: {_id} {reason}"
    for _id in stored & set(good):
        if document(_id).label != [good[_id], 0] or len(document(_id).pcm) != _FRAMES:
            yield f"{_id} holds what another one should"
    yield from (f"no reason: {_id}" for _id, entry in ledger.items() if not entry.reason)
    deadly = ledger.get(hostile[0])
    if deadly is None or not deadly.quarantined or deadly.deaths != 2 or _deaths(hostile[0]) != 2:
        yield f"the file that kills its worker: {deadly}, tried {_deaths(hostile[0])} times"


def _deaths(path: str) -> int:
    marks = Path(f"{path}.deaths")
    return marks.stat().st_size if marks.exists() else 0


def _compare_again(good: dict[str, int], hostile: list[str], report: Any) -> Iterator[str]:
    """A second run must have nothing to do."""
    if report.processed or len(report.skipped) != len(good) or report.known != len(hostile):
        yield (
            f"a second run processed {len(report.processed)}, skipped {len(report.skipped)} of {len(good)}, and took "
            f"{report.known} of {len(hostile)} failures for known"
        )
    if _deaths(hostile[0]) != 2:
        yield f"a second run tried the file that kills its worker again: {_deaths(hostile[0])} deaths"


def _run(setting: Setting) -> Result:
    if setting.broken is not None:
        os.environ[_DEFECT] = setting.broken
        broken.apply(setting.broken)
    sounds, document = setting.folder / "sounds", stored_in(setting.folder / "store", Watched)
    good, hostile = _write_folder(sounds, setting.size, setting.seed)
    report, result = _run_first(setting, document, sounds), Result()
    result.losses += _compare(document, good, hostile, report)
    again = ingest(Directory(sounds), document, workers=2, progress=False)
    result.losses += _compare_again(good, hostile, again)
    document.database.collect_garbage()
    result.losses += [f"left over: {name}" for name in leftovers(document.database)]
    result.figures = {
        "stored": len(document.database),
        "in the ledger": sum(1 for _ in read_failures(document.database)),
        "processed by a second run": len(again.processed),
        "seconds": f"{report.seconds:.1f} and {again.seconds:.1f}",
    }
    document.database.close()
    return result


FAULTS = [
    Fault(
        "a folder of 1,000 files, 10 % hostile, 2 workers, one worker killed twice",
        1000,
        "files",
        "900 stored, 100 in the ledger with reasons, nothing retried for ever",
        _run,
        ("ledger_off", "quarantine_late"),
        60,
    )
]

if _DEFECT in os.environ:  # in a worker process
    broken.apply(os.environ[_DEFECT])
