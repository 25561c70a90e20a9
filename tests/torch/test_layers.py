"""Layers, norms, and networks applied to arrays."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import zounds_lite as zounds
from zounds_lite import learn
from zounds_lite.errors import DeclarationError, DimensionError


@pytest.mark.parametrize("block", [learn.Conv1d, learn.ConvTranspose1d, learn.Conv2d, learn.ConvTranspose2d])
def test_blocks_convolve_normalise_activate_and_drop_out(block):
    size = (20,) if "1d" in block.__name__ else (20, 12)
    x = torch.randn(4, 3, *size, generator=torch.Generator().manual_seed(0))
    plain = block(3, 5, 3, padding=1, batch_norm=False, dropout=False)
    assert plain.conv.bias is None and plain(x).shape == (4, 5, *size)
    torch.testing.assert_close(plain(x), torch.nn.functional.leaky_relu(plain.conv(x), 0.2))
    full = block(3, 5, 3, 1, 1)
    assert full.dropout.p == 0.2 and isinstance(full.batch_norm, torch.nn.modules.batchnorm._BatchNorm)
    assert (full(x) == 0).any() and not (full.eval()(x) == 0).any()
    normed = block(3, 5, 3, padding=1, batch_norm=False, dropout=False, sample_norm=True, activation=torch.abs)
    torch.testing.assert_close(normed(x).square().mean(dim=1), torch.ones(4, *size), rtol=1e-3, atol=1e-3)
    with pytest.raises(DeclarationError, match="allowed: one of them"):
        block(3, 5, 3, sample_norm=True)


def test_gates_let_pass_what_they_say():
    x = torch.randn(4, 3, 20, generator=torch.Generator().manual_seed(0))
    for layer, shape in (
        (learn.GatedConvLayer(3, 5, 3, stride=2, padding=2, dilation=2), (4, 5, 10)),
        (learn.GatedConvTransposeLayer(3, 5, 4, stride=2, padding=1), (4, 5, 40)),
    ):
        found = layer(x)
        assert found.shape == shape
        torch.testing.assert_close(found, torch.tanh(layer.linear(x)) * torch.sigmoid(layer.gate(x)))
    linear = learn.GatedLinearLayer(20, 7)
    assert linear(x).shape == (4, 3, 7) and float(linear(x).detach().abs().max()) < 1
    with torch.no_grad():
        linear.gate.bias.fill_(-1000)
    assert not linear(x).any()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_resolutions_side_by_side_are_as_long_as_each_other(stride):
    layer = learn.MultiResolutionConvLayer(1, 4, [1, 2, 7, 64], stride)
    x = torch.randn(2, 1, 50)
    assert [tuple(y.shape) for y in layer(x)] == [(2, 4, -(-50 // stride))] * 4
    assert len(list(layer.parameters())) == 8
    with pytest.raises(DeclarationError, match="kernel_sizes is empty"):
        learn.MultiResolutionConvLayer(1, 4, [])


@pytest.mark.parametrize("norm", [learn.batchwise_unit_norm, learn.batchwise_mean_std_normalization, learn.sample_norm])
def test_norms_keep_shapes_zeros_and_gradients(norm):
    x = torch.randn(3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert norm(x).shape == x.shape and gradcheck(norm, x)
    zeros = torch.zeros(3, 4, 5, requires_grad=True)
    norm(zeros).sum().backward()
    assert not norm(zeros).any() and torch.isfinite(zeros.grad).all()


def test_norms_are_what_they_say():
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(learn.batchwise_unit_norm(x).flatten(1).norm(dim=1), torch.ones(3))
    rows = learn.batchwise_mean_std_normalization(x).flatten(1)
    torch.testing.assert_close(rows.mean(dim=1), torch.zeros(3), rtol=0, atol=1e-6)
    torch.testing.assert_close(rows.std(dim=1, correction=0), torch.ones(3))
    torch.testing.assert_close(learn.sample_norm(x).square().mean(dim=1), torch.ones(3, 5), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        learn.batchwise_unit_norm(x).numpy(), learn.example_wise_unit_norm(x.numpy()), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("chunksize", [None, 1, 4, 100])
def test_a_network_is_applied_to_arrays_in_its_mode_of_evaluation(chunksize):
    network = torch.nn.Sequential(torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 2))
    network[0].eval()
    x = np.random.default_rng(0).standard_normal((10, 6)).astype(np.float32)
    x.flags.writeable = False
    found = learn.apply_network(network, x, chunksize)
    np.testing.assert_allclose(found, network[2](torch.tensor(x)).detach(), atol=1e-4)
    assert isinstance(found, np.ndarray) and network.training and not network[0].training
    assert learn.apply_network(network, x.astype(np.float64), chunksize).dtype == np.float32
    assert learn.apply_network(network, x[:0], chunksize).shape == (0, 2)


def test_networks_and_arrays_that_do_not_fit():
    network = torch.nn.Linear(6, 2)
    with pytest.raises(DeclarationError, match="chunksize=0"):
        learn.apply_network(network, np.ones((3, 6)), 0)
    with pytest.raises(DimensionError, match="a single number is no batch"):
        learn.apply_network(network, np.float32(1))
    pair = learn.MultiResolutionConvLayer(1, 4, [3])
    with pytest.raises(DeclarationError, match="MultiResolutionConvLayer returned list"):
        learn.apply_network(pair, np.ones((1, 1, 9)))
    assert pair.training


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), [(100, 5, 2, 2), (7, 7, 1, 0), (9, 4, 3, 1)])
def test_the_size_of_a_map_is_that_of_torch(size, kernel, stride, padding):
    wanted = torch.nn.Conv1d(1, 1, kernel, stride, padding)(torch.ones(1, 1, size)).shape[-1]
    found = learn.feature_map_size(size, kernel, stride, padding)
    assert found == wanted and isinstance(found, int)


def test_sizes_that_no_map_has():
    with pytest.raises(DeclarationError, match="a kernel of 9 on an axis of 4 with a padding of 1: it does not fit"):
        learn.feature_map_size(4, 9, padding=1)
    with pytest.raises(DeclarationError, match="stride=0; allowed"):
        learn.feature_map_size(4, 2, stride=0)


def test_public_names_are_those_of_the_modules():
    for name in ("FilterBank", "SincLayer", "PerceptualLoss", "ShortTimeFourier", "ModifiedCosine", "ConstantQBank"):
        assert getattr(zounds, name) is getattr(learn, name) and issubclass(getattr(learn, name), torch.nn.Module)
