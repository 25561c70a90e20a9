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
    # they make code, or any object, out of bytes or text, or run files
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "jsonpickle", "marshal", "shelve", "yaml", "imp",
    "code", "codeop", "runpy",
}  # fmt: skip
UNSAFE_CALLS = {"Unpickler", "read_pickle", "to_pickle", "exec_module", "FunctionType", "CodeType"}
"""By the last part of what is called."""

IMPORTERS = {"import_module", "optional", "find_spec", "__import__"}
ALLOWED = {
    # an untrusted value is pickled only where the feature's declaration says trust=True
    "zounds_lite/featureflow/trusted.py": {"pickle"},
    # a user's source file is compiled to compare it with the code that runs; nothing is run, and nothing was stored
    "zounds_lite/_declared/source.py": {"compile"},
    # a worker process runs the user's program, as its parent does
    "zounds_lite/datasets/starting.py": {"runpy"},
    # the limited process that decodes loads its neighbour without the rest of the package
    "zounds_lite/media/_decoder.py": {"exec_module"},
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


@every_public_file
def test_every_public_constant_says_what_it_is(path):
    """In a string on the next line, which the reference shows; another name of a class has that one's words."""
    module = importlib.import_module(module_name(path))
    body = ast.parse(path.read_text("utf-8")).body
    bare = []
    for statement, following in zip(body, [*body[1:], None], strict=True):
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        names = [node.id for node in targets if isinstance(node, ast.Name) and node.id in module.__all__]
        says = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        bare += [name for name in names if not says and not inspect.isclass(getattr(module, name))]
    assert bare == []


@every_file
def test_files_are_short_enough_to_read(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


def dotted(node):
    """Return a name such as ``torch.load`` as its parts; nothing for what is no plain name."""
    if isinstance(node, ast.Name):
        return [node.id]
    return [*dotted(node.value), node.attr] if isinstance(node, ast.Attribute) else []


def is_given(call, keyword, value):
    found = [given.value for given in call.keywords if given.arg == keyword]
    return bool(found) and all(isinstance(given, ast.Constant) and given.value is value for given in found)


def unsafe_modules(node):
    """Modules that run what they read, imported by a statement or by name."""
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module or ""]
    elif isinstance(node, ast.Call) and dotted(node.func)[-1:] and dotted(node.func)[-1] in IMPORTERS:
        names = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    yield from (name for name in names if name.partition(".")[0] in UNSAFE_MODULES)


def unsafe_calls(call):
    """Calls that run what they read."""
    name = dotted(call.func)
    if len(name) == 1 and name[0] in FORBIDDEN or name[:1] in (["builtins"], ["__builtins__"]):
        yield name[-1]
    if name[-1:] and name[-1] in UNSAFE_CALLS:
        yield name[-1]
    if any(keyword.arg == "allow_pickle" for keyword in call.keywords) and not is_given(call, "allow_pickle", False):
        yield "allow_pickle"
    if name[:1] == ["torch"] and "load" in name[-1] and not is_given(call, "weights_only", True):
        yield ".".join(name)


def unsafe_uses(tree):
    """Names of forbidden calls and of modules that run what they read."""
    for node in ast.walk(tree):
        yield from unsafe_modules(node)
        if isinstance(node, ast.Call):
            yield from unsafe_calls(node)
        if isinstance(node, ast.ImportFrom) and node.module == "torch":
            yield from (f"torch.{alias.name}" for alias in node.names if "load" in alias.name)
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield "bare except"


@every_file
def test_stored_bytes_are_never_code_and_the_library_never_prints(path):
    found = set(unsafe_uses(ast.parse(path.read_text("utf-8"))))
    assert found <= ALLOWED.get(relative(path), set())


def test_nothing_is_allowed_that_nobody_does():
    for name, allowed in ALLOWED.items():
        assert set(unsafe_uses(ast.parse((ROOT / name).read_text("utf-8")))) == allowed


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import dill", "dill"),
        ("import joblib.numpy_pickle", "joblib.numpy_pickle"),
        ("from pickle import loads", "pickle"),
        ("from marshal import loads", "marshal"),
        ("def f():\n    import shelve", "shelve"),
        ("importlib.import_module('cloudpickle')", "cloudpickle"),
        ("_lazy.optional('joblib')", "joblib"),
        ("yaml = optional('yaml')\nyaml.load(f)", "yaml"),
        ("eval('1')", "eval"),
        ("builtins.exec(text)", "exec"),
        ("np.load(f, allow_pickle=True)", "allow_pickle"),
        ("np.load(f, allow_pickle=flag)", "allow_pickle"),
        ("pandas.read_pickle(f)", "read_pickle"),
        ("torch.load(f)", "torch.load"),
        ("torch.load(f, weights_only=False)", "torch.load"),
        ("torch.load(f, weights_only=flag)", "torch.load"),
        ("torch.jit.load(f)", "torch.jit.load"),
        ("torch.hub.load_state_dict_from_url(u)", "torch.hub.load_state_dict_from_url"),
        ("from torch import load", "torch.load"),
        ("spec.loader.exec_module(module)", "exec_module"),
        ("types.FunctionType(code, {})", "FunctionType"),
        ("try:\n f()\nexcept: g()", "bare except"),
        ("torch.load(f, weights_only=True)", None),
        ("np.load(f, allow_pickle=False)", None),
        ("json.loads(text), model.eval(), network.load_state_dict(d), re.compile('x')", None),
        ("from . import code", None),
    ],
)
def test_the_check_for_unsafe_calls_bites(source, found):
    assert set(unsafe_uses(ast.parse(source))) == ({found} if found else set())


def test_one_version_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert zounds_lite.__version__ == version
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == version


def test_the_changelog_says_what_the_version_brings():
    newest = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1]
    assert newest.count("\n- ") >= 1
