"""Networks as data: a class by its name, the arguments of its constructor, and its weights as arrays.

Goal: a stored network is read in another process without running anything that was stored: the class must have been
imported, under its name, by the program itself. Conventions: a constructor's arguments are the attributes of the same
names, or what the network's ``init_arguments`` (a dict, or a method that returns one) says; they are plain values,
declared types, and other networks; ``nn.Sequential`` and its kin are stored by their layers. What is read back is in
eval mode, on the CPU. Classes: ``StoredNetwork``, ``NetworkSpec``.
"""

import inspect
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self

import numpy as np

from zounds_lite._declared import Declared, encode
from zounds_lite.errors import DeclarationError, NetworkMismatch, UnknownTypeError, ZoundsError
from zounds_lite.learn.nets._torch import nn, torch

__all__ = ["NetworkSpec", "StoredNetwork"]

_RNN = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
_SHOWN = 5
"""Differences that an error lists."""


class NetworkSpec(Declared):
    """What a network is made from: its class, by name, and the arguments of its constructor.

    Args:
        kind (str): the qualified name of the class.
        module (str): where it was declared; where several classes have the name, the one from here is meant.
        arguments (dict): of the constructor.
        layers (dict | None): of a container, by name.
    """

    def __init__(self, kind: str, module: str, arguments: Any = None, layers: Any = None) -> None:
        super().__init__(kind=kind, module=module, arguments=arguments, layers=layers)

    kind: str
    module: str
    arguments: dict[str, Any] | None
    layers: dict[str, Any] | None

    @classmethod
    def of(cls, network: Any) -> Self:
        """Say what a network is made from.

        Raises:
            NetworkMismatch: an argument of its constructor is no attribute of it, or no plain value.
        """
        kind = type(network)
        where = kind.__qualname__, kind.__module__
        if kind in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
            return cls(*where, layers={name: cls.of(layer) for name, layer in network.named_children()})
        return cls(*where, {name: _value(kind, name, value) for name, value in _arguments(network)})

    def describe(self) -> dict[str, Any]:
        return {name: value for name, value in super().describe().items() if name != "module"}

    def build(self) -> Any:
        """Make the network anew, with weights of its own.

        Raises:
            UnknownTypeError: the class is not among those that are loaded.
        """
        kind = _class_of(self.kind, self.module)
        if self.layers is None:
            return kind(**{name: _built(value) for name, value in (self.arguments or {}).items()})
        layers = {name: spec.build() for name, spec in self.layers.items()}
        return kind(layers.values()) if kind is nn.ModuleList else _filled(kind(), layers)


def _filled(container: Any, layers: dict[str, Any]) -> Any:
    for name, layer in layers.items():
        container.add_module(name, layer)
    return container


def _built(value: Any) -> Any:
    if isinstance(value, NetworkSpec):
        return value.build()
    if type(value) in (list, tuple):
        return type(value)(_built(item) for item in value)
    return {key: _built(item) for key, item in value.items()} if type(value) is dict else value


def _arguments(network: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arguments that would make a network like this one."""
    said = getattr(network, "init_arguments", None)
    if said is not None:
        yield from (said() if callable(said) else said).items()
        return
    kind = type(network)
    owner = next(base for base in kind.__mro__ if "__init__" in vars(base))
    is_torch = owner.__module__.startswith("torch.nn.")
    if is_torch and isinstance(network, nn.RNNBase):
        own = {nn.LSTM: ("proj_size",), nn.RNN: ("nonlinearity",)}.get(kind, ())
        yield from ((name, getattr(network, name)) for name in (*_RNN, *own))
        return
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if is_torch and (name in ("device", "dtype") or (name.startswith("_") and not hasattr(network, name))):
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if kind.__init__ is nn.Module.__init__:
                continue
            raise _unstorable(kind, f"its constructor takes *{name}")
        if not hasattr(network, name):
            raise _unstorable(kind, f"its constructor takes {name}, and it has no attribute of this name")
        value = getattr(network, name)
        if is_torch and name == "bias" and not isinstance(value, bool):
            value = value is not None
        yield name, value


def _unstorable(kind: type, why: str) -> NetworkMismatch:
    return NetworkMismatch(
        f"{kind.__qualname__} cannot be stored as data: {why}; keep each argument of the constructor as an attribute "
        "of its name, or define init_arguments(self), which returns them as a dict"
    )


def _value(kind: type, name: str, value: Any) -> Any:
    """Return what stands for an argument: itself, or a spec of a network."""
    if isinstance(value, nn.Module):
        return NetworkSpec.of(value)
    if type(value) in (list, tuple):
        return type(value)(_value(kind, name, item) for item in value)
    if type(value) is dict:
        return {key: _value(kind, name, item) for key, item in value.items()}
    if type(value) is np.ndarray and value.dtype.kind in "biufc":
        return value
    try:
        encode(value)
    except DeclarationError as error:
        raise _unstorable(kind, f"its attribute {name} is {type(value).__name__}, which is no plain value") from error
    return value


def _class_of(kind: str, module: str) -> Any:
    """Return the network class of that name among those that are loaded; a name is never imported."""
    found = [cls for cls in _loaded(nn.Module) if cls.__qualname__ == kind]
    exact = [cls for cls in found if cls.__module__ == module]
    if exact:
        return exact[-1]  # declared anew, as in a notebook: the last one counts
    modules = sorted({cls.__module__ for cls in found})
    if len(modules) == 1:
        return found[-1]
    if modules:
        raise UnknownTypeError(
            f"a stored network names the class {kind!r} of {module!r}; there are others of this name, in "
            f"{', '.join(modules)}: import the module that declares it, then read again"
        )
    raise UnknownTypeError(
        f"a stored network names the class {kind!r}, which this process does not know; import the module that declares "
        f"it (it was {module!r} when the network was stored), then read again"
    )


def _loaded(base: Any) -> Iterator[Any]:
    """Yield all subclasses, but for the parts of torch that make networks out of code."""
    waiting, seen = list(type.__subclasses__(base)), set()
    while waiting:
        cls = waiting.pop(0)
        if cls not in seen:
            seen.add(cls)
            waiting.extend(type.__subclasses__(cls))
            if not cls.__module__.startswith("torch.") or cls.__module__.startswith("torch.nn."):
                yield cls


class StoredNetwork(Declared):
    """A network as data.

    Args:
        spec (NetworkSpec): what it is made from.
        weights (dict[str, np.ndarray]): its ``state_dict``.
        torch (str): the version of torch that made it.

    Examples:
        >>> trained = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
        >>> stored = StoredNetwork.of(trained)
        >>> sorted(stored.weights), stored.network.training
        (['0.bias', '0.weight'], False)
        >>> x = torch.ones(1, 3)
        >>> bool((stored.network(x) == trained(x)).all())
        True
    """

    def __init__(self, spec: Any, weights: Any, torch: str) -> None:
        super().__init__(spec=spec, weights=weights, torch=torch)

    spec: NetworkSpec
    weights: dict[str, np.ndarray]
    torch: str

    def validate(self) -> None:
        if not isinstance(self.spec, NetworkSpec) or not isinstance(self.weights, dict):
            raise DeclarationError(f"a stored network has a spec and weights by name, got {self.spec!r:.100}")

    @classmethod
    def of(cls, network: Any) -> "StoredNetwork":
        """Copy what a network is made from, and its weights.

        Raises:
            NetworkMismatch: it cannot be stored as data.
        """
        weights = {}
        for name, value in network.state_dict().items():
            if not isinstance(value, torch.Tensor):
                raise _unstorable(type(network), f"its state {name} is {type(value).__name__}, no tensor")
            try:
                weights[name] = value.detach().to("cpu", copy=True).numpy()
            except (TypeError, RuntimeError) as error:  # numpy has no such numbers
                raise _unstorable(type(network), f"its weight {name} has the dtype {value.dtype}") from error
        return cls(NetworkSpec.of(network), weights, str(torch.__version__))

    def describe(self) -> dict[str, Any]:
        """Say what counts: not which version of torch it was."""
        return {name: value for name, value in super().describe().items() if name != "torch"}

    @cached_property
    def network(self) -> Any:
        """The network, in eval mode, on the CPU; the same one each time.

        Raises:
            UnknownTypeError: its class is not among those that are loaded.
            NetworkMismatch: the class is no longer what it was.
        """
        try:
            with torch.random.fork_rng(devices=[]):  # its first weights are random, and nobody needs them
                network = self.spec.build()
        except ZoundsError:
            raise
        except Exception as error:
            raise self._mismatch(f"its constructor refuses the stored arguments ({str(error)[:200]})") from error
        floating = [w.dtype for w in self.weights.values() if w.dtype.kind == "f"]
        if floating:
            network.to(torch.from_numpy(np.zeros(0, floating[0])).dtype)
        now = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        then = {name: weight.shape for name, weight in self.weights.items()}
        differs = [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
        if differs:
            said = [f"{name} {_size(then.get(name))} -> {_size(now.get(name))}" for name in differs[:_SHOWN]]
            more = f" and {len(differs) - _SHOWN} more" if len(differs) > _SHOWN else ""
            raise self._mismatch(f"its weights are others: {', '.join(said)}{more}")
        network.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in self.weights.items()})
        return network.eval()

    def _mismatch(self, why: str) -> NetworkMismatch:
        versions = f"stored with torch {self.torch}, read with {torch.__version__}"
        return NetworkMismatch(
            f"{self.spec.kind} is no longer the class that was stored: {why}; {versions}: go back to the class as it "
            "was, or train again"
        )

    def __repr__(self) -> str:
        return f"StoredNetwork({self.spec.kind}, {sum(w.size for w in self.weights.values())} weights)"


def _size(shape: Any) -> str:
    return "none" if shape is None else str(list(shape))
