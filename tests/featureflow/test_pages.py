"""The reader of LMDB's pages: it finds what LMDB finds, and survives whatever a file may hold."""

import multiprocessing
import os
import random
import resource
import struct
import time
from pathlib import Path

import lmdb
import pytest

from zounds_lite.errors import StoreLocked
from zounds_lite.featureflow import LmdbDatabase
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.pages import PageFile, read_meta
from zounds_lite.featureflow.stores.salvage import inspect
from zounds_lite.featureflow.stores.walk import Fault, FreePages, PageSet, Walk

PAGE = 4096
NAMES = (b"meta", b"records", b"failed")


class Store:
    """An LMDB environment with sub-databases, as LMDB itself sees it."""

    def __init__(self, path, **options):
        self.path = path
        self.env = lmdb.open(str(path), map_size=1 << 28, max_dbs=16, lib_version=0, sync=False, **options)
        self.databases = {name: self.env.open_db(name) for name in NAMES}

    def put(self, rng, keys, sizes, count, longest=1):
        with self.env.begin(write=True) as transaction:
            for _ in range(count):
                database = self.databases[rng.choice(NAMES)]
                key = (b"i%d" % rng.randrange(keys) * rng.randint(1, longest))[:400]
                if rng.random() < 0.4:
                    transaction.delete(key, db=database)
                else:
                    transaction.put(key, rng.randbytes(rng.choice(sizes)), db=database)

    def contents(self):
        with self.env.begin() as transaction:
            return {
                (name, bytes(key)): bytes(value)
                for name, database in self.databases.items()
                for key, value in transaction.cursor(database)
            }


def walk(file):
    """Return the walk over a file, what it found and what is wrong."""
    found, faults = {}, []
    walk = Walk(file)
    for item in walk.items():
        if isinstance(item, Fault):
            faults.append(item)
        else:
            found[item.database, item.key] = file.value(item.value)
    return walk, found, faults


def read(folder):
    with PageFile(folder / "data.mdb") as file:
        return walk(file)


@pytest.mark.parametrize(
    ("keys", "longest", "sizes"),
    [
        (10, 1, (5, 100)),
        (3000, 1, (5, 1500, 3000, 9000)),
        (3000, 60, (5, 100)),
        (100, 60, (0, 10, 4000, 50_000, 200_000)),
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_all_that_lmdb_holds_is_found_and_every_page_is_accounted_for(tmp_path, seed, keys, longest, sizes):
    rng = random.Random(seed)
    store = Store(tmp_path / "store")
    assert read(store.path)[1:] == ({}, [])
    for round in range(24):
        store.put(rng, keys, sizes, rng.choice((1, 30, 300)), longest)
        if round % 8 == 0:
            assert read(store.path)[1:] == (store.contents(), [])
    reader = store.env.begin()  # old pages stay as they are
    store.put(rng, keys, sizes, 30, longest)
    store.put(rng, keys, sizes, 30, longest)
    assert read(store.path)[1:] == (store.contents(), [])
    reader.abort()
    with store.env.begin(write=True) as transaction:
        transaction.drop(store.databases[b"failed"], delete=False)
    found, contents, faults = read(store.path)
    assert (contents, faults) == (store.contents(), [])
    assert len(found.used) + len(found.free) == found.meta.last + 1
    for compact in (False, True):
        copy = tmp_path / f"copy {compact}"
        copy.mkdir()
        store.env.copy(str(copy), compact=compact)
        assert read(copy)[1:] == (contents, [])
    store.env.close()


def filled(path, seed=0, rounds=12):
    store = Store(path)
    rng = random.Random(seed)
    for _ in range(rounds):
        store.put(rng, 400, (5, 100, 1500, 9000), 60, 8)
    contents = store.contents()
    store.env.close()
    return contents


def in_a_child(action, *arguments, seconds=60):
    """Run in a process of its own with little memory; it must end by itself, and not by a signal."""
    child = multiprocessing.get_context("fork").Process(target=limited, args=(action, *arguments))
    child.start()
    child.join(seconds)
    hung = child.is_alive()
    child.kill()
    child.join()
    assert (hung, child.exitcode) == (False, 0)


def limited(action, *arguments):
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, now + 2**28))
    action(*arguments)


def flip(path, seed, whole, base):
    rng = random.Random(seed)
    loud = 0
    for number in range(500):
        changed = bytearray(whole)
        page = rng.randrange(len(whole) // PAGE)
        for _ in range(rng.choice((1, 1, 1, 8))):
            at = rng.randrange(len(whole)) if number % 4 == 0 else page * PAGE + rng.randrange(160)
            changed[at] ^= 1 << rng.randrange(8)
        (path / "data.mdb").write_bytes(changed)
        began = time.monotonic()
        _, found, faults = read(path)
        assert time.monotonic() - began < 5
        loud += bool(faults)
        # where nothing is wrong with the structure, what is found is what is there, but for bytes of keys and values
        assert faults or len(found) == len(base)
    assert loud > 20


@pytest.mark.parametrize("seed", range(3))
def test_any_flipped_bits_are_survived(tmp_path, seed):
    base = filled(tmp_path / "store", seed)
    whole = (tmp_path / "store" / "data.mdb").read_bytes()
    in_a_child(flip, tmp_path / "store", seed, whole, base)


def test_a_flip_in_the_structure_is_never_silent(tmp_path):
    """Every byte of a page that LMDB goes by: page headers, offsets and node headers, roots and meta pages."""
    base = filled(tmp_path / "store", rounds=5)
    file = tmp_path / "store" / "data.mdb"
    whole = file.read_bytes()
    found, _, _ = read(tmp_path / "store")
    silent = []
    for at, what in structure(whole, found.meta):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        file.write_bytes(changed)
        _, contents, faults = read(tmp_path / "store")
        if not faults and not all(alike(contents.get(name, b"-"), value) for name, value in base.items()):
            silent.append((at, what))
    assert silent == []


def alike(found, wanted):
    """Whether a value is there; its end is not for the structure to tell, as the pages that it fills are the same."""
    return found.startswith(wanted) or wanted.startswith(found)


def structure(whole, meta):
    """Places that the structure of a file stands in."""
    for number in (0, 1):
        for at in (0, 10, 16, 20, 44, 46, 48, 72, 80, 92, 94, 96, 120, 128, 136, 144, 151):
            yield number * PAGE + at, f"meta {number}"
    root = meta.main.page * PAGE
    for at in range(24):
        yield root + at, "root of the main tree"
    (lower,) = struct.unpack_from("<H", whole, root + 12)
    for node in struct.unpack_from(f"<{(lower - 16) // 2}H", whole, root + 16):
        key = struct.unpack_from("<H", whole, root + node + 6)[0]
        yield from ((root + node + at, "node of the main tree") for at in range(8))
        yield from ((root + node + 8 + key + at, "root of a tree") for at in (4, 6, 8, 16, 24, 32, 40))
    for number in range(2, meta.last):
        name, _, flags, lower, upper = struct.unpack_from("<QHHHH", whole, number * PAGE)
        if name == number and flags in (1, 2):
            yield from ((number * PAGE + at, f"page {number}") for at in (0, 7, 10, 12, 13, 14, 15, 16, 17))
            yield from ((number * PAGE + upper + at, f"node of page {number}") for at in (0, 1, 3, 4, 6, 7))


def write_garbage(path, seed):
    rng = random.Random(seed)
    file = path / "data.mdb"
    whole = file.read_bytes()
    damaged = [
        b"",
        b"\0",
        whole[:100],
        whole[:PAGE],
        whole[: 2 * PAGE],
        whole[:-1],
        whole[: len(whole) // 2],
        bytes(9999),
    ]
    damaged += [rng.randbytes(size) for size in (1, 151, 152, 4096, 8192, 100_000)]
    damaged += [whole[: 2 * PAGE] + rng.randbytes(len(whole)), whole[: 2 * PAGE] + bytes(len(whole))]
    for _ in range(40):  # pages in other places than their own, and parts of pages in others
        pages = [whole[at : at + PAGE] for at in range(0, len(whole), PAGE)]
        for _ in range(rng.randint(1, 8)):
            at, other = rng.randrange(2, len(pages)), rng.randrange(len(pages))
            cut = rng.choice((0, 8, 16, 100))
            pages[at] = pages[at][:cut] + pages[other][cut:]
        damaged.append(b"".join(pages))
    for number, content in enumerate(damaged):
        file.write_bytes(content)
        found, _, faults = read(path)
        assert faults or number >= 16, number  # a copied page may have been a free one
        list(inspect(path))


@pytest.mark.parametrize("seed", range(2))
def test_any_garbage_is_survived(tmp_path, seed):
    filled(tmp_path / "store", seed, rounds=4)
    in_a_child(write_garbage, tmp_path / "store", seed)


def page(number, flags, lower, upper, body):
    head = struct.pack("<QHHHH", number, 0, flags, lower, upper)
    return (head + body).ljust(PAGE, b"\0")


def branch(number, below):
    """A branch whose nodes lead to these pages."""
    nodes = b"".join(
        struct.pack("<HHHH", to & 0xFFFF, to >> 16 & 0xFFFF, to >> 32, 2) + struct.pack(">H", n)
        for n, to in enumerate(below)
    )
    upper = PAGE - len(nodes)
    offsets = struct.pack(f"<{len(below)}H", *range(upper, PAGE, 10))
    lower = 16 + len(offsets)
    return page(number, 1, lower, upper, offsets.ljust(upper - 16, b"\0") + nodes)


def root(page, depth, entries=1, flags=0, size=0):
    return struct.pack("<IHHQQQQQ", size, flags, depth, 0, 1, 0, entries, page)


NOTHING = 2**64 - 1


def metas(last, main, free=None):
    free = free or root(NOTHING, 0, 0, 8, PAGE)
    both = []
    for number in (0, 1):
        head = struct.pack("<IIQQ", 0xBEEFC0DE, 1, 0, 2**40)
        both.append(page(number, 8, 0, 0, head + free + main + struct.pack("<QQ", last, number)))
    return b"".join(both)


CRAFTED = {
    "a branch that leads to itself": metas(3, root(2, 32)) + branch(2, [2, 2]) + bytes(PAGE),
    "branches that lead to each other": metas(4, root(2, 32)) + branch(2, [3, 3]) + branch(3, [2, 2]),
    "a tree in which all lead to all": metas(33, root(2, 32)) + b"".join(branch(n, range(2, 34)) for n in range(2, 34)),
    "a tree that is too deep": metas(3, root(2, 65535)) + branch(2, [3, 2]),
    "a root out of range": metas(3, root(2**63, 1)) + bytes(2 * PAGE),
    "a root that is a meta page": metas(3, root(0, 1)) + bytes(2 * PAGE),
    "the last page is behind the end": metas(2**27, root(2**26, 1)) + bytes(2 * PAGE),
    "a free list that leads to the meta pages": metas(3, root(NOTHING, 0, 0), root(1, 1, 1, 8, PAGE)) + bytes(2 * PAGE),
    "entries and no root": metas(3, root(NOTHING, 0, 7)) + bytes(2 * PAGE),
}


def inspect_crafted(path, content, sparse):
    with open(path / "data.mdb", "wb") as file:
        file.write(content)
        if sparse:
            file.truncate(2**39)  # half a terabyte that takes no room
    began = time.monotonic()
    assert list(inspect(path))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_files_take_neither_time_nor_memory(tmp_path, name, sparse):
    in_a_child(inspect_crafted, tmp_path, CRAFTED[name], sparse, seconds=20)


def test_a_free_list_over_a_huge_file_takes_the_memory_of_its_own_bytes(tmp_path):
    """Free pages far apart, in a file that claims to be large: 1 MB of list, as one value of many pages."""
    count = 128 * 1024
    pages = range(2**27, 2**27 - 1000 * count, -1000)
    value = struct.pack(f"<{count + 1}Q", count, *pages)
    run = (16 + len(value) - 1) // PAGE + 1
    node = struct.pack("<HHHH", len(value) & 0xFFFF, len(value) >> 16, 1, 8) + struct.pack("<QQ", 1, 3)
    upper = PAGE - len(node)
    leaf = page(2, 2, 18, upper, struct.pack("<H", upper).ljust(upper - 16, b"\0") + node)
    overflow = (struct.pack("<QHHI", 3, 0, 4, run) + value).ljust(run * PAGE, b"\0")
    free = struct.pack("<IHHQQQQQ", PAGE, 8, 1, 0, 1, run, 1, 2)
    content = metas(2**27, root(NOTHING, 0, 0), free) + leaf + overflow
    (tmp_path / "data.mdb").write_bytes(content)
    found, _, faults = read(tmp_path)
    assert len(found.free) == count
    assert [fault.what.partition(" pages")[2] for fault in faults] == [" are neither in use nor in the free list"]
    in_a_child(inspect_crafted, tmp_path, content, True)


def test_the_newest_state_is_read_and_meta_pages_that_do_not_follow_each_other_are_told(tmp_path):
    filled(tmp_path, rounds=3)
    with PageFile(tmp_path / "data.mdb") as file:
        meta, faults = read_meta(file)
    assert faults == []
    whole = bytearray((tmp_path / "data.mdb").read_bytes())
    newest = meta.transaction % 2
    whole[newest * PAGE + 16] ^= 1
    (tmp_path / "data.mdb").write_bytes(whole)
    with PageFile(tmp_path / "data.mdb") as file:
        older, faults = read_meta(file)
    assert older.transaction == meta.transaction - 1
    assert faults == [f"meta page {newest}: it does not start as a meta page must"]
    whole[newest * PAGE + 16] ^= 1
    whole[(1 - newest) * PAGE + 147] ^= 1
    (tmp_path / "data.mdb").write_bytes(whole)
    with PageFile(tmp_path / "data.mdb") as file:
        _, faults = read_meta(file)
    assert "which do not follow each other" in faults[0]


def _record(_id, data):
    record = Record(_id)
    record.entries["text"] = Entry("lineage", "source", "text/plain", {}, len(data), data=data)
    return record.to_bytes()


def write_for_ever(path, ready):
    database = LmdbDatabase(path)
    number = 0
    while True:
        number += 1
        name = f"document {number % 50}"
        database.put(name, _record(name, bytes(number % 7000)))
        if number == 50:
            ready.set()


def test_a_store_is_inspected_while_others_write(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    writer = context.Process(target=write_for_ever, args=(tmp_path / "store", ready))
    writer.start()
    try:
        assert ready.wait(30)
        database = LmdbDatabase(tmp_path / "store")
        for _ in range(20):
            assert list(database.inspect()) == []
        for _ in range(5):  # without LMDB: the walk begins again where it was overtaken
            try:
                assert list(inspect(tmp_path / "store")) == []
            except StoreLocked as error:
                assert "is written to all the time" in str(error)
    finally:
        writer.kill()
        writer.join()
    assert list(database.inspect()) == []


def test_a_store_with_many_documents_is_inspected_quickly(tmp_path):
    database = LmdbDatabase(tmp_path / "store")
    for start in range(0, 20_000, 1000):
        names = [f"document {n}" for n in range(start, start + 1000)]
        database.change({name: (lambda old, name=name: _record(name, b"x" * 100)) for name in names})
    began = time.monotonic()
    assert list(database.inspect()) == []
    assert time.monotonic() - began < 10


def test_sets_of_pages():
    rng = random.Random(0)
    pages, plain = PageSet(), set()
    for _ in range(300):
        first, count = rng.randrange(20_000), rng.choice((1, 2, 5000))
        run = set(range(first, first + count))
        assert pages.touches(first, count) == bool(run & plain)
        assert pages.add(first, count) == (not run & plain)
        plain |= set() if run & plain else run
    assert len(pages) == len(plain)
    assert all((n in pages) == (n in plain) for n in range(0, 30_000, 7))
    free = FreePages([])
    assert (len(free), 5 in free, free.clash(pages)) == (0, False, None)


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(inspect(tmp_path))
    os.mkdir(tmp_path / "data.mdb")
    assert [damage.what for damage in inspect(tmp_path)][-1].startswith("no meta page can be read")
