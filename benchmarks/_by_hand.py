"""The same features from the parts alone: soundfile, soxr, scipy.fft and our filter banks, in the shortest loop.

No graph, no units, no lineage, no store: what is computed is written to plain files and synced. So these are the floors
of the benchmarks, and show how far from the machine's limit the product is.
"""

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["constant_q", "decoded", "load_modules", "log_mel"]

_BLOCK, _FRAMES = 65536, 64


def load_modules() -> None:
    """Load what the library loads when it first needs it."""
    import scipy.fft  # noqa: F401
    import soundfile  # noqa: F401
    import soxr  # noqa: F401

    import zounds_lite.dsp  # noqa: F401


def decoded(source: str, rate: int, size: int = _BLOCK) -> Iterator[np.ndarray]:
    """Yield mono samples at a rate, a block at a time."""
    import soundfile
    import soxr

    with soundfile.SoundFile(source) as file:
        is_int16 = file.subtype == "PCM_16"
        block = np.empty((size, file.channels), np.int16 if is_int16 else np.float32)
        weights = np.full(file.channels, (1 / 32768 if is_int16 else 1.0) / file.channels, np.float32)
        stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32") if file.samplerate != rate else None
        while len(raw := file.read(out=block)):
            mono = np.dot(raw.astype(np.float32, copy=False), weights)
            yield mono if stream is None else stream.resample_chunk(mono)
        if stream is not None:
            yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _spectra(blocks: Iterator[np.ndarray], window: int, hop: int, count: int) -> Iterator[np.ndarray]:
    """Yield spectra of centred frames, so many of them at a time."""
    import scipy.fft

    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    edge = np.zeros(window // 2, np.float32)
    held, size, enough = [edge], len(edge), (count - 1) * hop + window
    for samples in blocks:
        held.append(samples)
        size += len(samples)
        while size >= enough:
            joined = np.concatenate(held)
            frames = np.lib.stride_tricks.sliding_window_view(joined[:enough], window)[::hop]
            yield scipy.fft.rfft(frames * shape)
            held = [joined[count * hop :]]
            size = len(held[0])
    joined = np.concatenate([*held, edge])
    if len(joined) >= window:
        yield scipy.fft.rfft(np.lib.stride_tricks.sliding_window_view(joined, window)[::hop] * shape)


def _ahead(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield blocks that a second thread makes, up to four of them ahead."""
    made: queue.SimpleQueue[np.ndarray | None] = queue.SimpleQueue()
    room = threading.Semaphore(4)

    def make() -> None:
        for block in blocks:
            room.acquire()
            made.put(block)
        made.put(None)

    threading.Thread(target=make).start()
    while (block := made.get()) is not None:
        room.release()
        yield block


def log_mel(
    source: str,
    folder: str,
    scheme: tuple[int, int, int],
    bands: int,
    magnitudes: bool,
    sizes: tuple[int, int] = (_BLOCK, _FRAMES),
    threads: int = 1,
) -> None:
    """Write the decibels of mel bands, and the magnitudes if they are wanted, to files in a folder.

    Args:
        source (str): a recording.
        folder (str): is made where it is missing.
        scheme (tuple[int, int, int]): rate in Hz, samples of a frame, and from frame to frame.
        bands (int): mel bands.
        magnitudes (bool): write them too.
        sizes (tuple[int, int]): frames of the recording, and of the transform, in a block.
        threads (int): with 2, one of them decodes and resamples ahead.
    """
    from zounds_lite.dsp import FilterBank, slaney_mel_matrix

    rate, window, hop = scheme
    bank = FilterBank(slaney_mel_matrix(rate, window, bands))
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / "log_mel", "wb", 0) as mel_file, open(Path(folder) / "magnitude", "wb", 0) as wide_file:
        samples = decoded(source, rate, sizes[0])
        for spectra in _spectra(samples if threads == 1 else _ahead(samples), window, hop, sizes[1]):
            magnitude = np.abs(spectra)
            if magnitudes:
                wide_file.write(magnitude)
            mel_file.write(10 * np.log10(np.maximum(bank.apply(magnitude, 2.0), 1e-10)))
        for file in (mel_file, wide_file):
            os.fsync(file.fileno())


def constant_q(source: str, file: Path, rate: int, frame: int, bands: dict[str, Any]) -> None:
    """Write frames of a recording, side by side and half a frame later, and the magnitudes of both, to a file."""
    from zounds_lite.dsp import ConstantQ

    samples = np.concatenate(list(decoded(source, rate)))
    transform = ConstantQ(rate, hop=frame, **bands)
    with open(file, "wb", 0) as out:
        for part in (samples, samples[frame // 2 :]):
            out.write(part[: len(part) // frame * frame])
            out.write(np.abs(transform.transform(part)))
        os.fsync(out.fileno())
