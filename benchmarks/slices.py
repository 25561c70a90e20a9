"""Slices of a stored feature, by seconds and hertz: time against other formats, pages touched, and cold slices.

The feature is the STFT of an hour of audio, stored by the library; the same rows go into a ``.npy`` file, an HDF5
dataset without chunks and a zarr array in chunks of 256 rows, not compressed. A slice is what the public API hands
out: here an array that is a view of the map, with units; from h5py and zarr, which have no views, a copy. Rows in which
ours is copied as well are shown, too. Index objects are built outside the loop; a further row includes building them.

Cold slices begin with the pages of the feature's file dropped from memory, and end with a copy of the numbers.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.recordings import write_recording


def _document(folder: str) -> Any:
    import zounds_lite as zounds

    base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)
    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(base)


def _index(start: float) -> tuple[Any, Any]:
    import zounds_lite as zounds

    return zounds.TimeSlice(start=zounds.Seconds(start), duration=zounds.Seconds(1)), zounds.FrequencyBand(200, 800)


def touched(folder: str, seconds: int) -> dict[str, Any]:
    """In this process: slice once and count the resident pages of the blob's mapping."""
    document = _document(folder)("recording")
    part = np.array(document.fft[_index(seconds // 2)])
    resident = mapped = 0
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and not line.split()[0].endswith(":"):
            inside = line.endswith(".blob")
        elif inside and line.startswith("Rss:"):
            resident += int(line.split()[1]) * 1024
        elif inside and line.startswith("Size:"):
            mapped += int(line.split()[1]) * 1024
    return {"resident": resident, "mapped": mapped, "bytes": part.nbytes, "shape": part.shape}


def cold_ms(store: str, seconds: int, rounds: int) -> list[float]:
    """Time slices at random places, each with the file's pages dropped before: milliseconds.

    The map of the last one is let go of first, since pages that are mapped are not dropped.
    """
    rng = np.random.default_rng(0)
    blobs = sorted(Path(store).rglob("*.blob"))
    cls, times = _document(store), []
    for _ in range(rounds):
        index = _index(float(rng.uniform(0, seconds - 2)))
        document = cls("recording")
        feature = document.fft
        _drop(blobs)
        began = time.perf_counter()
        np.array(feature[index])
        times.append(1e3 * (time.perf_counter() - began))
        del feature, document
    return times


def _drop(files: list[Path]) -> None:
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def _warm(table: harness.Table, folder: Path, store: str, seconds: int, rounds: int) -> None:
    import h5py
    import zarr

    fft, index = _document(store)("recording").fft, _index(seconds // 2)
    part = fft[index]
    first, second = (dimension.integer_based_slice(item) for dimension, item in zip(fft.dimensions, index, strict=True))
    np.save(folder / "fft.npy", np.asarray(fft))
    raw = np.load(folder / "fft.npy", mmap_mode="r")
    chunked: Any = zarr.create_array(
        folder / "fft.zarr", shape=fft.shape, chunks=(256, fft.shape[1]), dtype=fft.dtype, compressors=None
    )
    chunked[:] = np.asarray(fft)
    with h5py.File(folder / "fft.h5", "w") as file:
        file["fft"] = np.asarray(fft)
    with h5py.File(folder / "fft.h5", "r") as file:
        dataset: Any = file["fft"]
        for peer in (raw, dataset, chunked):
            assert np.array_equal(part, peer[first, second])
        candidates = {
            "units": lambda: fft[index],
            "units, copied": lambda: np.array(fft[index]),
            "units, index built too": lambda: fft[_index(seconds // 2)],
            "raw memory map": lambda: raw[first, second],
            "raw memory map, copied": lambda: np.array(raw[first, second]),
            "h5py": lambda: dataset[first, second],
            "units, all bins": lambda: fft[index[0]],
            "h5py, all bins": lambda: dataset[first],
            "zarr": lambda: chunked[first, second],
        }
        times = harness.interleave(candidates, rounds, repeat=50)
    for name, found in times.items():
        middle = 1e6 * statistics.median(found)
        table.add(f"{name}: us a slice", f"{middle:.2f}", value=middle, unit="us")
    table.at_most(
        "against a raw memory map, both views", harness.median_ratio(times["units"], times["raw memory map"]), 5
    )
    table.at_least("h5py, which copies, against ours", harness.median_ratio(times["h5py"], times["units"]), 10)
    table.at_least("zarr, which copies, against ours", harness.median_ratio(times["zarr"], times["units"]), 50)
    all_bins = harness.median_ratio(times["h5py, all bins"], times["units, all bins"])
    table.add("h5py against ours, a second of all bins", f"{all_bins:.3g}", value=all_bins)
    copied = {
        "against a raw memory map, both copied": ("units, copied", "raw memory map, copied"),
        "h5py against ours, both copied": ("h5py", "units, copied"),
    }
    for what, (of, to) in copied.items():
        ratio = harness.median_ratio(times[of], times[to])
        table.add(what, f"{ratio:.3g}", value=ratio)


def main() -> int:
    """Run the benchmark; 1 if it misses a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 seconds of audio, few repeats; targets are only shown")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=51, help="many short ones: a slice takes microseconds")
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--touched", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.touched:
        print(json.dumps(touched(arguments.touched[0], int(arguments.touched[1]))))
        return 0
    seconds = 20 if arguments.quick else 60 * arguments.minutes
    rounds = 5 if arguments.quick else arguments.rounds
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-slices-") as folder:
        write_recording(Path(folder) / "recording.wav", seconds)
        store = str(Path(folder) / "store")
        _document(store).process(meta=str(Path(folder) / "recording.wav"), _id="recording")
        _warm(table, Path(folder), store, seconds, rounds)
        pages = harness.child("benchmarks.slices", "--touched", store, str(seconds))
        cold = cold_ms(store, seconds, rounds)
    table.at_most("cold, copied", statistics.median(cold), 0.5, "ms", f" ({len(cold)} slices)")
    mapped = f" of {pages['mapped'] / 1e6:.0f} mapped"
    table.at_most("touched in a new process", pages["resident"] / 1e6, 1, "MB", mapped)
    shape = "x".join(map(str, pages["shape"]))
    title = f"slices: 1 s by 600 Hz ({shape}, {pages['bytes']} bytes) of the STFT of {seconds} s, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
