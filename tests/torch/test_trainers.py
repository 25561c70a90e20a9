"""Training: what goes in, what is reported, when it ends, and that it can be repeated."""

import io
import random

import numpy as np
import pytest
import torch
from torch import nn

from tests.torch.networks import Dense, adam, same, sums, trainer_of, weights_of
from zounds_lite.errors import (
    DeclarationError,
    EmptyCorpus,
    LearnError,
    NonFiniteFeatures,
    NonFiniteLoss,
    NotTrained,
    RaggedCorpus,
)
from zounds_lite.learn import Corpus, SupervisedTrainer, Trainer
from zounds_lite.learn.nets.rows import Rows


def model_of(seed=0, **others):
    torch.manual_seed(seed)
    return Dense(3, **others)


def test_it_learns_and_says_so():
    trainer = trainer_of(model_of(), epochs=40, holdout_percent=0.25)
    network = trainer.train(sums())
    assert network is trainer.model and not network.training
    assert [record["epoch"] for record in trainer.history] == list(range(40)) and trainer.epoch == 40
    assert trainer.history[-1]["test_error"] < 0.3 * trainer.history[0]["test_error"]
    assert trainer.is_finished


def test_train_and_test_errors_are_the_right_way_round():
    """Labels of held-out rows are wrong on purpose, so only the test error stays large."""
    data = sums(200)
    data["groups"] = np.repeat([0, 1], 100)
    trainer = trainer_of(model_of(), epochs=30, holdout_percent=0.5)
    held = trainer._split(Rows.of(data))[1]
    data["labels"] = data["labels"].copy()
    data["labels"][held] = 100.0
    reports = []
    trainer.register_batch_complete_callback(lambda **report: reports.append(report))
    trainer.train(data)
    assert trainer.history[-1]["train_error"] < 1 < 5000 < trainer.history[-1]["test_error"]
    assert reports[-1]["train_error"] < 1 < 5000 < reports[-1]["test_error"]


def test_held_out_rows_are_tested_in_eval_mode_without_gradients():
    seen = []

    class Watched(Dense):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled(), len(x)))
            return super().forward(x)

    torch.manual_seed(0)
    trainer = trainer_of(Watched(3, dropout=0.5), epochs=2, holdout_percent=0.2)
    trainer.register_batch_complete_callback(lambda **report: None)
    trainer.train(sums())
    assert {(True, True), (False, False)} == {pair[:2] for pair in seen}
    assert sum(rows for training, _, rows in seen if training) == 2 * 48


def test_what_callbacks_get():
    trainer, reports = trainer_of(model_of(), epochs=2, holdout_percent=0.2), []

    def callback(**report):
        reports.append(report)

    trainer.register_batch_complete_callback(callback)
    trainer.train(sums())
    assert [(r["epoch"], r["batch"]) for r in reports] == [(e, b) for e in (0, 1) for b in (0, 16, 32)]
    assert all(r.keys() == {"epoch", "batch", "train_error", "test_error", "samples"} for r in reports)
    assert reports[0]["samples"].shape == (16, 1)
    trainer.unregister_batch_complete_callback(callback)
    trainer.train(sums())
    assert len(reports) == 6
    plain = trainer_of(model_of(), epochs=1)
    plain.register_batch_complete_callback(callback)
    plain.train(sums())
    assert reports[-1]["test_error"] is None and "test_error" not in plain.history[-1]


def test_watching_changes_nothing():
    watched, alone = (trainer_of(model_of(dropout=0.3), holdout_percent=0.2) for _ in range(2))
    watched.register_batch_complete_callback(lambda **report: None)
    assert same(weights_of(watched.train(sums())), weights_of(alone.train(sums())))


def test_a_random_sample():
    trainer = trainer_of(model_of())
    with pytest.raises(RuntimeError, match="before training"):
        trainer.random_sample()
    with pytest.raises(NotTrained):
        trainer.random_sample()
    trainer.train(sums())
    given, made = trainer.random_sample()
    assert given.shape == (3,) and made.shape == (1,)


def test_the_same_call_gives_the_same_weights():
    trainer = trainer_of(model_of(dropout=0.3), holdout_percent=0.2)
    first = weights_of(trainer.train(sums()))
    history = trainer.history
    torch.rand(3), np.random.rand(3)  # noqa: NPY002 - whatever else is drawn
    assert same(first, weights_of(trainer.train(sums()))) and trainer.history == history
    assert not same(first, weights_of(trainer_of(model_of(dropout=0.3), seed=1).train(sums())))


def test_global_random_numbers_stay_as_they_were():
    torch.manual_seed(3), np.random.seed(3), random.seed(3)  # noqa: NPY002
    expected = torch.rand(1), np.random.rand(), random.random()  # noqa: NPY002
    trainer = trainer_of(model_of(dropout=0.3))
    torch.manual_seed(3), np.random.seed(3), random.seed(3)  # noqa: NPY002
    trainer.train(sums())
    assert (torch.rand(1), np.random.rand(), random.random()) == expected  # noqa: NPY002


def test_every_row_is_seen_once_an_epoch_in_another_order():
    seen = []
    trainer = SupervisedTrainer(
        model_of(), nn.MSELoss(), adam, 2, 16, data_preprocessor=lambda x: seen.append(x.copy()) or x
    )
    data = sums(49)  # a last batch of one row joins the one before
    trainer.train(data)
    assert [len(batch) for batch in seen] == [16, 16, 17] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert not np.array_equal(first, second) and not np.array_equal(first, data["data"])
    for epoch in (first, second):
        assert np.array_equal(np.sort(epoch, axis=0), np.sort(data["data"], axis=0))


def test_a_corpus_is_learned_from_like_arrays():
    data = sums()
    chunks = [{name: part[i : i + 7] for name, part in data.items()} for i in range(0, 60, 7)]
    expected = weights_of(trainer_of(model_of()).train(data))
    assert same(expected, weights_of(trainer_of(model_of()).train(Corpus(chunks))))
    parts = {name: Corpus([chunk[name] for chunk in chunks]) for name in data}
    assert same(expected, weights_of(trainer_of(model_of()).train(parts)))


def test_the_held_out_rows_are_mixed_and_seeded():
    rows = Rows.of(sums(100))
    learned, held = trainer_of(model_of(), holdout_percent=0.2)._split(rows)
    assert len(held) == 20 and not set(held) & set(learned) and len(learned) == 80
    assert held.min() < 20 and held.max() >= 80
    again = trainer_of(model_of(), holdout_percent=0.2)._split(rows)[1]
    other = trainer_of(model_of(), holdout_percent=0.2, seed=1)._split(rows)[1]
    assert np.array_equal(held, again) and not np.array_equal(held, other)


def test_whole_groups_are_held_out():
    speakers = np.array(["anna", "ben", "cleo", "dora"])[np.random.default_rng(0).integers(4, size=100)]
    rows = Rows.of({**sums(100), "groups": speakers})
    learned, held = trainer_of(model_of(), holdout_percent=0.25)._split(rows)
    assert len(set(speakers[held])) == 1 and not set(speakers[held]) & set(speakers[learned])
    with pytest.raises(LearnError, match=r"0.01 of 4 groups leaves none to test with"):
        trainer_of(model_of(), holdout_percent=0.01)._split(rows)


def test_it_stops_early_and_keeps_the_best_weights():
    data = sums(40)
    data["labels"] = np.random.default_rng(1).normal(size=(40, 1)).astype(np.float32)  # nothing to learn
    trainer = trainer_of(model_of(hidden=64), epochs=400, holdout_percent=0.5, patience=5)
    trainer.train(data)
    errors = [record["test_error"] for record in trainer.history]
    assert trainer.is_finished and len(errors) < 400
    assert int(np.argmin(errors)) == len(errors) - 6
    rows = Rows.of(data)
    assert trainer._test(rows, trainer._split(rows)[1])["test_error"] == min(errors)


def test_rounds_go_on_where_the_last_one_ended():
    trainer = trainer_of(model_of(), epochs=5, checkpoint_epochs=2)
    done = []
    while not trainer.is_finished:
        trainer.train_round(sums())
        done.append(trainer.epoch)
    assert done == [2, 4, 5]
    assert same(weights_of(trainer.model), weights_of(trainer_of(model_of(), epochs=5).train(sums())))
    trainer.reset()
    assert trainer.epoch == 0 and trainer.history == [] and same(weights_of(trainer.model), weights_of(model_of()))


def test_the_default_of_checkpoint_epochs_trains_fully():
    trainer = SupervisedTrainer(model_of(), nn.MSELoss(), adam, epochs=3, batch_size=64)
    trainer.train(sums())
    assert (trainer.checkpoint_epochs, trainer.epoch, len(trainer.history)) == (1, 3, 3)


def test_labels_of_classes():
    data = sums()
    classes = (data["labels"][:, 0] > 0).astype(np.uint8)
    model = Dense(3, 2)
    trainer = SupervisedTrainer(model, nn.CrossEntropyLoss(), adam, 30, 16)
    trainer.train({"data": data["data"].astype(np.float64), "labels": classes})
    made = model(torch.from_numpy(data["data"])).argmax(1).numpy()
    assert (made == classes).mean() > 0.9


def test_a_trainer_of_ones_own():
    class Mean(Trainer):
        """Learns the mean of its rows."""

        def __init__(self, epochs, batch_size):
            super().__init__(epochs, batch_size)
            self.network = nn.Linear(1, 1)

        def _make_optimizers(self):
            return {"optimizer": torch.optim.SGD(self.network.parameters(), lr=0.5)}

        def _step(self, rows, picked):
            loss = (self.network(torch.zeros(1, 1)) - float(rows.take(picked).mean())).square().mean()
            self._optimizers["optimizer"].zero_grad()
            loss.backward()
            self._optimizers["optimizer"].step()
            return {"error": float(loss.detach())}, {}

    trainer = Mean(5, 10)
    network = trainer.train(np.full((20, 1), 7.0))
    assert abs(float(network(torch.zeros(1, 1)).detach()) - 7.0) < 0.1 and len(trainer.history) == 5


# bad input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"checkpoint_epochs": 0}, "checkpoint_epochs=0"),
        ({"patience": 0}, "patience=0"),
        ({"seed": -1}, "seed=-1"),
        ({"holdout_percent": 1.0}, "holdout_percent=1.0"),
        ({"holdout_percent": -0.1}, "holdout_percent=-0.1"),
    ],
)
def test_arguments_out_of_range(arguments, says):
    with pytest.raises(DeclarationError, match=says):
        trainer_of(model_of(), **arguments)


def test_what_is_no_network():
    with pytest.raises(DeclarationError, match="needed: a torch nn.Module"):
        trainer_of(lambda x: x)


def test_losses_and_optimizers_that_are_none():
    with pytest.raises(DeclarationError, match=r"the loss is \[16, 1\]; needed: a tensor of a single number"):
        SupervisedTrainer(model_of(), nn.MSELoss(reduction="none"), adam, 1, 16).train(sums())
    with pytest.raises(DeclarationError, match="optimizer returned list; needed: an optimizer"):
        SupervisedTrainer(model_of(), nn.MSELoss(), lambda model: list(model.parameters()), 1, 16).train(sums())
    SupervisedTrainer(model_of(), nn.MSELoss(), torch.optim.SGD, 1, 16).train(sums())  # with its defaults


def test_unknown_devices():
    with pytest.raises(DeclarationError, match="device='sun'"):
        trainer_of(model_of(), device="sun").train(sums())
    if not torch.cuda.is_available():
        with pytest.raises(LearnError, match="finds no GPU"):
            trainer_of(model_of()).cuda()
    assert trainer_of(model_of(), device="auto", epochs=1).train(sums()) is not None


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"labels": np.zeros((59, 1))}, RaggedCorpus, "data has 60 rows, labels has 59 rows"),
        ({"labels": None}, LearnError, "missing: labels, given: data"),
        ({"labels": [1, "two"] * 30}, LearnError, "labels of mixed type: int, str"),
        ({"labels": np.array([1, None] * 30, object)}, LearnError, "labels of mixed type: NoneType, int"),
        ({"labels": ["one", "two"] * 30}, LearnError, "numbers classes"),
        ({"data": np.full((60, 3), np.nan)}, NonFiniteFeatures, "data has NaN or infinite values, the first in row 0"),
        ({"data": np.zeros((0, 3)), "labels": np.zeros((0, 1))}, EmptyCorpus, "no rows came"),
    ],
)
def test_data_that_cannot_be_learned_from(change, error, says):
    data = {name: value for name, value in {**sums(), **change}.items() if value is not None}
    with pytest.raises(error, match=says):
        trainer_of(model_of()).train(data)


def test_nan_features_of_a_corpus_are_named_by_their_chunk():
    corpus = Corpus([np.zeros((2, 3)), np.full((2, 3), np.inf)])
    with pytest.raises(NonFiniteFeatures, match="chunk 1"):
        trainer_of(model_of()).train({"data": corpus, "labels": np.zeros((4, 1))})


def test_a_batch_larger_than_the_data_is_the_data():
    trainer, sizes = trainer_of(model_of(), batch_size=1000, epochs=1), []
    trainer.register_batch_complete_callback(lambda **report: sizes.append(len(report["samples"])))
    trainer.train(sums())
    assert sizes == [60]


def test_a_holdout_of_nothing_or_of_all():
    with pytest.raises(LearnError, match=r"holdout_percent=0.01 of 10 rows leaves none to test with"):
        trainer_of(model_of(), holdout_percent=0.01).train(sums(10))
    with pytest.raises(LearnError, match=r"holdout_percent=0.99 of 10 rows leaves none to learn from"):
        trainer_of(model_of(), holdout_percent=0.99).train(sums(10))


def test_a_loss_out_of_bounds_stops_training():
    model = model_of()

    def loss(made, labels):
        return (made * (torch.inf if len(trainer.history) == 2 else 1.0)).abs().sum()

    trainer = SupervisedTrainer(model, loss, adam, 5, 16)
    with pytest.raises(NonFiniteLoss, match="train_error became inf in epoch 2, batch 0"):
        trainer.train(sums())
    assert all(np.isfinite(value).all() for value in weights_of(model).values()) and not model.training


def test_a_test_out_of_bounds_stops_training_too():
    def loss(made, labels):
        return made.square().mean() * (1.0 if made.requires_grad else torch.nan)

    trainer = SupervisedTrainer(model_of(), loss, adam, 5, 16, holdout_percent=0.2)
    with pytest.raises(NonFiniteLoss, match="test_error became nan in epoch 0, the test at its end"):
        trainer.train(sums())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch, capsys):
    trainer_of(model_of()).train(sums())
    assert capsys.readouterr().err == ""
    for progress, shown in ((True, "training: 100%"), (False, "")):
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        trainer_of(model_of(), progress=progress).train(sums())
        assert shown in terminal.getvalue() and bool(terminal.getvalue()) == bool(shown)
