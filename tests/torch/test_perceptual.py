"""``PerceptualLoss``: the same sounds, other sounds, and what decides how far apart they are."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import AWeighting, FrequencyBand, LinearScale, MelScale, fir_filter_bank

RATE = 11025
SCALE = MelScale(FrequencyBand(300, 4000), 16)


def _noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("weighting", [None, AWeighting(), np.linspace(1, 2, 16)], ids=["none", "A", "array"])
def test_the_same_sounds_are_as_close_as_can_be(weighting):
    x = _noise(3, 1, 1000)
    cosine = zounds.PerceptualLoss(SCALE, RATE, frequency_weighting=weighting)
    squared = zounds.PerceptualLoss(SCALE, RATE, frequency_weighting=weighting, cosine_similarity=False)
    assert float(cosine(x, x)) == pytest.approx(-1, abs=1e-6) and float(squared(x, x)) == 0
    for loss in (cosine, squared):
        near, far = loss(x, x + 0.1 * _noise(3, 1, 1000, seed=1)), loss(x, _noise(3, 1, 1000, seed=2))
        assert loss(x, x) < near < far and near.ndim == 0
        torch.testing.assert_close(loss(x[:, 0], x[:, 0]), loss(x, x))


def test_features_are_what_is_documented():
    window = np.exp(-0.5 * ((np.arange(100) - 49.5) / 3) ** 2)
    x = _noise(2, 400)
    loss = zounds.PerceptualLoss(SCALE, RATE, basis_size=256, lap=3, log_factor=10, frequency_weighting=AWeighting())
    assert loss.features(x).shape == (2, 16, (400 + 256) // 3 + 1)
    bank = np.asarray(fir_filter_bank(SCALE, 256, RATE, window))
    padded = np.pad(x[1].numpy(), 256)
    heard = np.array([np.correlate(padded, taps, "valid")[::3] for taps in bank])
    wanted = np.log(1 + 10 * np.maximum(heard, 0)) * AWeighting().weights(SCALE)[:, None]
    np.testing.assert_allclose(loss.features(x)[1], wanted, rtol=1e-4, atol=1e-4)
    given = zounds.PerceptualLoss(SCALE, RATE, window, 256, 3, 10, AWeighting())
    torch.testing.assert_close(given.features(x), loss.features(x))


def test_silence_is_finite():
    loss = zounds.PerceptualLoss(SCALE, RATE)
    x = torch.zeros(2, 600, requires_grad=True)
    found = loss(x, torch.zeros(2, 600))
    found.backward()
    assert float(found.detach()) == 0 and torch.isfinite(x.grad).all()


@pytest.mark.parametrize("cosine", [True, False])
def test_gradients_flow(cosine):
    scale = LinearScale(FrequencyBand(1000, 4000), 2)
    loss = zounds.PerceptualLoss(scale, RATE, np.ones(2), basis_size=16, cosine_similarity=cosine).double()
    x = _noise(2, 20).double().requires_grad_()
    assert gradcheck(lambda given: loss(given, _noise(2, 20, seed=1).double()), x)


def test_filters_and_weights_move_with_the_module():
    loss = zounds.PerceptualLoss(SCALE, RATE, frequency_weighting=AWeighting()).double()
    assert {name: buffer.dtype for name, buffer in loss.named_buffers()} == {
        "filter_bank": torch.float64,
        "weights": torch.float64,
    }
    np.testing.assert_array_equal(loss.weights[:, 0].numpy(), AWeighting().weights(SCALE))


def test_arguments_and_sounds_that_do_not_fit():
    loss = zounds.PerceptualLoss(SCALE, RATE)
    with pytest.raises(DimensionError, match=r"shapes \(2, 100\) and \(1, 100\): give pairs"):
        loss(torch.ones(2, 100), torch.ones(1, 100))
    with pytest.raises(DimensionError, match="needed: at least one sample"):
        loss(torch.ones(2, 0), torch.ones(2, 0))
    with pytest.raises(DimensionError, match=r"frequency_weighting of shape \(3,\); needed: \(16,\)"):
        zounds.PerceptualLoss(SCALE, RATE, frequency_weighting=np.ones(3))
    with pytest.raises(DeclarationError, match="log_factor=0; allowed"):
        zounds.PerceptualLoss(SCALE, RATE, log_factor=0)
    with pytest.raises(DeclarationError, match="lap=0; allowed"):
        zounds.PerceptualLoss(SCALE, RATE, lap=0)
    with pytest.raises(DeclarationError, match="scale=None"):
        zounds.PerceptualLoss(None, RATE)
    with pytest.warns(UserWarning, match="8 taps cannot resolve"):
        zounds.PerceptualLoss(SCALE, RATE, basis_size=8)
