"""A stored value is served only if what made it is today's; everything else recomputes it, and ``explain`` says why."""

import importlib
import linecache
import re
import sys
import textwrap

import pytest

from zounds_lite import featureflow as ff
from zounds_lite._declared import describe_code
from zounds_lite.errors import KeyNotFound, LineageError
from zounds_lite.featureflow import lineage as lineage_module
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.spectral import BarkBands

HELPERS = """
    OFFSET = 1

    def helper(x):
        return x + OFFSET
"""

MODEL = """
    import helpers
    from helpers import helper
    from zounds_lite import featureflow as ff

    SCALE = 2
    TABLE = {"a": [1, 2]}

    def make(closed_over):
        return lambda x: x * closed_over

    def scaled(x, by=10):
        # a comment
        return helper(x) * SCALE + by

    class Twice(ff.Node):
        factor = 2

        def __init__(self, extra=0, needs=None):
            super().__init__(needs=needs)
            self.extra = extra

        def _process(self, data):
            '''A docstring.'''
            yield data * self.factor + self.extra

    class Model(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        lam = ff.JSONFeature(lambda x: x + 1, needs=number, store=True)
        closed = ff.JSONFeature(make(3), needs=number, store=True)
        function = ff.JSONFeature(scaled, needs=number, store=True)
        table = ff.JSONFeature(lambda x: TABLE["a"][0] + helpers.OFFSET, needs=number, store=True)
        node = ff.JSONFeature(Twice, extra=5, needs=lam, store=True)
        below = ff.JSONFeature(lambda x: -x, needs=node, store=True)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A user's two modules and a store; returns a function that (re)writes and imports them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    database = ff.InMemoryDatabase()

    def load(*changes):
        model, helpers = MODEL, HELPERS
        for old, new in changes:
            assert old in model + helpers
            model, helpers = model.replace(old, new), helpers.replace(old, new)
        for name, text in (("helpers", helpers), ("model", model)):
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        linecache.clearcache()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            module = importlib.import_module("model")
        finally:
            sys.dont_write_bytecode = before
        return ff.settings._with_settings(
            module.Model, database=database, id_provider=ff.UserSpecifiedIdProvider("_id")
        )

    yield load
    for name in ("helpers", "model"):
        sys.modules.pop(name, None)


ALL = {"number", "lam", "closed", "function", "table", "node", "below"}


def stale(model):
    return {name for name in ALL if model.explain("d", name).stale}


@pytest.mark.parametrize(
    ("change", "expected", "words"),
    [
        (("x + 1,", "x + 2,"), {"lam", "node", "below"}, {"lam": "lambda x: x [+] 1.*lambda x: x [+] 2.*in lam"}),
        (("make(3)", "make(4)"), {"closed"}, {"closed": "closure.closed_over 3 -> 4 in closed"}),
        (("SCALE = 2", "SCALE = 7"), {"function"}, {"function": "globals.SCALE 2 -> 7 in function"}),
        (("by=10", "by=11"), {"function"}, {"function": "defaults.by 10 -> 11"}),
        (("OFFSET = 1", "OFFSET = 5"), {"function", "table"}, {"function": "OFFSET 1 -> 5", "table": "OFFSET 1 -> 5"}),
        (("return x + OFFSET", "return x - OFFSET"), {"function"}, {"function": "helper"}),
        (("[1, 2]", "[3, 2]"), {"table"}, {"table": "TABLE.a.0. 1 -> 3"}),
        (("extra=5", "extra=6"), {"node", "below"}, {"below": "extra 5 -> 6 in node, upstream of below"}),
        (("extra=0", "extra=1"), {"node", "below"}, {"node": "extra 0 -> 1"}),
        (("factor = 2", "factor = 3"), {"node", "below"}, {"node": "factor 2 -> 3"}),
        (("-x", "-x + 0"), {"below"}, {"below": "in below"}),
        (("SCALE = 2", "SCALE = 2.0"), {"function"}, {"function": "globals.SCALE 2 -> 2.0 in function"}),
        (("[1, 2]}", "[1, 2], 'b': 0}"), {"table"}, {"table": "TABLE.b None -> 0 in table$"}),
        (("[1, 2]}", "(1, 2)}"), {"table"}, {"table": r"TABLE.a .1, 2. -> \(1, 2\)"}),
        (("needs=lam", "needs=number"), {"node", "below"}, {"below": r"needs .'lam'. -> .'number'. in node, upstream"}),
    ],
)
def test_a_change_makes_stale_what_depends_on_it_and_is_named(project, change, expected, words):
    model = project()
    model.process(number=[3], _id="d")
    assert stale(model) == set()
    changed = project(change)
    assert stale(changed) == expected
    for name, pattern in words.items():
        assert re.search(pattern, str(changed.explain("d", name)), re.S), str(changed.explain("d", name))


@pytest.mark.parametrize(
    "change",
    [
        ("# a comment", "# another, longer comment\n        # on two lines"),
        ("'''A docstring.'''", "'''Another docstring.'''"),
        ("SCALE = 2", "UNUSED = 9\n    SCALE = 2"),
        ("return helper(x) * SCALE + by", "return (helper(x) * SCALE\n                + by)"),
        ("def scaled(x, by=10):", "def scaled(x: int, by: int = 10) -> int:"),
        ("class Twice(ff.Node):", "class Twice(ff.Node):\n        '''Doubles.'''"),
    ],
)
def test_an_unrelated_edit_recomputes_nothing(project, change):
    project().process(number=[3], _id="d")
    assert stale(project(change)) == set()


def test_a_stale_value_is_recomputed_on_access_and_stored(project):
    model = project()
    model.process(number=[3], _id="d")
    assert (model("d").lam, model("d").node, model("d").below) == (4, 13, -13)
    changed = project(("x + 1,", "x + 2,"))
    assert changed("d").below == -15
    assert stale(changed) == set()  # what was stale on the way was written too
    assert changed("d").lam == 5


def test_update_recomputes_all_that_is_stale(project):
    model = project()
    model.process(number=[3], _id="d")
    changed = project(("x + 1,", "x + 2,"))
    assert set(changed.update("d")) == {"lam", "node", "below"}
    assert changed.update("d") == []


def test_a_source_file_that_changes_is_noticed(tmp_path):
    class Joined(ff.Aggregator, ff.Node):
        def _process(self, data):
            yield data.decode()

    @ff.simple_in_memory_settings
    class Words(ff.BaseModel):
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=4, store=False)
        text = ff.TextFeature(Joined, needs=raw, store=True)

    path = tmp_path / "words.txt"
    path.write_text("one two")
    _id = Words.process(raw=str(path))
    path.touch()
    assert Words(_id).text == "one two" and not Words.explain(_id, "text").reasons
    path.write_text("three")
    assert Words(_id).source_changed
    assert "words.txt" in str(Words.explain(_id, "text"))
    assert Words(_id).text == "three"
    assert not Words(_id).source_changed
    path.unlink()
    assert Words(_id).text == "three"  # a source that is gone counts as unchanged


def test_several_lambdas_on_one_line_are_told_apart():
    functions = [lambda x: x + 1, lambda x: x + 2, lambda x: lambda y: x + y, lambda: lambda: 1]
    codes = [describe_code(function)["code"] for function in functions]
    assert len(set(codes)) == 4
    inner = functions[3]()
    assert describe_code(inner)["code"] not in codes


def test_code_without_source_says_what_to_do():
    scope = {}
    exec("def made(x):\n    return x", scope)
    with pytest.raises(LineageError, match="version="):
        describe_code(scope["made"])

    @ff.simple_in_memory_settings
    class Model(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        made = ff.JSONFeature(scope["made"], needs=number, store=True)

    with pytest.raises(LineageError, match="'made'.*version="):
        Model.process(number=[1])

    @ff.simple_in_memory_settings
    class Versioned(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        made = ff.JSONFeature(scope["made"], needs=number, store=True, version="1")

    assert Versioned(Versioned.process(number=[1])).made == 1


def test_a_value_that_cannot_be_fingerprinted_is_named():
    handle = object()
    with pytest.raises(LineageError, match="handle.*version="):
        describe_code(lambda x: (x, handle))


def test_recursive_functions_are_described():
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    assert set(describe_code(factorial)["closure"]["factorial"]) == {"recursive"}


def test_explain_refuses_what_is_not_there(project):
    model = project()
    model.process(number=[3], _id="d")
    with pytest.raises(KeyNotFound, match="no feature 'nothing'"):
        model.explain("d", "nothing")
    with pytest.raises(KeyNotFound, match="no document 'e'"):
        model.explain("e", "lam")


def lineage_of(**features):
    model = type("Model", (ff.BaseModel,), features)
    lineage = Lineage(model.features)
    return {name: lineage.hash(feature) for name, feature in model.features.items()}


def test_version_is_a_way_out_for_parameters_too():
    class Locked(ff.Node):
        def __init__(self, handle=None, needs=None):
            super().__init__(needs=needs)
            self.handle = handle

        def _process(self, data):
            yield data

    handle = (i for i in ())
    with pytest.raises(LineageError, match="its argument handle: .*version="):
        lineage_of(a=ff.Feature(Locked, handle=handle))
    first = lineage_of(a=ff.Feature(Locked, handle=handle, version="1"))
    assert first == lineage_of(a=ff.Feature(Locked, handle=(i for i in (1,)), version="1"))
    assert first != lineage_of(a=ff.Feature(Locked, handle=handle, version="2"))


def test_names_of_needs_count_only_where_the_node_sees_them():
    def double(data):
        return data

    def needing(make, *names):
        roots = {name: ff.Feature(ff.IteratorNode) for name in names}
        lists = {f"l{name}": ff.Feature(lambda v: v, needs=root) for name, root in roots.items()}
        below = {f"k{name}": ff.Feature(abs, needs=root) for name, root in roots.items()}
        return lineage_of(**roots, **lists, **below, x=ff.Feature(double, needs=make({**roots, **lists, **below})))["x"]

    assert needing(lambda f: f["a"], "a") == needing(lambda f: f["b"], "b") == needing(lambda f: [f["b"]], "b")
    assert needing(lambda f: [f["la"], f["ka"]], "a") != needing(lambda f: [f["ka"], f["la"]], "a")
    assert needing(lambda f: {"p": f["la"], "q": f["ka"]}, "a") == needing(lambda f: {"q": f["ka"], "p": f["la"]}, "a")
    assert needing(lambda f: {"p": f["la"], "q": f["ka"]}, "a") != needing(lambda f: {"p": f["ka"], "q": f["la"]}, "a")


def test_explain_shows_the_line_that_changed_in_a_long_function():
    lines = [f"    x = x + {i}" for i in range(30)]
    before, after = "\n".join(lines), "\n".join([*lines[:-1], "    x = x + 99"])
    assert lineage_module._first_difference(before, after) == ("x = x + 29", "x = x + 99")


def _of_library_code(**arguments):
    """A model of library code alone, so that its descriptions are kept."""

    class Model(ff.BaseModel):
        text = ff.ByteStreamFeature(ff.ByteStream, chunksize=3, store=True)
        bands = ff.Feature(BarkBands, needs=text, store=True, **{"n_bands": 1, **arguments})

    return Model


def _lineage(cls):
    return cls.lineage().hash(cls.features["bands"])


@pytest.mark.parametrize("number", [1, True, "a", b"a", None, 1.0, (1, 2), [1, 2], {"a": 1}])
def test_what_is_described_once_has_the_lineage_that_it_has_anew(number):
    cls = _of_library_code(n_bands=number)
    assert len({_lineage(cls), _lineage(cls), _lineage(_of_library_code(n_bands=number))}) == 1


def test_what_changes_in_place_is_described_anew(monkeypatch):
    arguments = [1, 2]
    cls, plain = _of_library_code(n_bands=arguments), _of_library_code()
    seen = {_lineage(cls), _lineage(plain)}
    assert "_described" in plain.features["bands"].__dict__ and "_described" not in cls.features["bands"].__dict__
    arguments.append(3)
    seen.add(_lineage(cls))
    for value in (True, 1.0, "1"):
        plain.features["bands"].extractor_args["n_bands"] = value
        seen.add(_lineage(plain))
    for node in (BarkBands, ff.ByteStream):
        monkeypatch.setattr(node, "revision", 70, raising=False)
        seen.add(_lineage(plain))
    plain.features["bands"].version = "2"
    seen.add(_lineage(plain))
    assert len(seen) == 9


def test_a_feature_that_needs_something_else_now_has_another_lineage():
    cls, other = _of_library_code(), _of_library_code()
    before = _lineage(cls)
    cls.features["text"].extractor_args["chunksize"] = 4  # of no consequence
    assert _lineage(cls) == before
    other.features["text"].version = "2"
    cls.features["text"] = other.features["text"]
    assert _lineage(cls) != before
