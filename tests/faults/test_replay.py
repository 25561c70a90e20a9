"""What a disk may keep of a write log: the model of the row on power cuts, and that the log is complete."""

import ctypes
import os
import random
import subprocess
import sys

import pytest

from benchmarks.faults._compiled import preloaded, write_log
from benchmarks.faults._replay import SECTOR, Disk, Entry, UnknownWrite, entries

ROOT = "/disk"
NEW = os.O_CREAT | os.O_RDWR


def entry(op, fd=-1, a=0, b=0, first="", second="", data=b""):
    return Entry(op, fd, a, b, first, second, data)


def opened(fd, path, flags=os.O_RDONLY):
    return entry("O", fd, flags, first=f"{ROOT}/{path}")


def written(fd, data, at=0):
    return entry("W", fd, at, len(data), data=data)


SYNC_TOP = [opened(9, ""), entry("S", 9), entry("C", 9)]


def outcomes(log, tmp_path, tries=60):
    """The different states that a cut after the log may leave: content by path."""
    disk, found = Disk(ROOT), []
    for one in log:
        disk.apply(one)
    for seed in range(tries):
        target = tmp_path / f"cut{seed}"
        tmp_path.mkdir(exist_ok=True)
        disk.cut(target, random.Random(seed))
        left = {str(p.relative_to(target)): p.read_bytes() if p.is_file() else None for p in target.rglob("*")}
        if left not in found:
            found.append(left)
    return found


def test_a_file_needs_its_own_sync_and_that_of_its_folder(tmp_path):
    made = [opened(3, "a", NEW), written(3, b"x" * 10)]
    assert {} in outcomes(made, tmp_path / "1")
    assert {} in outcomes([*made, entry("S", 3)], tmp_path / "2")
    named = outcomes([*made, *SYNC_TOP], tmp_path / "3")
    assert {"a": b""} in named and {"a": b"x" * 10} in named and {} not in named
    assert outcomes([*made, entry("D", 3), *SYNC_TOP], tmp_path / "4") == [{"a": b"x" * 10}]


def test_a_write_is_torn_at_sectors_and_its_size_may_come_alone(tmp_path):
    made = [opened(3, "a", NEW), *SYNC_TOP, written(3, b"x" * 3 * SECTOR)]
    found = outcomes(made, tmp_path, 300)
    assert {"a": bytes(3 * SECTOR)} in found and {"a": b"x" * 3 * SECTOR} in found and {"a": b""} in found
    mixed = b"x" * SECTOR + bytes(SECTOR) + b"x" * SECTOR
    assert {"a": mixed} in found
    assert all(
        set(left["a"][i : i + SECTOR]) in ({0}, {120}) for left in found for i in range(0, len(left["a"]), SECTOR)
    )


def test_a_write_with_dsync_is_durable_alone(tmp_path):
    made = [opened(3, "a", NEW), opened(4, "a", os.O_WRONLY | os.O_DSYNC), *SYNC_TOP]
    found = outcomes([*made, written(3, b"x" * 2 * SECTOR), written(4, b"y" * 10)], tmp_path)
    assert all(left["a"][:10] == b"y" * 10 for left in found)
    assert {left["a"][SECTOR:] for left in found} >= {b"", b"x" * SECTOR}


def test_names_in_one_folder_are_kept_in_order_and_across_folders_in_none(tmp_path):
    made = [entry("M", first=f"{ROOT}/d"), opened(3, "a", NEW), entry("S", 3), *SYNC_TOP]
    moved = entry("R", first=f"{ROOT}/a", second=f"{ROOT}/d/b")
    found = outcomes([*made, moved], tmp_path / "1")
    assert sorted(map(sorted, found)) == [["a", "d"], ["a", "d", "d/b"], ["d"], ["d", "d/b"]]
    first = [opened(3, "a", NEW), opened(4, "b", NEW), entry("R", first=f"{ROOT}/a", second=f"{ROOT}/b")]
    assert sorted(map(sorted, outcomes(first, tmp_path / "2"))) == [[], ["a"], ["a", "b"], ["b"]]


def test_a_removal_may_be_undone_until_the_folder_is_synced(tmp_path):
    made = [opened(3, "a", NEW), written(3, b"x"), entry("S", 3), *SYNC_TOP, entry("N", first=f"{ROOT}/a")]
    assert sorted(map(sorted, outcomes(made, tmp_path / "1"))) == [[], ["a"]]
    assert outcomes([*made, *SYNC_TOP], tmp_path / "2") == [{}]


def test_what_is_truncated_may_come_back(tmp_path):
    made = [opened(3, "a", NEW), written(3, b"x" * 2 * SECTOR), entry("S", 3), *SYNC_TOP]
    found = outcomes([*made, entry("T", 3, SECTOR)], tmp_path / "1")
    assert {"a": b"x" * SECTOR} in found and {"a": b"x" * 2 * SECTOR} in found


@pytest.mark.parametrize(
    "bad",
    [entry("X", first="sendfile"), opened(3, "nobody/made"), opened(3, "unknown"), entry("P", 4, first=f"{ROOT}/a")],
)
def test_what_the_model_does_not_know_is_refused(bad):
    disk = Disk(ROOT)
    disk.apply(opened(4, "a", NEW))
    with pytest.raises(UnknownWrite):
        disk.apply(bad)


SCRIPT = """
import mmap, os, sys
from pathlib import Path
root = Path(sys.argv[1])
(root / "d" / "e").mkdir(parents=True)
with open(root / "d" / "a", "wb") as file:
    file.write(b"a" * 5000)
    file.flush()
    os.fsync(file.fileno())
with open(root / "d" / "a", "r+b", buffering=0) as file:
    file.seek(100)
    file.write(b"b" * 100)
    os.pwrite(file.fileno(), b"c" * 10, 4995)
    os.pwritev(file.fileno(), [b"d" * 3, b"e" * 3], 20)
    os.writev(file.fileno(), [b"f", b"g"])
    again = os.dup(file.fileno())
    os.write(again, b"h")
    os.close(again)
    os.ftruncate(file.fileno(), 4000)
    os.posix_fallocate(file.fileno(), 0, 4500)
with open(root / "d" / "a", "ab", buffering=0) as file:
    file.write(b"appended")
os.link(root / "d" / "a", root / "d" / "e" / "b")
os.replace(root / "d" / "a", root / "c")
os.chdir(root)
here = os.open("d", os.O_RDONLY)
os.mkdir("x", dir_fd=here)
os.rmdir("x", dir_fd=here)
with open("relative", "wb") as file:
    file.write(b"r")
os.rename("relative", "e/moved", dst_dir_fd=here)
os.fsync(here)
Path("gone").touch()
Path("gone").unlink()
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The write log; a compiler is part of what the faults need."""
    found = write_log(tmp_path_factory.mktemp("library"))
    assert found is not None, "install a C compiler (cc, gcc or clang)"
    return found


def test_the_log_leads_to_what_is_on_the_disk(library, tmp_path):
    root, log = (tmp_path / "root").resolve(), tmp_path / "log"
    root.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(root)]
    subprocess.run(command, env=preloaded(library, root, log), check=True)
    disk = Disk(str(root))
    for one in entries(log):
        disk.apply(one)
    assert disk.differences(root) == []
    assert {path.name for path in root.rglob("*")} == {"d", "e", "b", "c", "moved"}
    (root / "c").write_bytes(b"otherwise")
    assert disk.differences(root) == ["c", "d/e/b"]


def test_calls_can_be_made_to_fail(library, tmp_path):
    code = """
import ctypes, errno, os, sys
fail = ctypes.CDLL(None).writelog_fail
fail(ord("W"), b"data", ctypes.c_int64(10), ctypes.c_long(1), errno.ENOSPC)
file = os.open(sys.argv[1] + "/data", os.O_CREAT | os.O_RDWR)
os.pwrite(file, b"x", 0), os.pwrite(file, b"x", 50)
for _ in range(2):
    try:
        os.pwrite(file, b"x", 5)
        sys.exit("it did not fail")
    except OSError as error:
        assert error.errno == errno.ENOSPC
fail(ord("W"), b"", ctypes.c_int64(0), ctypes.c_long(0), 0)
os.pwrite(file, b"x", 5)
"""
    root = tmp_path.resolve()
    subprocess.run([sys.executable, "-c", code, str(root)], env=preloaded(library, root), check=True)
    assert not hasattr(ctypes.CDLL(None), "writelog_fail"), "only processes that ask for it are watched"
