"""What the tests of the contracts share: the classes of the library, and how a contract is shown to bite."""

import contextlib
import importlib
import inspect
import io
import pkgutil
import tempfile
from pathlib import Path

import hypothesis

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


def refusals(suite, only=None):
    """Run a class of tests, or some of them, and return the names of those that fail."""
    tests = only or {name.removeprefix("test_") for name in dir(suite) if name.startswith("test_")}
    with quickly():
        return {name for name in tests if _fails(getattr(suite(), f"test_{name}"))}


@contextlib.contextmanager
def quickly():
    """Let hypothesis stop at the first failure: that there is one is all that matters here."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("first failure", phases=phases, database=None, print_blob=False)
    hypothesis.settings.load_profile("first failure")
    try:
        yield
    finally:
        hypothesis.settings.load_profile("zounds_lite")


def _fails(test):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        arguments = {"tmp_path": Path(folder)} if "tmp_path" in inspect.signature(test).parameters else {}
        try:
            test(**arguments)
        except Exception:  # noqa: BLE001 - whatever it is, the contract refuses the implementation
            return True
        return False
