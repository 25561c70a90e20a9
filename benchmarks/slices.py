"""Slices of a stored feature, by seconds and hertz: time against a raw memory map and h5py, and pages touched.

The feature is the STFT of an hour of audio, stored by the library; the same rows go into a ``.npy`` file and an HDF5
dataset. Index objects are built outside the loop; a further row includes building them.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.ingest import write_recording


def _document(folder: str) -> Any:
    import zounds_lite as zounds

    base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)
    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(base)


def _index(seconds: int) -> tuple[Any, Any]:
    import zounds_lite as zounds

    return zounds.TimeSlice(start=zounds.Seconds(seconds // 2), duration=zounds.Seconds(1)), zounds.FrequencyBand(
        200, 800
    )


def touched(folder: str, seconds: int) -> dict[str, Any]:
    """In this process: slice once and count the resident pages of the blob's mapping."""
    document = _document(folder)("recording")
    part = np.array(document.fft[_index(seconds)])
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


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 seconds of audio, few repeats")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--touched", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.touched:
        print(json.dumps(touched(arguments.touched[0], int(arguments.touched[1]))))
        return 0
    seconds = 20 if arguments.quick else 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as folder:
        write_recording(Path(folder) / "recording.wav", seconds)
        store = str(Path(folder) / "store")
        _document(store).process(meta=str(Path(folder) / "recording.wav"), _id="recording")
        rows = _rows(folder, store, seconds, 2 if arguments.quick else arguments.rounds)
        pages = harness.child("benchmarks.slices", "--touched", store, str(seconds))
    rows.append(("MB of the mapping touched in a new process", f"{pages['resident'] / 1e6:.3f}", "< 1"))
    rows.append(("MB mapped", f"{pages['mapped'] / 1e6:.0f}", f"slice {tuple(pages['shape'])}, {pages['bytes']} bytes"))
    harness.report(f"slices: 1 s by 600 Hz of the STFT of {seconds} s", rows, harness.machine(), arguments.out)
    return 0 if pages["resident"] < 1e6 else 1


def _rows(folder: str, store: str, seconds: int, rounds: int) -> list[tuple[str, str, str]]:
    import h5py

    document = _document(store)("recording")
    fft, index = document.fft, _index(seconds)
    part = fft[index]
    first, second = (dimension.integer_based_slice(item) for dimension, item in zip(fft.dimensions, index, strict=True))
    np.save(Path(folder) / "fft.npy", np.asarray(fft))
    raw = np.load(Path(folder) / "fft.npy", mmap_mode="r")
    with h5py.File(Path(folder) / "fft.h5", "w") as file:
        file["fft"] = np.asarray(fft)
    with h5py.File(Path(folder) / "fft.h5", "r") as file:
        dataset = file["fft"]
        assert np.array_equal(part, raw[first, second]) and np.array_equal(part, dataset[first, second])
        candidates = {
            "units": lambda: fft[index],
            "units, copied": lambda: np.array(fft[index]),
            "units, index built too": lambda: fft[_index(seconds)],
            "raw": lambda: raw[first, second],
            "h5py": lambda: dataset[first, second],
        }
        times = harness.interleave(candidates, rounds, repeat=20 if rounds <= 2 else 500)
    rows = [(f"{name}: us a slice", f"{1e6 * statistics.median(found):.2f}", "") for name, found in times.items()]
    rows.append(("times a raw memory-map slice", f"{harness.median_ratio(times['units'], times['raw']):.2f}", "<= 5"))
    rows.append(("h5py is slower by", f"{harness.median_ratio(times['h5py'], times['units, copied']):.1f}", ">= 10"))
    return rows


if __name__ == "__main__":
    sys.exit(main())
