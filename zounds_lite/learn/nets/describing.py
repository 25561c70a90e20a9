"""Networks in the lineage: by what they are, not by the weights that they begin or end with.

Goal: a stored pipeline stays fresh while its network is trained, and when a new process makes the network with other
random weights; it is stale when the code, the layers or the arguments change. Function: ``described``.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite._declared.description import describe, describes, inside, sees_subclasses
from zounds_lite.learn.nets._torch import nn, torch

__all__ = ["described"]


def described(value: Any) -> Any:
    """Return what stands for an argument of a trainer in the lineage.

    Args:
        value (Any): a network or a loss counts by its code, its layers and its plain attributes, and sizes of weights;
            anything else as it is.
    """
    return _network(value) if isinstance(value, nn.Module) else value


def _network(network: Any) -> dict[str, Any]:
    return {"layers": [dict(_layer(name, layer)) for name, layer in network.named_modules()]}


def _layer(name: str, layer: Any) -> Iterator[tuple[str, Any]]:
    yield "name", name
    yield "kind", type(layer)
    own = {key: value for key, value in vars(layer).items() if not key.startswith("_") and key != "training"}
    yield "attributes", {key: _plain(value) for key, value in sorted(own.items())}
    weights = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
    yield "weights", [(key, list(value.shape), str(value.dtype)) for key, value in weights]


def _plain(value: Any) -> Any:
    """Tensors count by their sizes, as weights do."""
    if isinstance(value, torch.Tensor):
        return "tensor", list(value.shape), str(value.dtype)
    if isinstance(value, (torch.dtype, torch.device, torch.Size)):
        return str(value)
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    return {key: _plain(item) for key, item in value.items()} if type(value) is dict else value


@sees_subclasses
def _describe_network(network: Any) -> Any:
    with inside(network) as again:
        return {"network": again if again else describe(_network(network))}


if isinstance(nn.Module, type) and hasattr(nn.Module, "state_dict"):  # torch is there
    describes(nn.Module)(_describe_network)
