"""Archives for tests: honest ones of every kind, and ones that are made to do harm."""

import io
import struct
import tarfile
import zipfile
import zlib

MEMBERS = {
    "a.bin": b"first" * 50,
    "folder/ünïcode name!.bin": bytes(range(256)) * 300,
    "folder/with #!/ and 100%.bin": b"third",
    "empty.bin": b"",
    "last.bin": b"z" * 100_000,
}
"""What the honest ones hold, in this order."""

KINDS = ["stored.zip", "deflated.zip", "bzip2.zip", "plain.tar", "packed.tar.gz", "packed.tar.bz2", "packed.tar.xz"]
_METHODS = {"stored": 0, "deflated": 8, "bzip2": 12}


def write_zip(path, members=None, method=zipfile.ZIP_STORED):
    """Write a zip; values are bytes."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (MEMBERS if members is None else members).items():
            archive.writestr(name, data)
    return path


def write_tar(path, members=None, mode=None, **options):
    """Write a tar, compressed as its ending says; values are bytes, or a whole ``TarInfo``."""
    endings = {".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
    with tarfile.open(path, mode or endings.get(path.suffix, "w"), **options) as archive:
        for name, data in (MEMBERS if members is None else members).items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_archive(path, members=None):
    """Write an archive of the kind that its name says; returns its path."""
    if path.suffix == ".zip":
        return write_zip(path, members, _METHODS.get(path.stem, 8))
    return write_tar(path, members)


def link(name, kind=tarfile.SYMTYPE, target="/etc/passwd"):
    """Return a link or a device, as a tar holds it."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


class RawZip:
    """Writes a zip byte by byte, so that it can say what is not so."""

    def __init__(self):
        self.out = bytearray()
        self.directory = bytearray()
        self.count = 0

    def add(self, name, data=b"", size=None, flags=0x800, method=0, crc=None, offset=None, attributes=0, local=None):
        """Add a member; what is given stands there instead of what is true."""
        at = len(self.out) if offset is None else offset
        size = len(data) if size is None else size
        crc = zlib.crc32(data) if crc is None else crc
        raw, raw_local = name.encode(), (local or name).encode()
        common = struct.pack("<5H3I2H", 20, flags, method, 0, 33, crc, len(data), size, len(raw_local), 0)
        if offset is None:
            self.out += b"PK\3\4" + common + raw_local + data
        head = struct.pack("<6H3I5H2I", 3 << 8 | 20, 20, flags, method, 0, 33, crc, len(data), size, len(raw), 0, 0,
                           0, 0, attributes, at)  # fmt: skip
        self.directory += b"PK\1\2" + head + raw
        self.count += 1
        return self

    def data(self, count=None, comment=b""):
        """Return the archive."""
        count = self.count & 0xFFFF if count is None else count
        end = struct.pack("<4H2IH", 0, 0, count, count, len(self.directory), len(self.out), len(comment))
        return bytes(self.out + self.directory) + b"PK\5\6" + end + comment

    def large_data(self):
        """Return the archive with the end record of large ones (Zip64), in which alone the numbers are."""
        at, size = len(self.out), len(self.directory)
        end = struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, self.count, self.count, size, at)
        locator = struct.pack("<IQI", 0, at + size, 1)
        old = struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        return bytes(self.out + self.directory) + b"PK\6\6" + end + b"PK\6\7" + locator + b"PK\5\6" + old


def deflated(data):
    """Compress without a header, as a member is."""
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    return codec.compress(data) + codec.flush()


def quine(copies=200):
    """Return a bomb: members of one large stretch of bytes that overlap."""
    bomb = RawZip().add("0.wav", deflated(bytes(1 << 20)), size=1 << 20, method=8, crc=zlib.crc32(bytes(1 << 20)))
    kernel = deflated(bytes(1 << 20))
    for number in range(1, copies):
        bomb.add(f"{number}.wav", kernel, size=1 << 20, method=8, offset=0)
    return bomb.data()
