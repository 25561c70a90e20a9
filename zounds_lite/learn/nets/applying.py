"""Networks applied to arrays, and the sizes that they make. Functions: ``apply_network``, ``feature_map_size``."""

from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.learn.nets._tables import check_size
from zounds_lite.learn.nets._torch import nn, torch

__all__ = ["apply_network", "feature_map_size"]


def apply_network(network: Any, x: Any, chunksize: int | None = None) -> np.ndarray:
    """Apply a network to an array, without gradients and as it is used after training.

    The network is in its mode of evaluation meanwhile, so that neither dropout nor the rest of the batch changes a
    result, and returns to the mode it was in. It is given numbers of its own precision, where it is its parameters' or
    buffers', on its own device.

    Args:
        network (nn.Module): a network of one tensor, examples on the first axis.
        x (np.ndarray): examples on the first axis; units are left behind.
        chunksize (int | None): examples that the network is given at once, >= 1; None: all.

    Shape:
        [examples, ...] -> [examples, ...]

    Raises:
        DimensionError: a single number.
        DeclarationError: a chunksize below 1, or a network that returns no tensor.

    Examples:
        >>> import torch
        >>> apply_network(torch.nn.Flatten(), np.ones((5, 2, 2), np.float32), chunksize=2).shape
        (5, 4)
    """
    examples = np.asarray(x)
    if examples.ndim == 0:
        raise DimensionError("a single number is no batch: give examples on the first axis")
    if chunksize is not None:
        check_size("chunksize", chunksize)
    step = max(1, len(examples)) if chunksize is None else int(chunksize)
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            parts = [
                _applied(network, examples[start : start + step]) for start in range(0, max(1, len(examples)), step)
            ]
    finally:
        for module, mode in modes.items():
            module.training = mode
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _applied(network: "nn.Module", examples: np.ndarray) -> np.ndarray:
    like = next((t for t in (*network.parameters(), *network.buffers()) if t.is_floating_point()), None)
    # a copy: the network may write to its input, and torch warns of read-only arrays, such as memory maps
    given = torch.from_numpy(np.array(examples))
    if like is not None:
        given = given.to(like.device, like.dtype if given.is_floating_point() else given.dtype)
    out = network(given)
    if not isinstance(out, torch.Tensor):
        raise DeclarationError(f"{type(network).__name__} returned {type(out).__name__}; allowed: one tensor")
    return out.cpu().numpy()


def feature_map_size(inp: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Return how many places a kernel of a convolution or pooling takes along an axis.

    Args:
        inp (int): size of the axis.
        kernel (int): size of the kernel, >= 1.
        stride (int): from one place to the next, >= 1.
        padding (int): zeros on both sides, >= 0.

    Raises:
        DeclarationError: sizes out of range, or a kernel that does not fit.

    Examples:
        >>> feature_map_size(100, kernel=5, stride=2, padding=2)
        50
    """
    for name, value, least in (("inp", inp, 0), ("kernel", kernel, 1), ("stride", stride, 1), ("padding", padding, 0)):
        check_size(name, value, least)
    if inp + 2 * padding < kernel:
        raise DeclarationError(f"a kernel of {kernel} on an axis of {inp} with a padding of {padding}: it does not fit")
    return int((inp + 2 * padding - kernel) // stride + 1)
