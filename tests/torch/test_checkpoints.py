"""Checkpoints: training that was killed goes on as if it had not been, and files are never half, never code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn, optim

from tests.torch.networks import Dense, Gan, adam, same, sums, trainer_of, weights_of
from zounds_lite.errors import CheckpointError, StoreLocked
from zounds_lite.learn import SupervisedTrainer, TripletEmbeddingTrainer, WassersteinGanTrainer
from zounds_lite.learn.nets import checkpoints

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.torch.test_checkpoints import data, supervised
trainer = supervised(sys.argv[2])
def report(epoch, batch, **others):
    if (epoch, batch) == (3, 16):  # in the middle of an epoch
        print("there", flush=True)
        sys.stdin.read()  # until the kill
trainer.register_batch_complete_callback(report)
trainer.train(data())
"""


def data():
    return sums(40)


def dense(seed):
    torch.manual_seed(seed)
    return Dense(3, dropout=0.4)


def supervised(path, seed=99):
    return trainer_of(dense(seed), 6, 8, holdout_percent=0.2, patience=6, checkpoint=path)


def triplets(path, seed=99):
    return TripletEmbeddingTrainer(
        dense(seed), 6, 8, slice(0, 3), [lambda x, _: x + np.random.normal(size=x.shape)],  # noqa: NPY002
        learning_rate=1e-2, checkpoint=path,
    )  # fmt: skip


def gan(path, seed=99):
    torch.manual_seed(seed)
    return WassersteinGanTrainer(Gan(), (2,), 2, 6, 8, checkpoint=path)


KINDS = {"supervised": supervised, "triplets": triplets, "gan": gan}


def killed(path):
    """Train in a program that is killed in the middle of an epoch."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ROOT), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdout.readline() == b"there\n"
    os.kill(program.pid, signal.SIGKILL)
    program.communicate()
    assert program.returncode == -signal.SIGKILL


class Interrupted(Exception):
    pass


def interrupted(path, kind):
    """Train until the middle of an epoch, in this process: a program takes seconds to import torch."""

    def report(epoch, batch, **_):
        if (epoch, batch) == (3, 16):
            raise Interrupted

    trainer = KINDS[kind](path)
    trainer.register_batch_complete_callback(report)
    with pytest.raises(Interrupted):
        trainer.train(data())


@pytest.mark.parametrize("kind", ["supervised, killed", *KINDS])
def test_training_that_was_cut_off_gives_the_weights_of_one_that_was_not(kind, tmp_path):
    path = tmp_path / "folder" / "checkpoint"
    if kind == "supervised, killed":
        kind = "supervised"
        killed(path)
    else:
        interrupted(path, kind)
    assert checkpoints.read(path)["epoch"] == 3
    resumed, whole = KINDS[kind](path, seed=1), KINDS[kind](None)
    resumed.train(data())
    whole.train(data())
    assert same(weights_of(resumed.network), weights_of(whole.network))
    assert resumed.history == whole.history and len(whole.history) == 6
    again = KINDS[kind](path, seed=2)  # there is nothing left to do
    assert same(weights_of(again.train(data())), weights_of(whole.network))


def test_more_epochs_later(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 2, checkpoint=path).train(data())
    more = trainer_of(dense(1), 5, checkpoint=path)
    assert same(weights_of(more.train(data())), weights_of(trainer_of(dense(0), 5).train(data())))


def test_fewer_epochs_later(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 4, checkpoint=path).train(data())
    with pytest.raises(CheckpointError, match="has done 4 epochs, and epochs=2"):
        trainer_of(dense(0), 2, checkpoint=path).train(data())


def test_every_so_many_epochs(tmp_path):
    path, found = tmp_path / "checkpoint", []
    trainer = trainer_of(dense(0), 5, 64, checkpoint=path, checkpoint_epochs=2)
    trainer.register_batch_complete_callback(
        lambda **report: found.append(checkpoints.read(path)["epoch"] if path.exists() else None)
    )
    trainer.train(data())
    assert found == [None, None, 2, 2, 4] and checkpoints.read(path)["epoch"] == 5
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def test_rounds_go_on_from_a_checkpoint(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 4, checkpoint=path).train_round(data())
    resumed = trainer_of(dense(1), 4, checkpoint=path)
    resumed.train_round(sums(30))  # other data, as rounds have
    assert resumed.epoch == 2 and [record["epoch"] for record in resumed.history] == [0, 1]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: trainer_of(dense(0), 4, 32, checkpoint=path), "batch_size 16 -> 32"),
        (lambda path: trainer_of(dense(0), 4, seed=5, checkpoint=path), "seed 0 -> 5"),
        (lambda path: trainer_of(Dense(3, hidden=9), 4, checkpoint=path), "network .*"),
        (lambda path: trainer_of(dense(0), 4, holdout_percent=0.5, checkpoint=path), "holdout_percent 0.0 -> 0.5"),
        (
            lambda path: SupervisedTrainer(
                dense(0), nn.MSELoss(), lambda m: optim.Adam(m.parameters(), lr=0.5), 4, 16, checkpoint=path
            ),
            "optimizers .*",
        ),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(make, says, tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 2, checkpoint=path).train(data())
    with pytest.raises(CheckpointError, match=f"was written by another training: {says}"):
        make(path).train(data())


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 2, checkpoint=path).train(data())
    with pytest.raises(CheckpointError, match="another training: data "):
        trainer_of(dense(0), 4, checkpoint=path).train(sums(40, seed=1))


def test_files_that_are_no_checkpoints(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="is no checkpoint, or is damaged"):
        trainer_of(dense(0), checkpoint=path).train(data())
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="is no checkpoint of a trainer"):
        trainer_of(dense(0), checkpoint=path).train(data())
    path.unlink()
    trainer_of(dense(0), 1, checkpoint=path).train(data())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="is damaged"):
        trainer_of(dense(0), 1, checkpoint=path).train(data())


class Bomb:
    """Would make a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_runs_nothing(tmp_path):
    path, bomb = tmp_path / "checkpoint", tmp_path / "bomb"
    torch.save({"format": 1, "setup": Bomb(bomb)}, path)
    with pytest.raises(CheckpointError, match="is no checkpoint, or is damaged"):
        trainer_of(dense(0), checkpoint=path).train(data())
    assert not bomb.exists()


def test_a_version_to_come(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 1, checkpoint=path).train(data())
    state = checkpoints.read(path)
    torch.save({**state, "format": 2}, path)
    with pytest.raises(CheckpointError, match="has format 2; this version reads 1"):
        trainer_of(dense(0), 1, checkpoint=path).train(data())


def test_other_versions_of_torch_are_named(tmp_path):
    path = tmp_path / "checkpoint"
    trainer_of(dense(0), 1, checkpoint=path).train(data())
    torch.save({**checkpoints.read(path), "torch": "1.0.0"}, path)
    trainer_of(dense(0), 2, checkpoint=path).train(data())  # it fits all the same
    torch.save({**checkpoints.read(path), "torch": "1.0.0"}, path)
    with pytest.raises(CheckpointError, match="with torch 1.0.0: seed 0 -> 1"):
        trainer_of(dense(0), 3, seed=1, checkpoint=path).train(data())


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkpoints.os, "replace", refuse)
    with pytest.raises((StoreLocked, PermissionError)):
        trainer_of(dense(0), 1, checkpoint=tmp_path / "checkpoint").train(data())


def test_optimizers_go_on_too(tmp_path):
    """Adam's moments are in the checkpoint: without them, the next steps would differ."""
    path = tmp_path / "checkpoint"
    trainer = trainer_of(dense(0), 2, checkpoint=path)
    trainer.train(data())
    state = checkpoints.read(path)["optimizers"]["optimizer"]["state"]
    assert len(state) == len(list(trainer.model.parameters())) and float(state[0]["step"]) == 2 * 3
    assert adam(trainer.model).state_dict()["state"] == {}
