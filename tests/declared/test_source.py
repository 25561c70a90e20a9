"""How source is read: files that change, modules, what is a library, and that no fingerprint moves by itself."""

import linecache
import site
import subprocess
import sys
import sysconfig
import textwrap
import types
from pathlib import Path

import numpy as np
import pytest

from zounds_lite import featureflow as ff
from zounds_lite._declared import Declared, describe, digest, encode, is_library
from zounds_lite._declared.library import is_library_file
from zounds_lite._declared.source import syntax_of
from zounds_lite._declared.values import REGISTRY
from zounds_lite.errors import DeclarationError, LineageError


def fingerprint(module):
    return digest(describe(module.f))


# a file that changes under a running process


def test_source_edited_while_a_process_runs_is_never_taken_for_what_runs(write):
    module = write("def f(v): return v + 1")
    path = Path(module.__file__)
    text = path.read_text()
    path.write_text(text.replace("v + 1", "v + 2"))
    linecache.checkcache()
    with pytest.raises(LineageError, match="usermod:f is not what .*the file changed since it was imported; restart"):
        describe(module.f)
    path.write_text("\n\n# moved down\n" + text)
    linecache.checkcache()
    moved = describe(module.f)["code"]
    assert moved == describe(write("def f(v): return v + 1").f)["code"]
    path.write_text(text.replace("v + 1", "v + 2"))
    linecache.checkcache()
    assert describe(module.f)["code"] == moved  # read once per process


def test_values_stay_live_although_syntax_is_read_once(write):
    module = write("K = 1\ndef f(v): return v + K")
    first = fingerprint(module)
    assert syntax_of(module.f) is syntax_of(module.f)
    module.K = 2
    assert fingerprint(module) != first


def test_a_module_loaded_anew_is_read_anew(write, tmp_path):
    module = write("def f(v): return v + 1")
    before = fingerprint(module)
    Path(module.__file__).write_text("def f(v):\n    return v + 22")
    sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
    try:
        module.__spec__.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = kept
    assert fingerprint(module) != before


def test_asserts_that_pytest_rewrote_are_read():
    def checked(v):
        assert v, "something"
        return v

    def other(v):
        assert v, "something else"
        return v

    assert describe(checked)["code"] != describe(other)["code"]
    assert "assert v, 'something'" in describe(checked)["~source"]


# modules


@pytest.mark.parametrize(
    "text",
    [
        "import helpmod\ndef f(v): return helpmod.g(v)",
        "import helpmod as h\ndef f(v): return h.g(v)",
        "def f(v):\n    import helpmod\n    return helpmod.g(v)",
        "def f(v):\n    from helpmod import g\n    return g(v)",
        "import helpmod\ndef f(v):\n    m = helpmod\n    return m.g(v)",
        "import helpmod\ndef f(v, m=helpmod): return m.g(v)",
        "import helpmod\ndef make(m):\n    return lambda v: m.g(v)\nf = make(helpmod)",
        "import helpmod\ndef f(v): return getattr(helpmod, 'g')(v)",
        "import helpmod\nK = [helpmod]\ndef f(v): return K",
        "from helpmod import g\ndef f(v): return g(v)",
    ],
)
def test_a_users_module_counts_however_it_is_reached(write, text):
    write("K = 1\ndef g(v): return v + K", "helpmod")
    first = fingerprint(write(text))
    write("K = 1\n# a comment\ndef g(v): return v + K", "helpmod")
    assert fingerprint(write(text)) == first
    write("K = 2\ndef g(v): return v + K", "helpmod")
    assert fingerprint(write(text)) != first


def test_only_what_is_named_in_a_module_counts_where_that_is_plain(write):
    text = "import helpmod\ndef f(v): return helpmod.g(v)"
    write("K = 1\ndef g(v): return v", "helpmod")
    first = fingerprint(write(text))
    write("K = 2\ndef g(v): return v", "helpmod")
    assert fingerprint(write(text)) == first


def test_modules_that_import_each_other_are_described(tmp_path, monkeypatch, write):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, other in (("ring_one", "ring_two"), ("ring_two", "ring_one")):
        (tmp_path / f"{name}.py").write_text(f"import {other}\nK = 1\n")
    text = "def f(v):\n    import ring_one\n    return ring_one.K"
    first = fingerprint(write(text))
    assert "ring_one" not in sys.modules  # describing imports nothing
    (tmp_path / "ring_two.py").write_text("import ring_one\nK = 2\n")
    linecache.clearcache()
    assert fingerprint(write(text)) != first


# what is a library


def test_a_folder_whose_name_begins_like_the_librarys_is_the_users():
    folder = sysconfig.get_path("stdlib")
    assert is_library_file(f"{folder}/json/__init__.py")
    assert not is_library_file(f"{folder}-projects/mine.py")
    assert is_library_file(f"{site.getsitepackages()[0]}/some/mod.py")
    assert is_library_file(f"{site.getusersitepackages()}/some/mod.py")
    assert is_library_file("/opt/dist-packages/some/mod.py")
    assert not is_library_file("/opt/my-site-packages-notes/mod.py")
    assert is_library(np) and is_library(np.mean) and is_library(textwrap.dedent) and is_library(ff.Node)
    assert not is_library(test_a_folder_whose_name_begins_like_the_librarys_is_the_users)


# declared types


def test_a_name_that_another_type_holds_cannot_stand_in_a_header(write):
    text = "class Rival(Declared):\n    def __init__(self, k=1): super().__init__(k=k)\n"
    one = write(text, "first_module").Rival()
    assert encode(one) == {"type": "Rival", "k": 1}
    other = write(text, "second_module").Rival()
    assert encode([other]) == [{"type": "Rival", "k": 1}]
    for attempt in (lambda: encode([one]), one.to_dict):
        with pytest.raises(DeclarationError, match="first_module.Rival .* belongs to second_module.Rival; rename"):
            attempt()
    ours = write("class FFTScale(Declared):\n    def __init__(self): super().__init__()\n").FFTScale()
    with pytest.raises(DeclarationError, match="usermod.FFTScale .* belongs to zounds_lite"):
        encode(ours)
    again = type(REGISTRY["Rival"])("Rival", (Declared,), {"__module__": "second_module", "__qualname__": "Rival"})
    assert REGISTRY["Rival"] is again
    assert encode(other)["type"] == "Rival"  # the same type, declared anew


def test_a_type_may_describe_itself():
    class Store:
        def __init__(self, rows):
            self.rows = rows

        def describe_lineage(self):
            return ["store", 1]

    assert describe(Store([1])) == describe(Store([2])) == {"type": "described", "as": ["store", 1]}


# Python versions

ACROSS = """
import abc, collections, dataclasses, enum, functools, typing
K = 3
class E(enum.Enum):
    A = 1
    def m(self): return 2
class Flags(enum.IntFlag):
    A = 1
    B = 2
class P(typing.Protocol):
    def g(self): ...
class A(abc.ABC):
    @abc.abstractmethod
    def g(self): ...
T = typing.TypeVar("T")
class G(typing.Generic[T]):
    def g(self): return 1
@dataclasses.dataclass(slots=True, order=True)
class D:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)
class N(typing.NamedTuple):
    a: int = 1
C = collections.namedtuple("C", "a b", defaults=[1])
@functools.cache
def helper(v): return f"{v!r:>{K}} {'a'}" + rf"x{v=}"
def f(v):
    if not __debug__:
        return K
    match v:
        case [a, *b] if a: return b
    return [helper(x) for x in v], E.A, E, Flags, P, A, G, D, D(2), N, N(3), C, C(4), lambda q: q
"""


def test_the_fingerprint_of_code_is_the_same_as_in_the_golden_file(write):
    """Python 3.11, 3.12 and 3.13 compute the same."""
    assert fingerprint(write(ACROSS)) == "b0391a983243fba4710b04c27e3ca038"


def test_fingerprints_do_not_move_with_the_order_of_hashes(tmp_path):
    (tmp_path / "across.py").write_text(ACROSS + "S = {'a', 'b', 'c', helper}\ndef h(v): return S, f\n")
    script = "import across; from zounds_lite._declared import describe, digest; print(digest(describe(across.h)))"
    found = set()
    for seed in ("0", "1", "2"):
        env = {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": ":".join([str(tmp_path), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_a_named_module_of_a_user_without_a_file_is_refused():
    with pytest.raises(LineageError, match="no source file"):
        describe(types.ModuleType("made_here"))
