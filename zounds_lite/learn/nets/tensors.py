"""Tensors and arrays: what goes into a network, and what comes out.

Functions: ``tensor_of``, ``dtype_of``, ``plain``; ``check_network``.
"""

from itertools import chain
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._torch import nn, torch

__all__ = ["check_network", "dtype_of", "plain", "tensor_of"]


def tensor_of(array: Any, dtype: Any, device: Any) -> Any:
    """Return a tensor of what a batch holds.

    Args:
        array (np.ndarray | Tensor): floating-point numbers become ``dtype``, integers ``int64``.
        dtype (torch.dtype): that of the network's weights.
        device (torch.device): where it goes.
    """
    if isinstance(array, torch.Tensor):
        return array.to(device)
    numbers = np.asarray(array)
    if numbers.dtype.kind in "iu":
        numbers = numbers.astype(np.int64)
    native = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    tensor = torch.from_numpy(np.require(native, requirements=["C", "W"]))
    return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)


def dtype_of(network: Any) -> Any:
    """Return the precision of a network: that of its first weight."""
    weights = chain(network.parameters(), network.buffers())
    return next((w.dtype for w in weights if w.is_floating_point()), torch.get_default_dtype())


def plain(value: Any) -> Any:
    """Return what a network made as arrays."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    return {name: plain(item) for name, item in value.items()} if isinstance(value, dict) else value


def check_network(name: str, network: Any) -> None:
    """Refuse what is no network.

    Raises:
        DeclarationError: it is none.
    """
    if not isinstance(network, nn.Module):
        raise DeclarationError(f"{name}={network!r:.100}; needed: a torch nn.Module")
