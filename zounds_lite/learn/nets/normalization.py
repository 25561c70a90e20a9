"""Normalisation of tensors.

Goal: what networks on sound do to their inputs between layers. Conventions: examples come first, channels second.
Zeros stay zeros, and gradients are finite there. Functions: ``sample_norm``, ``batchwise_unit_norm``,
``batchwise_mean_std_normalization``.
"""

from zounds_lite.learn.nets._torch import Tensor

__all__ = ["batchwise_mean_std_normalization", "batchwise_unit_norm", "sample_norm"]


def sample_norm(x: Tensor, epsilon: float = 1e-7) -> Tensor:
    """Divide the channels of each sample by their root mean square.

    Args:
        x (Tensor): channels on the second axis.
        epsilon (float): added to the mean of squares, so that silence stays silent.

    Shape:
        [batch, channels, ...] -> [batch, channels, ...]

    Examples:
        >>> import torch
        >>> sample_norm(torch.tensor([[[3.0], [4.0]]])).square().mean()
        tensor(1.)

    Sources:
        T. Karras et al., "Progressive growing of GANs for improved quality, stability, and variation", ICLR 2018,
        section 4.2.
    """
    return x * (x.square().mean(dim=1, keepdim=True) + epsilon).rsqrt()


def batchwise_unit_norm(x: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Divide each example by its Euclidean norm; one of zeros stays zero.

    Args:
        x (Tensor): examples on the first axis.
        epsilon (float): added to the norm.

    Shape:
        [batch, ...] -> [batch, ...]

    Examples:
        >>> import torch
        >>> batchwise_unit_norm(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])

    See Also:
        example_wise_unit_norm: of arrays.
    """
    rows = x.flatten(1)
    return (rows / (rows.norm(dim=1, keepdim=True) + epsilon)).reshape(x.shape)


def batchwise_mean_std_normalization(x: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Bring each example to a mean of 0 and a standard deviation of 1; a constant one becomes 0.

    Args:
        x (Tensor): examples on the first axis.
        epsilon (float): added to the standard deviation.

    Shape:
        [batch, ...] -> [batch, ...]

    Examples:
        >>> import torch
        >>> batchwise_mean_std_normalization(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).round(decimals=3)
        tensor([[-1.,  1.],
                [ 0.,  0.]])
    """
    rows = x.flatten(1)
    centred = rows - rows.mean(dim=1, keepdim=True)
    # a norm has a gradient where all is zero, which the root of a variance has none of
    spread = centred.norm(dim=1, keepdim=True) * max(1, rows.shape[1]) ** -0.5
    return (centred / (spread + epsilon)).reshape(x.shape)
