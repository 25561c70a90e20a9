"""Differentiable transforms, as torch modules.

Goal: the transforms of ``spectral`` inside a network, made of the same scales, windows and filters, and equal to them.
Conventions: time is the last axis of samples, and frames and bands the last two of what comes out; any axes before them
are batches and channels. Modules have no parameters, and their buffers follow from their arguments, so ``state_dict``
holds nothing of them; they move with ``to`` and are exact in ``double()``. Gradients flow through all of them and
through their inverses.

- ``ShortTimeFourier`` and its inverse: ``stft``, ``FFTSynthesizer``;
- ``ModifiedCosine`` and its inverse: ``MDCT``, ``MDCTSynthesizer``;
- ``BandBank``: ``apply_scale``, ``BarkBands``; ``MelBank`` and its inverse: ``mel_bands``, ``mel_to_magnitude``;
- ``ConstantQBank`` and its inverse: ``cqt``, ``CQTSynthesizer``.
"""

from zounds_lite.learn.nets.transforms.bands import BandBank, MelBank
from zounds_lite.learn.nets.transforms.constantq import ConstantQBank
from zounds_lite.learn.nets.transforms.cosine import ModifiedCosine
from zounds_lite.learn.nets.transforms.fourier import ShortTimeFourier

__all__ = ["BandBank", "ConstantQBank", "MelBank", "ModifiedCosine", "ShortTimeFourier"]
