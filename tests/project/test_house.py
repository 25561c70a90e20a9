"""The rules of the house that no linter knows: names, docstrings, sizes, and what the library never calls."""

import ast
import importlib
import inspect
import tomllib
from pathlib import Path

import pytest

import zounds_lite

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "zounds_lite"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = (
    "core", "datasets", "dsp", "featureflow", "graphs", "index", "learn", "loudness", "media", "persistence",
    "segment", "soundfile", "spectral", "synthesize", "testing", "timeseries", "ui", "visualization",
)  # fmt: skip

MAX_LINES = 600
FORBIDDEN = {"eval", "exec", "print", "compile", "__import__", "breakpoint"}
UNSAFE_MODULES = {
    # they make code, or any object, out of bytes or text
    "pickle", "cPickle", "_pickle", "pickletools", "dill", "cloudpickle", "joblib", "marshal", "shelve", "dbm",
    "jsonpickle", "yaml", "code", "codeop", "runpy", "imp",
}  # fmt: skip
UNSAFE_CALLS = {
    # by the last part of what is called: each with what makes it safe, a keyword and its value, if anything does
    "read_pickle": None,
    "to_pickle": None,
    "loads_pickle": None,
    "literal_eval": None,
    "getattr_static": None,
    "exec_module": None,
    "FunctionType": None,
    "CodeType": None,
    "Unpickler": None,
    "unsafe_load": None,
    "full_load": None,
    "load": {"torch": ("weights_only", True), "yaml": None, "joblib": None, "pickle": None, "dill": None},
    "load_state_dict_from_url": ("weights_only", True),
}
ALLOWED = {
    # an untrusted value is pickled only where the feature's declaration says trust=True
    "zounds_lite/featureflow/trusted.py": {"pickle"},
    # a user's source file is compiled to compare it with the code that runs; nothing is run, and nothing was stored
    "zounds_lite/_declared/source.py": {"compile"},
}
"""Files that may, and what."""


def relative(path):
    return path.relative_to(ROOT).as_posix()


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_public(path):
    return not any(part.startswith("_") and part != "__init__" for part in path.with_suffix("").parts)


every_file = pytest.mark.parametrize("path", FILES, ids=relative)
every_public_file = pytest.mark.parametrize(
    "path", [path for path in FILES if is_public(path.relative_to(ROOT))], ids=relative
)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_there_and_says_what_it_is_for(room):
    assert len(inspect.getdoc(importlib.import_module(f"zounds_lite.{room}")) or "") >= 60


@every_public_file
def test_modules_say_what_they_are_for_and_what_they_offer(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "no module docstring"
    module = importlib.import_module(module_name(path))
    assert isinstance(module.__all__, list | tuple), "no __all__"
    assert len(set(module.__all__)) == len(module.__all__), "a name stands in __all__ twice"
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []


def own_definitions(module):
    """Public classes and functions that the module itself defines."""
    for name in module.__all__:
        value = getattr(module, name)
        value = inspect.unwrap(value) if callable(value) else value  # functions with a cache
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == module.__name__:
            yield name, value


def own_methods(cls):
    for name, member in vars(cls).items():
        if name.startswith(("_", "test_")):  # the tests of a contract say in their names what they ask
            continue
        if isinstance(member, staticmethod | classmethod | property):
            member = member.fget if isinstance(member, property) else member.__func__
        if inspect.isfunction(member):
            yield name


@every_public_file
def test_every_public_name_is_documented(path):
    module = importlib.import_module(module_name(path))
    bare = []
    for name, value in own_definitions(module):
        # inspect.getdoc follows inheritance: an override keeps the words of what it overrides
        if not (value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)):
            bare.append(name)
        if inspect.isclass(value):
            bare += [f"{name}.{method}" for method in own_methods(value) if not inspect.getdoc(getattr(value, method))]
    assert bare == []


@every_file
def test_files_are_short_enough_to_read(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


def unsafe_uses(tree):
    """Names of forbidden calls and of modules that run what they read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN:
            yield node.func.id
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in UNSAFE_MODULES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in UNSAFE_MODULES:
            yield node.module
        if isinstance(node, ast.Call) and any(keyword.arg == "allow_pickle" for keyword in node.keywords):
            allowed = [keyword.value for keyword in node.keywords if keyword.arg == "allow_pickle"]
            if not all(isinstance(value, ast.Constant) and value.value is False for value in allowed):
                yield "allow_pickle"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield "bare except"


@every_file
def test_stored_bytes_are_never_code_and_the_library_never_prints(path):
    found = set(unsafe_uses(ast.parse(path.read_text("utf-8"))))
    assert found <= ALLOWED.get(relative(path), set())


def test_the_check_for_unsafe_calls_bites():
    source = "import dill\nfrom pickle import loads\neval('1')\nnp.load(f, allow_pickle=True)\ntry:\n f()\nexcept: g()"
    assert set(unsafe_uses(ast.parse(source))) == {"dill", "pickle", "eval", "allow_pickle", "bare except"}


def test_one_version_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert zounds_lite.__version__ == version
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == version


def test_the_changelog_says_what_the_version_brings():
    newest = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1]
    assert newest.count("\n- ") >= 1
