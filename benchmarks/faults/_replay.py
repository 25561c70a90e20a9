"""Replays a write log up to a power cut, and then as a disk might have kept it.

The model is POSIX at its strictest:

- What a file holds is durable up to its last fsync, fdatasync or write with O_DSYNC or O_SYNC; of every later write,
  each sector of 512 bytes is kept or lost on its own, and so is the size.
- Names (create, rename, unlink, mkdir) are durable only once their folder is synced; syncing the file does nothing for
  its name. Within one folder the names that a cut keeps are a prefix of what was done; across folders, and against the
  content of files, there is no order, so a file may come back under both of its names or none.
- What is written through a shared map (LMDB's table of readers) comes back as noise.

Classes: ``Entry``, ``Disk``; function ``entries``.
"""

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_HEAD = struct.Struct("<IiiIIIqqQ")
_DURABLE = os.O_DSYNC | os.O_SYNC


class UnknownWrite(Exception):
    """The log holds something that the model does not know, so it proves nothing."""


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    op: str
    fd: int
    a: int
    b: int
    first: str
    second: str
    data: bytes


def entries(log: Path) -> Iterator[Entry]:
    """Read a log; all of it must come from one process."""
    raw, at, pids = log.read_bytes(), 0, set()
    while at < len(raw):
        op, pid, fd, first, second, _, a, b, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        names = os.fsdecode(raw[at : at + first]), os.fsdecode(raw[at + first : at + first + second])
        at += first + second
        pids.add(pid)
        yield Entry(chr(op), fd, a, b, *names, raw[at : at + size])
        at += size
    if len(pids) > 1:
        raise UnknownWrite(f"{len(pids)} processes wrote into one log")


@dataclass
class File:
    """A file: what is durable, what a reader sees now, and what lies between."""

    durable: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    is_noise: bool = False

    def write(self, offset: int, data: bytes, durable: bool) -> None:
        end = offset + len(data)
        if len(self.now) < end:
            self.resize(end)
        self.now[offset:end] = data
        first, last = offset // SECTOR, -(-end // SECTOR)
        if durable:
            self._sync_sectors(first, last)
        else:
            self.pending.append((first, bytes(self.now[first * SECTOR : last * SECTOR])))

    def resize(self, size: int) -> None:
        before = len(self.now)
        if size < before:
            del self.now[size:]
            first = size // SECTOR
            cut = bytes(self.now[first * SECTOR :]).ljust(-(-(before - first * SECTOR) // SECTOR) * SECTOR, b"\0")
            self.pending.append((first, cut))
        else:
            self.now.extend(bytes(size - before))
        self.sizes.append(size)

    def _sync_sectors(self, first: int, last: int) -> None:
        """Make some sectors durable as they are now, whatever was pending for them."""
        start, stop = first * SECTOR, min(last * SECTOR, len(self.now))
        if len(self.durable) < stop:
            self.durable.extend(bytes(stop - len(self.durable)))
        self.durable[start:stop] = self.now[start:stop]
        left = []
        for at, data in self.pending:
            end = at + -(-len(data) // SECTOR)
            if at < first:
                left.append((at, data[: (min(first, end) - at) * SECTOR]))
            if end > last:
                left.append((max(at, last), data[max(0, last - at) * SECTOR :]))
        self.pending = [part for part in left if part[1]]

    def sync(self) -> None:
        self.durable = bytearray(self.now)
        self.pending, self.sizes = [], []

    def after_cut(self, rng: random.Random) -> bytes:
        """What the disk holds after a cut; another one each time."""
        if self.is_noise:
            return rng.randbytes(len(self.now))
        mode = rng.choice(("none", "all", "some", "torn"))
        if mode == "none" or not (self.pending or self.sizes):
            return bytes(self.durable)
        if mode == "all":
            return bytes(self.now)
        image = bytearray(self.durable)
        for first, data in self.pending:
            for start, part in _kept(data, mode, rng):
                at = first * SECTOR + start
                image.extend(bytes(max(0, at + len(part) - len(image))))
                image[at : at + len(part)] = part
        size = rng.choice([len(self.durable), *self.sizes])
        return bytes(image[:size]).ljust(size, b"\0")


def _kept(data: bytes, mode: str, rng: random.Random) -> Iterator[tuple[int, bytes]]:
    """What a cut keeps of one write."""
    fate = rng.choice(("keep", "drop") if mode == "some" else ("keep", "drop", "prefix", "sectors"))
    if fate == "keep":
        yield 0, data
    elif fate == "prefix":
        yield 0, data[: rng.randrange(-(-len(data) // SECTOR)) * SECTOR]
    elif fate == "sectors":
        for start in range(0, len(data), SECTOR):
            if rng.random() < 0.5:
                yield start, data[start : start + SECTOR]


@dataclass
class Folder:
    """A folder: durable names, names as they are now, and the changes between."""

    durable: dict[str, "File | Folder"] = field(default_factory=dict)
    now: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def change(self, names: dict[str, "File | Folder | None"]) -> None:
        self.pending.append(names)
        _apply(self.now, names)

    def sync(self) -> None:
        self.durable, self.pending = dict(self.now), []

    def after_cut(self, rng: random.Random) -> dict[str, "File | Folder"]:
        kept = rng.choice((0, len(self.pending), rng.randint(0, len(self.pending))))
        names = dict(self.durable)
        for change in self.pending[:kept]:
            _apply(names, change)
        return names


def _apply(names: dict[str, File | Folder], change: dict[str, File | Folder | None]) -> None:
    for name, what in change.items():
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what


class Disk:
    """A folder and all below it, driven by a log.

    Args:
        root (str): the folder that was watched; it was there, and empty, when the log began.
        noise (tuple[str, ...]): names of files that may be written through a map.
    """

    def __init__(self, root: str, noise: tuple[str, ...] = ("lock.mdb",)) -> None:
        self.root = root
        self.noise = noise
        self.top = Folder()
        self.open: dict[int, tuple[File | Folder, int]] = {}

    def _find(self, path: str) -> tuple[Folder, str]:
        """Return the folder that a path stands in, and its name there."""
        parts = [part for part in path.removeprefix(self.root).split("/") if part not in ("", ".")]
        folder = self.top
        for part in parts[:-1]:
            inner = folder.now.get(part)
            if not isinstance(inner, Folder):
                raise UnknownWrite(f"{path}: {part} is no folder")
            folder = inner
        return folder, parts[-1] if parts else ""

    def apply(self, entry: Entry) -> None:
        """Do what one entry of the log says."""
        if entry.op in "!":
            return
        if entry.op in "OCU":
            self._open(entry)
        elif entry.op in "RLNKM":
            self._names(entry)
        elif entry.op in "WTASDP":
            self._file(entry)
        else:
            raise UnknownWrite(f"{entry.op} {entry.first}")

    def _open(self, entry: Entry) -> None:
        if entry.op == "C":
            self.open.pop(entry.fd, None)
        elif entry.op == "U":
            self.open[entry.a] = self.open[entry.fd]
        else:
            folder, name = self._find(entry.first)
            found = folder.now.get(name) if name else self.top
            if found is None:
                if not entry.a & os.O_CREAT:
                    raise UnknownWrite(f"{entry.first} was opened and is not in the log")
                found = File()
                folder.change({name: found})
            elif entry.a & os.O_TRUNC and isinstance(found, File):
                found.resize(0)
            self.open[entry.fd] = found, entry.a

    def _names(self, entry: Entry) -> None:
        folder, name = self._find(entry.first)
        if entry.op == "M":
            folder.change({name: Folder()})
        elif entry.op in "NK":
            folder.change({name: None})
        else:
            other, target = self._find(entry.second)
            what = folder.now[name]
            gone: dict[str, File | Folder | None] = {} if entry.op == "L" else {name: None}
            if folder is other:
                folder.change({**gone, target: what})
            else:
                other.change({target: what})
                if gone:
                    folder.change(gone)

    def _file(self, entry: Entry) -> None:
        what, flags = self.open[entry.fd]
        if entry.op in "SD":
            what.sync()
            return
        if not isinstance(what, File):
            raise UnknownWrite(f"{entry.op} on a folder")
        if entry.op == "W":
            what.write(entry.a, entry.data, bool(flags & _DURABLE))
        elif entry.op == "T":
            what.resize(entry.a)
        elif entry.op == "A":
            what.resize(max(len(what.now), entry.a + entry.b))
        elif entry.first.rpartition("/")[2] in self.noise:
            what.is_noise = True
        else:
            raise UnknownWrite(f"{entry.first} is written through a map")

    def cut(self, target: Path, rng: random.Random) -> None:
        """Write what a disk might hold after a power cut at this moment."""
        _write(self.top, target, lambda folder: folder.after_cut(rng), lambda file: file.after_cut(rng))

    def differences(self, folder: Path) -> list[str]:
        """Paths where a folder differs from what the log says it holds; noise is not looked at."""
        wanted = dict(_walk(self.top, ""))
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        bad = wanted.keys() ^ found.keys()
        for name in wanted.keys() & found.keys():
            if not wanted[name].is_noise and found[name].read_bytes() != bytes(wanted[name].now):
                bad |= {name}
        return sorted(bad)


def _walk(folder: Folder, at: str) -> Iterator[tuple[str, File]]:
    for name, what in folder.now.items():
        if isinstance(what, Folder):
            yield from _walk(what, f"{at}{name}/")
        else:
            yield f"{at}{name}", what


def _write(folder: Folder, target: Path, names, content) -> None:  # type: ignore[no-untyped-def]
    target.mkdir(exist_ok=True)
    for name, what in names(folder).items():
        if isinstance(what, Folder):
            _write(what, target / name, names, content)
        else:
            (target / name).write_bytes(content(what))
