"""Recordings in archives against the same recordings in a folder: documents per second, and memory.

A thousand short recordings are packed into a zip whose members are stored, one whose members are deflated, a tar, and a
tar.gz. Each is ingested without unpacking, in a process of its own whose anonymous memory is watched, in turn with the
folder; what is stored has to be the same to the bit. Besides: how long a large zip takes to be listed, and one member
after the other to be opened.
"""

import argparse
import json
import shutil
import statistics
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks._by_hand import load_modules

_RATE, _LARGEST_MB = 22050, 150.0
_KINDS = ["stored.zip", "deflated.zip", "plain.tar", "packed.tar.gz"]
_LISTED = 100_000


def document(folder: str) -> Any:
    """Return the document of decibels of mel bands, kept in a folder."""
    import zounds_lite as zounds
    from benchmarks._features import log_mel_document

    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(log_mel_document(_RATE, 1024, 512))


def write_recordings(folder: Path, count: int, seconds: float) -> list[Path]:
    """Write recordings: tones in noise, each another one."""
    import soundfile

    folder.mkdir()
    paths, t = [], np.arange(round(_RATE * seconds)) / _RATE
    for number in range(count):
        tone = 0.3 * np.sin(2 * np.pi * (200 + number) * t)
        paths.append(folder / f"{number:05d}.wav")
        soundfile.write(paths[-1], tone + np.random.default_rng(number).normal(size=len(t)) * 0.01, _RATE)
    return paths


def pack(path: Path, files: list[Path]) -> None:
    """Pack files into an archive, of the kind that its name says."""
    if path.suffix == ".zip":
        method = zipfile.ZIP_STORED if path.stem == "stored" else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", method) as packed:
            for file in files:
                packed.write(file, f"recordings/{file.name}")
        return
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tape:
        for file in files:
            tape.add(file, f"recordings/{file.name}")


def ingest(source: str, folder: str) -> dict[str, Any]:
    """Ingest a folder or an archive; return the seconds that it took."""
    import zounds_lite as zounds

    load_modules()
    is_folder = Path(source).is_dir()
    dataset = zounds.Directory(source) if is_folder else zounds.Archive(source)
    began = time.perf_counter()
    report = zounds.ingest(dataset, document(folder), progress=False)
    took = time.perf_counter() - began
    if report.failed:
        raise RuntimeError(str(report))
    return {"seconds": took, "documents": len(report.processed)}


def digest(folder: Path) -> dict[str, str]:
    """Return a hash of what is stored of each recording, by its file name."""
    import xxhash

    found = {}
    for each in document(str(folder)):
        found[Path(each._id).name] = xxhash.xxh3_128_hexdigest(np.ascontiguousarray(each.log_mel))
    return found


def add_ingest(table: harness.Table, folder: Path, count: int, seconds: float, rounds: int) -> None:
    """Measure ingest of each kind of archive against the folder."""
    files = write_recordings(folder / "recordings", count, seconds)
    sources = {"folder": folder / "recordings"} | {kind: folder / kind for kind in _KINDS}
    for kind in _KINDS:
        pack(sources[kind], files)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in sources}
    wanted: dict[str, str] = {}
    for _ in range(rounds):
        for name, source in sources.items():
            store = folder / f"{name}.zl"
            results[name].append(harness.child("benchmarks.archives", "--child", str(source), str(store)))
            found = digest(store)
            wanted = wanted or found
            if found != wanted or len(found) != count:
                raise ValueError(f"{name} gives other documents than the folder")
            shutil.rmtree(store)
    times = {name: [result["seconds"] for result in found] for name, found in results.items()}
    for name, source in sources.items():
        middle = statistics.median(times[name])
        table.add(f"{name}: documents per second", f"{count / middle:.0f}", value=count / middle)
        peak = max(result["peak_anonymous_mb"] for result in results[name])
        if source.is_dir():
            table.add(f"{name}: peak anonymous MB", f"{peak:.0f}", value=peak)
        else:
            table.at_most(f"{name}: peak anonymous MB", peak, _LARGEST_MB)
            ratio = harness.median_ratio(times["folder"], times[name])
            table.add(f"{name}: speed, folder = 1", f"{ratio:.3g}", value=ratio)


def add_listing(table: harness.Table, folder: Path, count: int) -> None:
    """Measure how long a large zip takes to be listed, and its members to be opened, once and per member."""
    from zounds_lite.featureflow.archives import ArchiveMember, list_members

    path = folder / "many.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(count):
            packed.writestr(f"recordings/{number}.wav", b"x")
    began = time.perf_counter()
    found = sum(1 for _ in list_members(path))
    listed = time.perf_counter() - began
    if found != count:
        raise ValueError(f"{found} of {count} members are listed")
    began = time.perf_counter()
    for number in range(1000):
        ArchiveMember(path, f"recordings/{number}.wav").open().read()
    opened = time.perf_counter() - began
    table.add(f"a zip of {count:,} members: listed", f"{listed:.2f} s", value=listed, unit="s")
    table.add(
        f"a zip of {count:,} members: one found and opened", f"{opened * 1e3:.0f} us", value=opened * 1e3, unit="us"
    )


def main() -> int:
    """Run the benchmark, or one ingest in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 recordings, one round; targets are only shown")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(ingest(*arguments.child)))
        return 0
    count, rounds, seconds = (60, 1, 0.5) if arguments.quick else (arguments.count, arguments.rounds, 2.0)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-archives-") as folder:
        add_ingest(table, Path(folder), count, seconds, rounds)
        add_listing(table, Path(folder), 2000 if arguments.quick else _LISTED)
    title = f"archives: {count} recordings of {seconds:g} s at {_RATE / 1000:g} kHz, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
