"""Sound from mel bands by gradient descent, through the transforms that made the stored ones.

Needs the extra torch. A document stores mel bands; the same transforms, as torch modules, are built from its features;
a sound is then changed step by step until its own bands are those that were stored.
"""

from pathlib import Path

import numpy as np
import torch

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

rate = zounds.SR11025()
STFT = zounds.stft(resample_to=rate, store_resampled=True)


@zounds.simple_in_memory_settings
class Sound(STFT):
    mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, needs=STFT.fft, n_bands=40, power=1.0, store=True)


tone = zounds.SineSynthesizer(rate).synthesize(zounds.Seconds(1), [440.0, 1000.0])
sound = Sound(Sound.process(meta=tone.encode()))

features = torch.nn.Sequential(
    zounds.ShortTimeFourier.from_feature(Sound.fft),
    zounds.BandBank.from_feature(Sound.mel),
)
wanted = torch.from_numpy(np.array(sound.mel))
there = features(torch.from_numpy(np.array(sound.resampled)))
print(features)
print("modules and store agree:", bool((there - wanted).abs().max() <= 1e-5 * wanted.max()))

guess = (0.01 * torch.randn(len(sound.resampled), generator=torch.Generator().manual_seed(0))).requires_grad_()
optimizer = torch.optim.Adam([guess], lr=0.01)
errors = []
for _ in range(100):
    optimizer.zero_grad()
    error = torch.nn.functional.mse_loss(torch.log1p(features(guess)), torch.log1p(wanted))
    error.backward()
    optimizer.step()
    errors.append(error.item())
print("error of the last step below a tenth of the first:", errors[-1] < 0.1 * errors[0])

found = zounds.AudioSamples(guess.detach().numpy(), rate)
found.save("found.wav")
Path("wanted.svg").write_text(figure_svg(sound.mel), "utf-8")
Path("found.svg").write_text(figure_svg(zounds.spectral.stft(found)), "utf-8")
spectrum = np.abs(zounds.spectral.fft(found))
loudest = zounds.FrequencyBand(300, 600), zounds.FrequencyBand(800, 1200)
for band in loudest:
    part = spectrum[band]
    hertz = part.dimensions[0].scale.center_frequencies[int(part.argmax())]
    print(f"loudest between {band.start_hz} and {band.stop_hz} Hz: within 30 Hz of a tone:",
          bool(min(abs(hertz - 440), abs(hertz - 1000)) < 30))  # fmt: skip
