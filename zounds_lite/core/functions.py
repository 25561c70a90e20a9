"""What numpy functions do to dimensions.

Goal: ``np.mean(x, axis=1)``, ``np.transpose(x)``, ``np.concatenate([x, y])`` and many more keep the units that can be
known. Conventions: every function runs on plain views of its arguments, so values are numpy's own; a *rule* then says
which dimensions the result has. A function without a rule, and a rule that returns None, give a plain result. The rules
themselves stand in ``rules``. Function: ``apply``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.core.rules import RULES, Call
from zounds_lite.core.units import find, strip, wrap

__all__ = ["apply"]

_OWN_TEXT = {np.array_repr: np.ndarray.__repr__, np.array_str: np.ndarray.__str__}


def apply(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a numpy function on plain views and give the result its units; the body of ``__array_function__``."""
    if function in _OWN_TEXT and len(args) == 1 and not kwargs:
        return _OWN_TEXT[function](args[0])
    given = [*args, *kwargs.values()]
    plain = [strip(value) for value in given]
    result = function(*plain[: len(args)], **dict(zip(kwargs, plain[len(args) :], strict=True)))
    for original, stripped in zip(given, plain, strict=True):
        if result is stripped:  # an output, or an argument that came back as it was
            return original
    rule = RULES.get(function)
    if rule is None:
        return result
    source = next(find(given), None)
    if source is None:
        return result
    if isinstance(result, (tuple, list)):
        wrapped = [_with_units(rule, source, Call(args, kwargs, item, n)) for n, item in enumerate(result)]
        return tuple(wrapped) if isinstance(result, tuple) else wrapped
    return _with_units(rule, source, Call(args, kwargs, result))


def _with_units(rule: Any, source: Any, call: Call) -> Any:
    if not isinstance(call.result, np.ndarray) or call.result.ndim == 0:
        return call.result
    return wrap(source, call.result, rule(call))
