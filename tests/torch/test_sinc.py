"""``SincLayer``: filters that begin at the bands of the scale, stay finite, and learn."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import ExplicitScale, FrequencyBand, GeometricScale, LinearScale, MelScale

RATE = 11025
DOCUMENTED = ExplicitScale([FrequencyBand(100, 200), FrequencyBand(400, 500), FrequencyBand(3000, 4000)])


def half_gains(layer):
    """Where the gain of each filter rises to a half and falls below it again, in Hz, and its gain in between."""
    n = 2**17
    gains = np.abs(np.fft.rfft(layer.filters().detach().double().numpy(), n))
    hz = np.arange(n // 2 + 1) * layer.samplerate.rate / n
    edges = [hz[np.flatnonzero(gain > 0.5)[[0, -1]]] for gain in gains]
    return np.array(edges), gains.max(axis=1)


@pytest.mark.parametrize(
    ("scale", "taps"),
    [
        (DOCUMENTED, 256),
        (DOCUMENTED, 255),
        (LinearScale(FrequencyBand(0, 5512.5), 16), 256),
        (LinearScale(FrequencyBand(0, 5512.5), 16), 127),
        (MelScale(FrequencyBand(100, 5000), 32), 1024),
        (GeometricScale(100, 4000, 0.2, 20), 2047),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "bands") else str(value),
)
def test_filters_begin_at_the_bands_of_the_scale(scale, taps):
    found, gains = half_gains(zounds.SincLayer(scale, taps, RATE))
    wanted = np.stack([scale.band_starts, scale.band_stops], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=0.05, atol=0.05)
    assert ((gains > 0.9) & (gains < 1.01)).all()


@pytest.mark.parametrize("taps", [4, 5, 64, 65])
def test_results_are_as_long_as_signals_and_not_delayed(taps):
    layer = zounds.SincLayer(LinearScale(FrequencyBand(0, 5512.5), 1), taps, RATE)
    x = torch.randn(3, 2, 100, generator=torch.Generator().manual_seed(0))
    assert layer(x).shape == (6, 1, 100)
    # all frequencies pass as they are
    torch.testing.assert_close(layer(x)[:, 0], x.flatten(0, 1), rtol=0, atol=1e-5)
    assert layer(torch.zeros(100)).shape == (1, 1, 100) and layer(torch.zeros(2, 0)).shape == (2, 1, 0)


def test_a_band_from_zero_hertz_learns_to_leave_it():
    layer = zounds.SincLayer(LinearScale(FrequencyBand(0, 4000), 4), 65, RATE)
    assert torch.isfinite(layer.filters()).all()
    layer(torch.ones(1, 200)).square().mean().backward()
    assert float(layer.edges.grad[0, 0]) < 0
    with torch.no_grad():
        layer.edges -= 0.001 * layer.edges.grad.sign()
    assert float(layer.band_edges()[0, 0].detach()) > 0


def test_edges_stay_in_order_and_below_half_the_rate():
    layer = zounds.SincLayer(DOCUMENTED, 255, RATE)
    with torch.no_grad():
        layer.edges[:] = torch.tensor([[-0.1, 0.05], [0.3, 0.2], [0.4, 0.9]])
    torch.testing.assert_close(layer.band_edges(), torch.tensor([[0.1, 0.15], [0.3, 0.4], [0.4, 0.5]]))


def test_bands_beyond_what_can_be_heard_are_cut_or_refused():
    layer = zounds.SincLayer(ExplicitScale([FrequencyBand(-100, 1000), FrequencyBand(4000, 9000)]), 255, RATE)
    torch.testing.assert_close(layer.band_edges(), torch.tensor([[0, 1000 / RATE], [4000 / RATE, 0.5]]))
    with pytest.raises(DeclarationError, match=r"bands that reach 0..5512.5 Hz"):
        zounds.SincLayer(ExplicitScale([FrequencyBand(6000, 9000)]), 255, RATE)


def test_gradients_flow_to_edges_and_samples():
    layer = zounds.SincLayer(LinearScale(FrequencyBand(0, 5512.5), 2), 9, RATE).double()
    x = torch.randn(2, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    # inside of the bounds, where the gradient is that of both sides
    start = torch.tensor([[0.05, 0.2], [0.22, 0.45]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda given, edges: torch.func.functional_call(layer, {"edges": edges}, given), (x, start))


def test_edges_are_what_is_stored():
    layer = zounds.SincLayer(DOCUMENTED, 255, RATE)
    assert list(layer.state_dict()) == ["edges"]
    other = zounds.SincLayer(LinearScale(FrequencyBand(0, 5000), 3), 255, RATE)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(1, 300)
    torch.testing.assert_close(other(x), layer(x))


def test_arguments_that_do_not_fit():
    with pytest.raises(DeclarationError, match="scale=3; allowed"):
        zounds.SincLayer(3, 255, RATE)
    with pytest.raises(DeclarationError, match="taps=1; allowed: a whole number, 2 or more"):
        zounds.SincLayer(DOCUMENTED, 1, RATE)
    with pytest.warns(UserWarning, match=r"64 taps cannot resolve bands of 100.0 Hz.*use about 442 taps"):
        zounds.SincLayer(DOCUMENTED, 64, RATE)
