"""What the tests of the contracts share: the classes of the library, and how a contract is shown to bite."""

import contextlib
import importlib
import inspect
import io
import pkgutil
import tempfile
from pathlib import Path

import zounds_lite


def modules():
    """Every module of the package, so that a new one cannot be forgotten."""
    for found in pkgutil.walk_packages(zounds_lite.__path__, "zounds_lite."):
        yield importlib.import_module(found.name)


def library_classes(base=object, having=""):
    """The public classes of the package that derive from ``base`` and have an attribute, abstract ones included."""
    found = {
        value
        for module in modules()
        if not module.__name__.startswith("zounds_lite.testing")
        for name, value in vars(module).items()
        if inspect.isclass(value) and not name.startswith("_") and value.__module__ == module.__name__
    }
    return {cls for cls in found if issubclass(cls, base) and hasattr(cls, having or "__class__")}


def names(classes):
    return sorted(cls.__qualname__ for cls in classes)


def suites(contract, namespace):
    """The classes of tests in a test module that apply a contract."""
    return [v for n, v in namespace.items() if n.startswith("Test") and inspect.isclass(v) and issubclass(v, contract)]


def refusals(suite):
    """Run a class of tests that is expected to fail, and return the names of the tests that do."""
    found = set()
    for name in dir(suite):
        if not name.startswith("test_"):
            continue
        test = getattr(suite(), name)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            arguments = {"tmp_path": Path(folder)} if "tmp_path" in inspect.signature(test).parameters else {}
            try:
                test(**arguments)
            except Exception:  # whatever it is, the contract refuses the implementation
                found.add(name.removeprefix("test_"))
    return found
