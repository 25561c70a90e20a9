"""Small layers that networks on sound are built from.

Goal: convolutions with the normalisation, activation and dropout that usually follow them, gates, and several
resolutions at once. Conventions: channels come second, as everywhere in torch.

Classes: ``Conv1d``, ``ConvTranspose1d``, ``Conv2d``, ``ConvTranspose2d``, ``GatedConvLayer``,
``GatedConvTransposeLayer``, ``GatedLinearLayer``, ``MultiResolutionConvLayer``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._torch import Tensor, functional, nn, torch
from zounds_lite.learn.nets.normalization import sample_norm

__all__ = [
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "GatedConvLayer",
    "GatedConvTransposeLayer",
    "GatedLinearLayer",
    "MultiResolutionConvLayer",
]

_LEAKY = 0.2
_DROPOUT = 0.2


class _ConvBlock(nn.Module):
    """A convolution without bias, then a norm, an activation and dropout."""

    _kinds = ("", "", "")
    """The names of convolution, norm and dropout in ``torch.nn``, which may not be installed."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        batch_norm: bool = True,
        dropout: bool = True,
        sample_norm: bool = False,
        activation: Callable[[Tensor], Tensor] | None = None,
        dilation: Any = 1,
    ) -> None:
        super().__init__()
        if batch_norm and sample_norm:
            raise DeclarationError("batch_norm=True and sample_norm=True; allowed: one of them, or none")
        convolution, norm, drop = (getattr(nn, kind) for kind in self._kinds)
        self.conv = convolution(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, bias=False)
        self.batch_norm = norm(out_channels) if batch_norm else None
        self.dropout = drop(_DROPOUT) if dropout else None
        self.sample_norm = sample_norm
        self.activation = activation

    def init_arguments(self) -> dict[str, Any]:
        """Return the arguments that make a block like this one, as which networks are stored."""
        same = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
        return {
            **{name: getattr(self.conv, name) for name in same},
            "batch_norm": self.batch_norm is not None,
            "dropout": self.dropout is not None,
            "sample_norm": self.sample_norm,
            "activation": self.activation,
        }

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, activate, and drop out."""
        x = self.conv(x)
        if self.batch_norm is not None:
            x = self.batch_norm(x)
        if self.sample_norm:
            x = sample_norm(x)
        x = functional.leaky_relu(x, _LEAKY) if self.activation is None else self.activation(x)
        return x if self.dropout is None else self.dropout(x)


class Conv1d(_ConvBlock):
    """A convolution along time without bias, then a norm, an activation and dropout.

    Args:
        in_channels (int): channels of the input.
        out_channels (int): channels of the result.
        kernel_size (int): samples in a kernel; a tuple in two dimensions, here and below.
        stride (int): from one place of the kernel to the next.
        padding (int): as torch means it.
        batch_norm (bool): normalise over the batch.
        dropout (bool): drop numbers, or whole channels of pictures, at a rate of 0.2 while training.
        sample_norm (bool): ``sample_norm`` instead; needs ``batch_norm=False``.
        activation (Callable | None): a function of a tensor; None: a leaky ReLU with a slope of 0.2.
        dilation (int): distance between the samples of a kernel.

    Shape:
        [batch, in_channels, time] -> [batch, out_channels, feature_map_size(time, kernel_size, stride, padding)]

    Raises:
        DeclarationError: both norms.

    Examples:
        >>> import torch
        >>> Conv1d(1, 8, kernel_size=5, stride=2, padding=2)(torch.randn(4, 1, 100)).shape
        torch.Size([4, 8, 50])
    """

    _kinds = ("Conv1d", "BatchNorm1d", "Dropout")


class ConvTranspose1d(_ConvBlock):
    """As ``Conv1d``, with a transposed convolution, which makes signals longer.

    Args:
        args: those of ``Conv1d``.

    Shape:
        [batch, in_channels, time] -> [batch, out_channels, (time - 1) * stride - 2 * padding + kernel_size]

    Examples:
        >>> import torch
        >>> ConvTranspose1d(8, 1, kernel_size=4, stride=2, padding=1)(torch.randn(4, 8, 50)).shape
        torch.Size([4, 1, 100])
    """

    _kinds = ("ConvTranspose1d", "BatchNorm1d", "Dropout")


class Conv2d(_ConvBlock):
    """As ``Conv1d``, over two axes, such as time and frequency.

    Args:
        args: those of ``Conv1d``; sizes may be pairs.

    Shape:
        [batch, in_channels, time, frequency] -> [batch, out_channels, ...]

    Examples:
        >>> import torch
        >>> Conv2d(1, 8, kernel_size=3, padding=1)(torch.randn(4, 1, 20, 40)).shape
        torch.Size([4, 8, 20, 40])
    """

    _kinds = ("Conv2d", "BatchNorm2d", "Dropout2d")


class ConvTranspose2d(_ConvBlock):
    """As ``ConvTranspose1d``, over two axes, such as time and frequency.

    Args:
        args: those of ``Conv1d``; sizes may be pairs.

    Shape:
        [batch, in_channels, time, frequency] -> [batch, out_channels, ...]

    Examples:
        >>> import torch
        >>> ConvTranspose2d(8, 1, kernel_size=2, stride=2)(torch.randn(4, 8, 10, 20)).shape
        torch.Size([4, 1, 20, 40])
    """

    _kinds = ("ConvTranspose2d", "BatchNorm2d", "Dropout2d")


class _Gated(nn.Module):
    """Two linear layers alike, of which one says how much of the other passes: tanh(a) times sigmoid(b)."""

    _kind = ""

    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__()
        make = getattr(nn, self._kind)
        self.linear, self.gate = make(*sizes, **options), make(*sizes, **options)

    def forward(self, x: Tensor) -> Tensor:
        """Return what passes the gate."""
        return torch.tanh(self.linear(x)) * torch.sigmoid(self.gate(x))


class GatedConvLayer(_Gated):
    """A convolution along time with a gate: tanh(conv(x)) times sigmoid(gate(x)).

    Args:
        in_channels (int): channels of the input.
        out_channels (int): channels of the result.
        kernel_size (int): samples in a kernel.
        stride (int): from one place of the kernel to the next.
        padding (int): zeros on both sides.
        dilation (int): distance between the samples of a kernel.

    Shape:
        [batch, in_channels, time] -> [batch, out_channels, frames], between -1 and 1

    Examples:
        >>> import torch
        >>> GatedConvLayer(1, 8, 3, padding=1)(torch.randn(4, 1, 100)).shape
        torch.Size([4, 8, 100])

    Sources:
        A. van den Oord et al., "WaveNet: a generative model for raw audio" (2016), eq. 2.
    """

    _kind = "Conv1d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation = stride, padding, dilation


class GatedConvTransposeLayer(GatedConvLayer):
    """As ``GatedConvLayer``, with transposed convolutions, which make signals longer.

    Args:
        args: those of ``GatedConvLayer``.

    Shape:
        [batch, in_channels, time] -> [batch, out_channels, (time - 1) * stride - 2 * padding + kernel_size]

    Examples:
        >>> import torch
        >>> GatedConvTransposeLayer(8, 1, 4, stride=2, padding=1)(torch.randn(4, 8, 50)).shape
        torch.Size([4, 1, 100])
    """

    _kind = "ConvTranspose1d"


class GatedLinearLayer(_Gated):
    """A linear layer with a gate: tanh(linear(x)) times sigmoid(gate(x)).

    Args:
        in_channels (int): numbers on the last axis of the input.
        out_channels (int): numbers on the last axis of the result.

    Shape:
        [..., in_channels] -> [..., out_channels], between -1 and 1

    Examples:
        >>> import torch
        >>> GatedLinearLayer(16, 8)(torch.randn(4, 16)).shape
        torch.Size([4, 8])
    """

    _kind = "Linear"

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.in_channels, self.out_channels = in_channels, out_channels


class MultiResolutionConvLayer(nn.Module):
    """Convolutions along time with kernels of several sizes, side by side, whose results are as long as each other.

    Args:
        in_channels (int): channels of the input.
        out_channels (int): channels of each result.
        kernel_sizes (Sequence[int]): samples in the kernels, at least one of them.
        stride (int): from one place of the kernels to the next.

    Shape:
        [batch, in_channels, time] -> one [batch, out_channels, ceil(time / stride)] per kernel, in a list

    Raises:
        DeclarationError: no kernels.

    Examples:
        >>> import torch
        >>> [tuple(y.shape) for y in MultiResolutionConvLayer(1, 8, [3, 16, 64])(torch.randn(4, 1, 100))]
        [(4, 8, 100), (4, 8, 100), (4, 8, 100)]
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_sizes: Sequence[int], stride: int = 1) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.kernel_sizes = tuple(kernel_sizes)
        if not self.kernel_sizes:
            raise DeclarationError("kernel_sizes is empty; allowed: at least one size")
        self.convs = nn.ModuleList(nn.Conv1d(in_channels, out_channels, size, stride) for size in self.kernel_sizes)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the results of all kernels, in their order."""
        sides = [(size // 2, (size - 1) // 2) for size in self.kernel_sizes]
        return [conv(functional.pad(x, side)) for conv, side in zip(self.convs, sides, strict=True)]
