"""Networks as steps of a pipeline: trained, stored as data, read in another process, applied."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import zounds_lite as zounds
from tests.torch.networks import AutoEncoder, Dense, Gan, adam, same, trainer_of, weights_of
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, DimensionError, NetworkMismatch, NotInvertible, UnknownTypeError
from zounds_lite.learn import Corpus, SupervisedTrainer, WassersteinGanTrainer
from zounds_lite.learn.nets.networks import AppliedNetwork
from zounds_lite.learn.nets.storing import StoredNetwork

ROOT = Path(__file__).parents[2]


def frames(rows=40, size=6, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)
    return zounds.ArrayWithUnits(values, [zounds.TimeDimension(zounds.Seconds(1)), zounds.IdentityDimension()])


def classes(chunk):
    return (np.asarray(chunk).sum(axis=1) > 0).astype(np.int64)


def classifier(epochs=3, **others):
    torch.manual_seed(0)
    return SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(), adam, epochs, 16, **others)


def model_of(trainer, settings=zounds.simple_in_memory_settings, **others):
    @settings
    class Classified(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        labels = ff.PickleFeature(classes, needs=docs)
        scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs)
        network = ff.PickleFeature(
            zounds.PyTorchNetwork, trainer=trainer, needs={"data": scaled, "labels": labels}, **others
        )
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[scaled, network], store=True)

    return Classified


def encoded(settings):
    torch.manual_seed(0)
    trainer = trainer_of(AutoEncoder(), epochs=30)

    @settings
    class Encoded(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        unit = ff.PickleFeature(zounds.UnitNorm, needs=docs)
        code = ff.PickleFeature(zounds.PyTorchAutoEncoder, trainer=trainer, needs=unit)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[unit, code], store=True)

    return Encoded


def test_a_plain_pipeline_does_all_epochs_and_keeps_the_time_dimension():
    trainer = classifier(epochs=60)
    Classified = model_of(trainer)
    _id = Classified.process(docs=(frames(seed=seed) for seed in range(3)))
    assert trainer.epoch == 60 and Classified(_id).pipeline.names == ["scaled", "network"]
    result = Classified(_id).pipeline.transform(frames(seed=9))
    assert isinstance(result.data, zounds.ArrayWithUnits) and result.data.shape == (40, 2)
    assert result.data.dimensions == (zounds.TimeDimension(zounds.Seconds(1)), zounds.IdentityDimension())
    assert (np.argmax(result.data, axis=1) == classes(frames(seed=9))).mean() > 0.8
    with pytest.raises(NotInvertible, match="network"):
        result.inverse_transform()
    assert isinstance(Classified(_id).pipeline[-1].network, Dense)
    assert not Classified(_id).pipeline["network"].network.training
    assert Classified(_id).pipeline["network"].history == trainer.history


def test_processing_again_gives_the_same_pipeline():
    Classified = model_of(classifier())
    ids = [Classified.process(docs=[frames()]) for _ in range(2)]
    assert Classified(ids[0]).pipeline.version == Classified(ids[1]).pipeline.version
    other = Classified.process(docs=[frames(seed=1)])
    assert Classified(ids[0]).pipeline.version != Classified(other).pipeline.version


def test_the_pipeline_is_fresh_after_training_and_stale_when_the_trainer_changes(tmp_path):
    settings = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    Classified = model_of(classifier(), settings)
    Classified.process(docs=[frames()], _id="a")
    assert not Classified.explain("a", "pipeline").stale
    torch.rand(1)  # a new process makes other weights
    torch.manual_seed(5)
    again = SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(), adam, 3, 16)
    assert not model_of(again, settings).explain("a", "pipeline").stale
    for changed in (
        SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(), adam, 4, 16),
        SupervisedTrainer(Dense(6, 2, dropout=0.1), nn.CrossEntropyLoss(), adam, 3, 16),
        SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(label_smoothing=0.1), adam, 3, 16),
    ):
        assert model_of(changed, settings).explain("a", "pipeline").stale
    neutral = SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(), adam, 3, 16, device="auto", checkpoint_epochs=2)
    assert not model_of(neutral, settings).explain("a", "pipeline").stale
    Classified.database.close()


def test_an_auto_encoder_goes_there_and_back_with_units():
    Encoded = encoded(zounds.simple_in_memory_settings)
    pipeline = Encoded(Encoded.process(docs=[frames(seed=1), frames(seed=2)])).pipeline
    given = frames(seed=3)
    result = pipeline.transform(given)
    back = result.inverse_transform()
    assert result.data.shape == (40, 2) and type(back) is type(given)
    assert back.dimensions == given.dimensions and back.dtype == given.dtype
    assert np.linalg.norm(back - given) < np.linalg.norm(given)


READER = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import zounds_lite as zounds
from tests.torch.test_networks import encoded, frames
Encoded = encoded(zounds.simple_lmdb_settings(sys.argv[2], user_supplied_id=True))
pipeline = Encoded("a").pipeline
assert not pipeline[-1].network.training
result = pipeline.transform(frames(500, seed=9))
np.savez(sys.argv[3], there=np.asarray(result.data), back=np.asarray(result.inverse_transform()))
"""


def test_a_new_process_gets_the_same_bits(tmp_path):
    Encoded = encoded(zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True))
    Encoded.process(docs=[frames()], _id="a")
    result = Encoded("a").pipeline.transform(frames(500, seed=9))
    Encoded.database.close()
    command = [sys.executable, "-W", "error", "-c", READER, ROOT, tmp_path / "store", tmp_path / "out.npz"]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    with np.load(tmp_path / "out.npz") as found:
        assert np.array_equal(found["there"], np.asarray(result.data))
        assert np.array_equal(found["back"], np.asarray(result.inverse_transform()))


def test_a_gan_applies_one_of_its_networks():
    torch.manual_seed(0)
    trainer = WassersteinGanTrainer(Gan(), (2,), 1, 1, 10)

    @zounds.simple_in_memory_settings
    class Made(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        gan = ff.PickleFeature(zounds.PyTorchGan, trainer=trainer, needs=docs)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[gan], store=True)

    pipeline = Made(Made.process(docs=[np.asarray(frames(size=3))])).pipeline
    assert pipeline.transform(np.zeros((5, 2), np.float32)).data.shape == (5, 3)
    critic = zounds.PyTorchGan("discriminator", trainer)._train(Corpus([np.zeros((5, 3))]))
    assert critic.op(np.zeros((4, 3))).shape == (4, 1) and critic.data.concatenated().shape == (5, 1)
    with pytest.raises(ValueError, match="apply_network='both'; allowed: 'generator' or 'discriminator'"):
        zounds.PyTorchGan("both", trainer)


def test_rounds_of_an_endless_pipeline():
    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        x = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    for seed in range(3):
        Sound.process(x=[frames(seed=seed)])
    torch.manual_seed(0)
    trainer = trainer_of(AutoEncoder(), epochs=5, checkpoint_epochs=2)

    @zounds.simple_in_memory_settings
    @zounds.infinite_streaming_learning_pipeline
    class Encoded(ff.BaseModel):
        unit = ff.PickleFeature(zounds.UnitNorm)
        code = ff.PickleFeature(zounds.PyTorchAutoEncoder, trainer=trainer, needs=unit)

    _id = Encoded.process(dataset=(Sound, Sound.x), nsamples=30)
    assert trainer.epoch == 5 and [record["epoch"] for record in trainer.history] == list(range(5))
    assert same(weights_of(Encoded(_id).load_network()), weights_of(trainer.model))
    Encoded.process(dataset=(Sound, Sound.x), nsamples=30, rounds=1)
    assert trainer.epoch == 2  # it began anew


def test_what_is_learned_reaches_the_next_step():
    Encoded = encoded(zounds.simple_in_memory_settings)

    @zounds.simple_in_memory_settings
    class Scaled(Encoded):
        scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=Encoded.code)
        pipeline = ff.PickleFeature(
            zounds.PreprocessingPipeline, needs=[Encoded.unit, Encoded.code, scaled], store=True
        )

    pipeline = Scaled(Scaled.process(docs=[frames(), frames(seed=1)])).pipeline
    both = np.concatenate([frames(), frames(seed=1)])
    assert np.allclose(pipeline.transform(np.asarray(both)).data.mean(axis=0), 0, atol=1e-5)


def test_functions_before_and_after_training():
    seen = []

    def prepared(data):
        seen.append({name: value.shape for name, value in data.items()})
        return {name: value[:10] for name, value in data.items()}

    rows = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    corpus = Corpus([{"data": rows, "labels": classes(rows)}])
    trainer = SupervisedTrainer(Dense(6, 2), nn.CrossEntropyLoss(), adam, 1, 4, data_preprocessor=lambda x: x[:, :6])
    sizes = []
    trainer.register_batch_complete_callback(lambda **report: sizes.append(len(report["samples"])))
    node = zounds.PyTorchNetwork(trainer, lambda x: x[:, 2:], training_set_prep=prepared, chunksize=7)
    result = node._train(corpus)
    assert seen == [{"data": (30, 8), "labels": (30,)}] and sum(sizes) == 10
    assert np.array_equal(result.data.concatenated(), result.op(rows[:, 2:]))


def test_samples_of_data_and_labels():
    """The graph of the original's users: labels and data are sampled together, then prepared each in its way."""
    torch.manual_seed(0)
    trainer = SupervisedTrainer(
        nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()),
        nn.BCELoss(),
        lambda model: torch.optim.SGD(model.parameters(), lr=0.2),
        epochs=2,
        batch_size=64,
        holdout_percent=0.5,
        label_preprocessor=lambda x: x.astype(np.float32),
    )

    @zounds.simple_in_memory_settings
    class Judged(ff.BaseModel):
        inp = ff.PickleFeature(ff.IteratorNode)
        samples = ff.PickleFeature(zounds.ShuffledSamples, nsamples=500, multiplexed=True, dtype=np.float32, needs=inp)
        unitnorm = ff.PickleFeature(zounds.UnitNorm, needs=samples.aspect("data"))
        hard_labels = ff.PickleFeature(zounds.Binarize, threshold=0.5, needs=samples.aspect("labels"))
        network = ff.PickleFeature(
            zounds.PyTorchNetwork, trainer=trainer, needs={"data": unitnorm, "labels": hard_labels}
        )
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(unitnorm, network), store=True)

    rng = np.random.default_rng(0)
    inputs = [{"data": rng.random((100, 3)), "labels": rng.random((100, 1))} for _ in range(10)]
    pipeline = Judged(Judged.process(inp=inputs)).pipeline
    assert pipeline.transform(inputs[0]["data"]).data.shape == (100, 1) and trainer.epoch == 2


def test_a_network_may_give_back_what_it_gets():
    trainer = trainer_of(AutoEncoder(), epochs=1)

    @zounds.simple_in_memory_settings
    class Same(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        unit = ff.PickleFeature(zounds.UnitNorm, needs=docs)
        network = ff.PickleFeature(zounds.PyTorchNetwork, trainer=trainer, needs={"data": unit, "labels": unit})
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[unit, network], store=True)

    pipeline = Same(Same.process(docs=[frames(), frames(seed=1)])).pipeline
    assert pipeline.transform(frames()).data.shape == (40, 6)


# storing


class Layers(nn.Module):
    """One of each kind of argument."""

    def __init__(self, inner, scale, sizes=(2, 3), names=None):
        super().__init__()
        self.inner, self.scale, self.sizes, self.names = inner, scale, sizes, names
        self.rnn = nn.GRU(2, 3, batch_first=True)

    def forward(self, x):
        return self.inner(x)


def stored_again(network):
    [encoder] = [ff.PickleFeature.encoder()]
    from zounds_lite.featureflow.codecs import StoredValue
    from zounds_lite.featureflow.typed import TypedDecoder

    data = b"".join(bytes(part) for part in encoder.run([StoredNetwork.of(network)]))
    return TypedDecoder().decode(StoredValue(encoder.header, np.frombuffer(data, np.uint8), "a network"))


@pytest.mark.parametrize(
    "network",
    [
        Dense(3, dropout=0.2),
        nn.Linear(3, 2, bias=False),
        nn.Sequential(nn.Conv1d(1, 2, 3, padding="same"), nn.BatchNorm1d(2), nn.LeakyReLU(0.3), nn.Flatten()),
        nn.LSTM(2, 3, num_layers=2, bidirectional=True),
        nn.Embedding(5, 2, padding_idx=0),
        nn.Sequential(nn.LayerNorm(3), nn.ModuleDict({"a": nn.Linear(1, 1)})["a"]),
        Layers(nn.ModuleList([nn.Linear(1, 2)]), zounds.BarkScale(zounds.FrequencyBand(100, 1000), 4), [1], {"a": 2.0}),
        nn.Linear(2, 2).double(),
    ],
    ids=lambda network: type(network).__name__,
)
def test_networks_come_back(network):
    back = stored_again(network)
    assert same(weights_of(back.network), weights_of(network)) and not back.network.training
    assert repr(back.network) == repr(network)
    assert AppliedNetwork(back).version == AppliedNetwork(StoredNetwork.of(network)).version


def test_building_a_network_draws_no_random_numbers_of_others():
    stored = StoredNetwork.of(Dense(3))
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    _ = stored.network
    assert torch.rand(1) == expected


def test_arguments_may_be_said_by_the_network_itself():
    class Told(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.layer = nn.Linear(size, 1)

        def init_arguments(self):
            return {"size": self.layer.in_features}

    assert StoredNetwork.of(Told(4)).network.layer.in_features == 4


def _without_the_attribute():
    class Silent(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.layer = nn.Linear(size, 1)

    return Silent(3)


def _with_a_function():
    class Called(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

    return Called(lambda x: x)


def _with_any_arguments():
    class Open(nn.Module):
        def __init__(self, *sizes):
            super().__init__()

    return Open(1, 2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_without_the_attribute, "takes size, and it has no attribute of this name"),
        (_with_a_function, "its attribute function is function, which is no plain value"),
        (_with_any_arguments, "its constructor takes \\*sizes"),
        (lambda: nn.Linear(2, 2).to(torch.bfloat16), "its weight weight has the dtype torch.bfloat16"),
    ],
)
def test_networks_that_are_no_data(make, says):
    with pytest.raises(NetworkMismatch, match=says):
        StoredNetwork.of(make())


def test_that_a_network_is_no_data_is_said_before_training():
    trainer = SupervisedTrainer(_without_the_attribute(), nn.MSELoss(), adam, 1, 4)
    with pytest.raises(NetworkMismatch, match="Silent cannot be stored"):
        zounds.PyTorchNetwork(trainer)._train(Corpus([{"data": np.zeros((4, 3)), "labels": np.zeros((4, 1))}]))
    assert trainer.epoch == 0


def test_state_that_is_not_in_the_weights_is_noticed():
    class Hidden(nn.Linear):
        gain = 1.0

        def forward(self, x):
            return self.gain * super().forward(x)

    network = Hidden(3, 1)
    network.gain = 5.0
    trainer = SupervisedTrainer(network, nn.MSELoss(), adam, 1, 4)
    corpus = Corpus([{"data": np.ones((4, 3)), "labels": np.zeros((4, 1))}])
    with pytest.raises(NetworkMismatch, match="makes something else when it is built anew"):
        zounds.PyTorchNetwork(trainer)._train(corpus)


def test_another_architecture_is_refused_with_the_versions():
    stored = StoredNetwork.of(Dense(3))
    other = stored.replace(weights={**stored.weights, "main.0.weight": np.zeros((8, 4), np.float32)}, torch="1.0.0")
    says = r"main.0.weight \[8, 4\] -> \[8, 3\]; stored with torch 1.0.0, read with "
    with pytest.raises(NetworkMismatch, match=says + torch.__version__.replace("+", r"\+")):
        _ = other.network
    missing = stored.replace(weights={"main.0.weight": stored.weights["main.0.weight"]})
    with pytest.raises(NetworkMismatch, match=r"main.0.bias none -> \[8\]"):
        _ = missing.network
    spec = stored.spec.replace(arguments={"inputs": 3, "width": 8})
    with pytest.raises(NetworkMismatch, match="constructor refuses the stored arguments .*width"):
        _ = stored.replace(spec=spec).network


@pytest.mark.parametrize("kind", ["Unheard", "os.system", "GraphModule"])
def test_classes_that_are_not_loaded_are_never_imported(kind):
    stored = StoredNetwork.of(Dense(3))
    stored = stored.replace(spec=stored.spec.replace(kind=kind, module="some.module"))
    with pytest.raises(UnknownTypeError, match=f"the class '{kind}', which .* 'some.module' when"):
        _ = stored.network


def test_a_class_that_moved_is_found_and_one_of_two_is_not_guessed():
    stored = StoredNetwork.of(Dense(3))
    moved = stored.replace(spec=stored.spec.replace(module="elsewhere"))
    assert type(moved.network) is Dense
    first = type("Twice", (nn.Linear,), {"__module__": "first"})
    second = type("Twice", (nn.Linear,), {"__module__": "second"})
    spec = StoredNetwork.of(first(1, 1)).spec
    assert spec.module == "first" and second is not first
    with pytest.raises(UnknownTypeError, match="there are others of this name, in first, second"):
        spec.replace(module="third").build()
    assert type(spec.build()) is first


# applying


def test_rows_that_do_not_fit():
    op = AppliedNetwork(StoredNetwork.of(Dense(3)))
    with pytest.raises(DimensionError, match=r"Dense does not take rows of shape \[4\]"):
        op(np.zeros((2, 4), np.float32))
    flat = AppliedNetwork(StoredNetwork.of(nn.Sequential(nn.Flatten(0))))
    with pytest.raises(DimensionError, match=r"of 2 rows the network Sequential makes an array of shape \[6\]"):
        flat(np.zeros((2, 3), np.float32))


def test_rows_go_through_in_chunks():
    sizes = []
    op = AppliedNetwork(StoredNetwork.of(Dense(3)), chunksize=4)
    op.network.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    rows = np.random.default_rng(0).normal(size=(10, 3))
    out = op(rows)
    assert sizes == [4, 4, 2] and out.dtype == np.float32 and out.shape == (10, 1)
    assert op(rows[:0]).shape == (0, 1)
    with pytest.raises(DeclarationError, match="chunksize=0"):
        AppliedNetwork(op.stored, chunksize=0)


def test_nodes_without_what_they_need():
    corpus = Corpus([np.zeros((4, 6))])
    with pytest.raises(DeclarationError, match="trainer=None; needed: a trainer"):
        zounds.PyTorchNetwork()._train(corpus)
    with pytest.raises(DeclarationError, match="Dense has no attribute 'encoder'"):
        zounds.PyTorchAutoEncoder(trainer_of(Dense(6)))._train(corpus)
    with pytest.raises(DeclarationError, match=r"a network gets features; needed: needs=dict\(data=..., labels=...\)"):
        zounds.PyTorchAutoEncoder(trainer_of(AutoEncoder()))._train(Corpus([{"features": np.zeros((4, 6))}]))
