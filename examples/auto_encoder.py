"""Train an auto-encoder on the sounds in a store.

Thirty sounds of three kinds, which the program makes itself, become bark bands; a network learns to squeeze each frame
into eight numbers. The training is cut off in the middle and goes on from its checkpoint; the pipeline is stored beside
the sounds as data, applied to a sound that it has never seen, and inverted.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.visualization import figure_svg

RATE = zounds.SR11025()
BANDS, CODE = 64, 8
STFT = zounds.stft(resample_to=RATE, store_resampled=False, store_ogg=False)


@zounds.simple_lmdb_settings("sounds.zl", map_size=1e9, user_supplied_id=True)
class Sound(STFT):
    """A sound and its bark bands."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=BANDS, needs=STFT.fft, store=True)


class AutoEncoder(nn.Module):
    """Two small networks; each argument of the constructor is an attribute, so that the whole can be stored as data."""

    def __init__(self, bands, code, hidden=64):
        super().__init__()
        self.bands, self.code, self.hidden = bands, code, hidden
        self.encoder = nn.Sequential(nn.Linear(bands, hidden), nn.ReLU(), nn.Linear(hidden, code))
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, bands))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=2e-3)


torch.manual_seed(0)
trainer = zounds.SupervisedTrainer(
    AutoEncoder(BANDS, CODE),
    loss=nn.MSELoss(),
    optimizer=adam,
    epochs=30,
    batch_size=64,
    holdout_percent=0.1,
    checkpoint="auto_encoder.checkpoint",
)


@zounds.simple_lmdb_settings("models.zl", map_size=1e8, user_supplied_id=True)
class Encoded(ff.BaseModel):
    """What is learned from all sounds: the frames of each, standardized and encoded."""

    docs = ff.PickleFeature(ff.IteratorNode)
    log = ff.PickleFeature(zounds.Log, needs=docs)
    scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=log)
    code = ff.PickleFeature(zounds.PyTorchAutoEncoder, trainer=trainer, needs=scaled)
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[log, scaled, code], store=True)


def made(kind, hz, rng):
    """Two seconds of a tone, a sweep, or a tone in noise."""
    time = np.arange(2 * RATE.rate) / RATE.rate
    phase = 2 * np.pi * hz * (time + time**2 / 4 if kind == "sweep" else time)
    samples = 0.5 * np.sin(phase) + (0.2 * rng.standard_normal(len(time)) if kind == "noisy" else 0)
    return zounds.AudioSamples(samples.astype(np.float32), RATE)


class CutOff(Exception):
    pass


def cut_off(epoch, batch, **_):
    if (epoch, batch) == (20, 640):
        raise CutOff


def main():
    rng = np.random.default_rng(0)
    for number in range(30):
        kind = ("tone", "sweep", "noisy")[number % 3]
        Sound.process(meta=made(kind, rng.uniform(200, 2000), rng).encode(), _id=f"{kind} {number}")
    print(f"{sum(len(sound.bark) for sound in Sound)} frames of {BANDS} bands in {len(list(Sound))} sounds")

    trainer.register_batch_complete_callback(cut_off)
    try:
        Encoded.process(docs=(sound.bark for sound in Sound), _id="encoded")
    except CutOff:
        print(f"cut off in epoch {trainer.epoch}")
    trainer.unregister_batch_complete_callback(cut_off)
    Encoded.process(docs=(sound.bark for sound in Sound), _id="encoded")
    first, last = trainer.history[0], trainer.history[-1]
    print(f"went on to epoch {last['epoch']}; errors, as shares of those of epoch {first['epoch']}:")
    print(", ".join(f"{name} {last[name] / first[name]:.0%}" for name in ("train_error", "test_error")))

    new = made("sweep", 333.0, rng)
    bark = Sound(Sound.process(meta=new.encode(), _id="new")).bark
    pipeline = Encoded("encoded").pipeline
    result = pipeline.transform(bark)
    back = result.inverse_transform()
    hop = result.data.dimensions[0].frequency / zounds.Milliseconds(1)
    print(f"a new sound: {bark.shape} becomes {result.data.shape}, still a frame each {hop:.1f} ms")
    error = np.linalg.norm(np.asarray(back - bark)) / np.linalg.norm(np.asarray(bark))
    print(f"and back: {type(back).__name__} of {back.dimensions[1].scale.n_bands} bands, {error:.0%} off")
    Path("a new sound.svg").write_text(figure_svg(bark), "utf-8")
    Path("and back.svg").write_text(figure_svg(back), "utf-8")
    Sound.database.close()
    Encoded.database.close()


if __name__ == "__main__":
    main()
