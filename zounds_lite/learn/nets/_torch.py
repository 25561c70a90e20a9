"""torch, or what stands in for it where it is not installed.

Names of ``nets`` can then still be imported, listed and documented; making any of them raises the error that says how
to install torch.
"""

from typing import TYPE_CHECKING, Any

from zounds_lite._lazy import optional
from zounds_lite.errors import OptionalDependencyError

__all__ = ["Tensor", "functional", "nn", "torch"]

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
else:

    class _NeedsTorch:
        """Stands in for ``nn.Module``."""

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return optional("torch")

    class _Missing:
        """Stands in for a module of torch."""

        Module = _NeedsTorch

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):  # what looks at names, such as inspect, asks for these first
                raise AttributeError(name)
            return getattr(optional("torch"), name)

    try:
        torch = optional("torch")
        Tensor, nn, functional = torch.Tensor, torch.nn, optional("torch.nn.functional")
    except OptionalDependencyError:
        torch = nn = functional = _Missing()
        Tensor = Any
