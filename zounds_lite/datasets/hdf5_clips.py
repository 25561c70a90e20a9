"""Clips that are kept as arrays in an HDF5 file.

Goal: such a corpus becomes documents without a copy on disk and without reading all of it. Conventions: a dataset holds
the clips of one label, as columns (samples, clips), or is a list of arrays of any lengths; the sample rate is the
attribute ``sr``, hertz, of the dataset or of the file. Class: ``HDF5Clip``; function ``clips_of``.
"""

import io
import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._lazy import optional
from zounds_lite.datasets.directory import absolute
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.errors import DatasetError, EmptyDataset, InvalidItem
from zounds_lite.soundfile import AudioMetaData

__all__ = ["HDF5Clip", "clips_of"]

_KINDS = ("i2", "i4", "f2", "f4", "f8")
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_LARGEST = 2**32 - 64


class HDF5Clip(Declared):
    """One clip of an HDF5 file, as a binary file: the bytes of a WAV file that is made when it is first read.

    The samples are those of the file, in their own precision. It is a source in memory for whatever reads it, so that a
    document keeps it unless ``keep_source=False``. It can be sent to other processes, each of which reads for itself.

    Args:
        path (str): the HDF5 file.
        dataset (str): the dataset in it.
        index (int): the clip, from 0.
        samplerate (int): hertz.
        axis (int): along which the clips are counted: 1 for (samples, clips), 0 for (clips, samples) or a list.
        samples (int | None): how many it must have; None: any number.

    Raises:
        InvalidItem: on reading, when there is no such clip (any more), or no sound in it.
    """

    path: str
    dataset: str
    index: int
    samplerate: int
    axis: int
    samples: int | None

    def __init__(
        self, path: str, dataset: str, index: int, samplerate: int, axis: int = 1, samples: int | None = None
    ) -> None:
        super().__init__(path=path, dataset=dataset, index=index, samplerate=samplerate, axis=axis, samples=samples)

    @property
    def filename(self) -> str:
        """What tells the clip apart: the file, the dataset and the number."""
        return f"{self.path}#{self.dataset}/{self.index}"

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        return self._opened().read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        return self._opened().seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._opened().tell()

    def seekable(self) -> bool:
        """True: any position can be moved to."""
        return True

    def close(self) -> None:
        """Forget the bytes; they are made again when read."""
        self.__dict__.pop("_file", None)

    def _opened(self) -> io.BytesIO:
        if "_file" not in self.__dict__:
            self.__dict__["_file"] = io.BytesIO(_wav(self._samples(), self.samplerate))
        found: io.BytesIO = self.__dict__["_file"]
        return found

    def _samples(self) -> np.ndarray:
        with _opened(self.path) as file:
            try:
                stored = file[self.dataset]
                samples = stored[:, self.index] if self.axis == 1 and stored.ndim == 2 else stored[self.index]
            except (KeyError, IndexError, ValueError, OSError) as error:
                raise InvalidItem(f"{self.filename!r} cannot be read: {error}") from error
        samples = np.asarray(samples)
        if samples.ndim != 1 or f"{samples.dtype.kind}{samples.dtype.itemsize}" not in _KINDS:
            raise InvalidItem(
                f"{self.filename!r} is {samples.dtype} of shape {samples.shape}; allowed: one row of floats, int16 or "
                "int32"
            )
        if not len(samples) or (self.samples is not None and len(samples) != self.samples):
            wanted = "at least one is needed" if self.samples is None else f"Nsamples says {self.samples}"
            raise InvalidItem(f"{self.filename!r} has {len(samples)} samples; {wanted}")
        return samples

    def __reduce__(self) -> Any:
        return type(self), tuple(self.parameters.values())

    def __copy__(self) -> "HDF5Clip":
        return self.replace()


def _wav(samples: np.ndarray, samplerate: int) -> bytes:
    """Return samples as a WAV file, the same bytes every time: libsndfile would write the time of day into it."""
    is_float = samples.dtype.kind == "f"
    data = samples.astype("<f4" if samples.dtype.itemsize == 2 and is_float else samples.dtype.newbyteorder("<"))
    width, size = data.dtype.itemsize, data.nbytes
    if size > _LARGEST:
        raise InvalidItem(f"the clip has {size:,} bytes; a WAV file holds 4 GiB")
    code, per_second = (3 if is_float else 1), samplerate * width
    form = (16, code, 1, samplerate, per_second, width, 8 * width)
    head = _WAV_HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", *form, b"data", size)
    return head + data.tobytes()


class _Clips(NamedTuple):
    """One dataset: how many clips it has, and how they lie in it; or what is wrong with it."""

    dataset: str
    clips: int = 0
    samplerate: int = 0
    axis: int = 1
    samples: int | None = None
    fault: str = ""


def clips_of(path: str, attributes: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the clips of an HDF5 file as items, by dataset and number; the file is open only while it is listed.

    Args:
        path (str): the file.
        attributes (Mapping): put on each item.

    Raises:
        DatasetError: it is no HDF5 file.
        EmptyDataset: it has no datasets, or these no clips.
        OptionalDependencyError: h5py is missing.
    """
    place = absolute(path)
    with _opened(path) as file:
        found = list(_listed(file))
    if not any(clips.clips or clips.fault for clips in found):
        raise EmptyDataset(f"{path!r} holds no clips; expected is a dataset for each genre, of shape (samples, clips)")
    for clips in found:
        label = clips.dataset.rpartition("/")[2]
        if clips.fault:
            yield FailedItem(f"{place}#{clips.dataset}", InvalidItem(clips.fault))
        for index in range(clips.clips):
            clip = HDF5Clip(place, clips.dataset, index, clips.samplerate, clips.axis, clips.samples)
            yield AudioMetaData(uri=clip, **{**attributes, "label": label, "track": index})


def _opened(path: str) -> Any:
    h5py = optional("h5py")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path!r} is no file; pass an HDF5 file with a dataset for each genre")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DatasetError(f"{path!r} cannot be opened as an HDF5 file: {error}") from error


def _listed(file: Any) -> Iterator[_Clips]:
    datasets: list[tuple[str, Any]] = []
    file.visititems(lambda name, value: datasets.append((name, value)) if hasattr(value, "dtype") else None)
    for name, dataset in sorted(datasets, key=lambda pair: pair[0]):
        try:
            yield _laid_out(name, dataset, file)
        except InvalidItem as error:
            yield _Clips(name, fault=str(error))


def _laid_out(name: str, dataset: Any, file: Any) -> _Clips:
    rate = _stated("sr", dataset, file)
    if rate is None:
        raise InvalidItem("neither it nor its file has the attribute 'sr', the sample rate in hertz; add it")
    samples, count = _stated("Nsamples", dataset, file), _stated("Nclips", dataset, file)
    is_list = dataset.ndim == 1 and dataset.dtype.kind == "O"
    if not is_list and (dataset.ndim != 2 or f"{dataset.dtype.kind}{dataset.dtype.itemsize}" not in _KINDS):
        raise InvalidItem(
            f"it is {dataset.dtype} of shape {dataset.shape}; expected are floats, int16 or int32 of shape (samples, "
            "clips)"
        )
    shape = dataset.shape
    if is_list:
        if count is not None and shape[0] != count:
            raise InvalidItem(f"it has {shape[0]} clips; Nclips says {count}")
        return _Clips(name, shape[0], rate, 0, samples)
    for axis in (1, 0):
        if samples in (None, shape[1 - axis]) and count in (None, shape[axis]):
            return _Clips(name, shape[axis], rate, axis, samples)
    raise InvalidItem(f"it has the shape {shape}; Nsamples says {samples}, and Nclips {count}")


def _stated(attribute: str, dataset: Any, file: Any) -> int | None:
    """Return a whole number that a dataset or its file states."""
    found = dataset.attrs.get(attribute, file.attrs.get(attribute))
    if found is None:
        return None
    value = np.asarray(found).reshape(-1)
    if len(value) != 1 or value.dtype.kind not in "iuf" or value[0] < 1 or value[0] != int(value[0]):
        raise InvalidItem(f"its attribute {attribute!r} is {found!r}; needs a whole number, 1 or more")
    return int(value[0])
