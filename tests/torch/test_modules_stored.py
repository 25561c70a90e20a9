"""Modules are stored as their arguments and weights, and made again; in the lineage they count by what they are."""

import pytest
import torch

import zounds_lite as zounds
from zounds_lite import learn
from zounds_lite._declared import Declared, describe
from zounds_lite.learn.nets.describing import described
from zounds_lite.learn.nets.storing import StoredNetwork
from zounds_lite.spectral import AWeighting, ExplicitScale

SCHEME = zounds.SR8000().windowing_scheme(16, 8)
BANDS = zounds.LinearScale(zounds.FrequencyBand(500, 3500), 2)
FOURIER = learn.ShortTimeFourier(8000, SCHEME, None, pad=True, padding_samples=2)
MODULES = {
    "fourier": lambda: learn.ShortTimeFourier(8000, SCHEME, None, pad=True, padding_samples=2),
    "cosine": lambda: learn.ModifiedCosine(8000, SCHEME),
    "bands": lambda: learn.BandBank(BANDS, FOURIER.scale, zounds.HanningWindowingFunc(), 2),
    "mel": lambda: learn.MelBank(zounds.SlaneyMelScale(zounds.FrequencyBand(0, 4000), 4), FOURIER.scale, 1),
    "constant-q": lambda: learn.ConstantQBank(8000, zounds.Milliseconds(2), 500.0, 8, 6, 0.5, "hamming"),
    "filters": lambda: learn.FilterBank(8000, 32, BANDS, [0.5, 0.25], a_weighting=False),
    "sinc": lambda: learn.SincLayer(ExplicitScale(BANDS.bands), 63, zounds.SR8000()),
    "loss": lambda: learn.PerceptualLoss(BANDS, 8000, zounds.HanningWindowingFunc(), 64, 3, 10, AWeighting(), False),
    "conv": lambda: learn.Conv1d(1, 2, 3, 2, 1, dropout=False),
    "upwards": lambda: learn.ConvTranspose1d(1, 2, 3, batch_norm=False, sample_norm=True),
    "gate": lambda: learn.GatedConvLayer(1, 2, 3, dilation=2),
    "gate upwards": lambda: learn.GatedConvTransposeLayer(1, 2, 4, 2),
    "gated": lambda: learn.GatedLinearLayer(40, 3),
    "resolutions": lambda: learn.MultiResolutionConvLayer(1, 2, [3, 8], 2),
}
every_module = pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)


def _outputs(module):
    x = torch.randn(3, 1, 40, generator=torch.Generator().manual_seed(0))
    module = module.eval()
    if isinstance(module, learn.BandBank):
        return module(FOURIER(x))
    return module(x, x.flip(-1)) if isinstance(module, learn.PerceptualLoss) else module(x)


@every_module
def test_a_module_is_stored_as_data_and_made_again(make):
    module = make()
    stored = StoredNetwork.of(module)
    again = Declared.from_dict(stored.spec.to_dict()).build()
    again.load_state_dict(module.state_dict())
    torch.testing.assert_close(_outputs(again), _outputs(module), rtol=0, atol=0)
    assert repr(again) == repr(module)


@every_module
def test_a_module_counts_in_the_lineage_by_what_it_is(make):
    others = [describe(described(other())) for other in MODULES.values()]
    assert others.count(describe(described(make()))) == 1
