"""The contract of declared values: nothing but the arguments of their constructor.

Class: ``DeclaredContract``; the contracts of dimensions, scales and synthesizers inherit it.
"""

import abc
import copy
import inspect
import json
from collections.abc import Sequence
from typing import Any

from zounds_lite._declared import Declared

__all__ = ["DeclaredContract"]


class DeclaredContract(abc.ABC):
    """What every declared value must do. Inherit it in a class whose name starts with ``Test``; define ``create``.

    Two values that were made from equal arguments are the same value: they are equal, have one hash and one
    fingerprint, and read back from JSON. Values that were made from other arguments are different ones.

    - ``create()`` returns a new value, from the same arguments each time;
    - ``others()`` returns values of the same class that differ from it, at best in one argument each;
    - ``storable = False`` where an argument, such as a function, cannot stand in a header.
    """

    storable = True

    @abc.abstractmethod
    def create(self) -> Any:
        """Return a new value, from the same arguments each time."""

    def others(self) -> Sequence[Any]:
        """Return values of the same class that are not equal to the first one."""
        return []

    def test_equal_arguments_make_one_value(self) -> None:
        first, second = self.create(), self.create()
        assert isinstance(first, Declared) and first is not second
        assert first == second and (first != second) is False
        assert hash(first) == hash(second) and len({first, second}) == 1
        assert first.fingerprint() == second.fingerprint()
        assert repr(first) == repr(second)

    def test_other_arguments_make_another_value(self) -> None:
        value = self.create()
        assert value != object() and value != None and value != 0  # noqa: E711 - equality itself is asked
        for other in self.others():
            assert value != other and (value == other) is False, f"{other!r} equals {value!r}"
            assert len({value, other}) == 2
            assert value.fingerprint() != other.fingerprint(), f"{other!r} has the fingerprint of {value!r}"

    def test_every_argument_is_kept_under_its_name(self) -> None:
        value = self.create()
        names = [
            name
            for name, parameter in inspect.signature(type(value)).parameters.items()
            if parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        ]
        missing = [name for name in names if name not in value.parameters or not hasattr(value, name)]
        assert not missing, f"{type(value).__name__} does not keep its arguments {missing}"
        again = value.replace()
        assert again == value and type(again) is type(value)

    def test_it_is_frozen(self) -> None:
        value = self.create()
        for name in [*value.parameters, "something_new"]:
            try:
                setattr(value, name, None)
            except AttributeError:
                continue
            raise AssertionError(f"{type(value).__name__}.{name} can be changed, and with it the hash")
        assert value == self.create()

    def test_it_can_be_copied(self) -> None:
        value = self.create()
        assert copy.copy(value) == value and copy.deepcopy(value) == value
        assert copy.deepcopy(value).fingerprint() == value.fingerprint()

    def test_it_reads_back_from_a_header(self) -> None:
        if not self.storable:
            return
        value = self.create()
        text = json.dumps(value.to_dict(), allow_nan=False)
        for again in (Declared.from_dict(json.loads(text)), type(value).from_dict(json.loads(text))):
            assert type(again) is type(value) and again == value and hash(again) == hash(value)
            assert again.fingerprint() == value.fingerprint()
            assert json.dumps(again.to_dict(), allow_nan=False) == text, "writing what was read gives another header"
            # a duration reads back in picoseconds, which may show; from then on nothing changes
            assert repr(Declared.from_dict(again.to_dict())) == repr(again)
