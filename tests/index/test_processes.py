"""Several processes with one index: all write, one at a time, and one dies in the middle."""

import signal
import subprocess
import sys

import numpy as np

from tests.index.documents import put, random_bits, sound_class
from zounds_lite.index import HammingIndex

CHILD = """
import os, signal, sys
from tests.index.documents import sound_class
from zounds_lite.index import HammingIndex
from zounds_lite.index.rowfile import RowFiles

store, ids, dies = sys.argv[1], sys.argv[2], sys.argv[3] == "dies"
model = sound_class(store)
index = HammingIndex(model, model.code)
if dies:
    write = RowFiles.write

    def half(*arguments):
        write(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    RowFiles.write = half
for _id in ids:
    index.add(_id)
"""


def start(store, ids, how="lives"):
    return subprocess.Popen([sys.executable, "-c", CHILD, str(store), ids, how])


def rows(index):
    view = index._store.view()
    return np.asarray(view.rows) if view.dead is None else np.asarray(view.rows)[~view.dead]


def test_processes_write_in_turn_while_others_search(tmp_path):
    model = sound_class(tmp_path / "store")
    ids = "abcdefgh"
    for _id in ids:
        put(model, _id, random_bits(50, seed=ord(_id)))
    with HammingIndex(model, model.code) as index:
        children = [start(tmp_path / "store", part) for part in ("abcdef", "cdefgh")]
        while any(child.poll() is None for child in children):
            for _id, timeslice in index.search(model("a").code[0], 20):
                assert _id in ids and timeslice.start_ps % 10**12 == 0
        assert [child.returncode for child in children] == [0, 0]
        assert len(index) == 400 and index.verify() == [] and index._store.view().n_dead <= 200
        for _id in ids:
            assert index.search(model(_id).code[49], 1)[0].id == _id
    model.database.close()


def test_a_writer_that_dies_before_its_commit_leaves_nothing(tmp_path):
    model = sound_class(tmp_path / "store")
    for _id in "abc":
        put(model, _id)
    with HammingIndex(model, model.code) as index:
        index.add("a")
        before = rows(index)
        child = start(tmp_path / "store", "b", "dies")
        assert child.wait(60) == -signal.SIGKILL
        np.testing.assert_array_equal(rows(index), before)
        assert "b" not in index and index.verify() == []
        index.add("c")
        assert len(index) == 10 and index.search(model("c").code[2], 1)[0].id == "c" and index.verify() == []
    model.database.close()
