"""What counts in a lineage: all code and values that an answer can depend on, and nothing else."""

import pytest

from zounds_lite._declared import canonical, describe, digest
from zounds_lite.errors import LineageError


def fingerprint(module):
    return digest(describe(module.f))


COUNTS = {
    # name: (source with $, one value, another)
    "constant": ("f = lambda v: v + $", "1", "2"),
    "kind of a constant": ("def f(v): return v * $", "1", "1.0"),
    "global": ("K = $\ndef f(v): return v + K", "1", "2"),
    "kind of a global": ("K = $\ndef f(v): return v + K", "1", "1.0"),
    "global in a nested function": ("K = $\ndef f(v): return [(lambda: i + K)() for i in v]", "1", "2"),
    "declared global": ("K = $\ndef f(v):\n    global K\n    K += 1", "1", "2"),
    "default": ("def f(v, *, k=$): return v + k", "1", "2"),
    "closure": ("def make(k):\n    return lambda v: v + k\nf = make($)", "1", "2"),
    "wrapper": (
        "def d(g):\n    @functools.wraps(g)\n    def w(v): return g(v) * $\n    return w\n@d\ndef f(v): return v",
        "1",
        "2",
    ),
    "wrapped": (
        "def d(g):\n    @functools.wraps(g)\n    def w(v): return g(v)\n    return w\n@d\ndef f(v): return v + $",
        "1",
        "2",
    ),
    "a decorator's argument": (
        "def d(k):\n    def e(g):\n        @functools.wraps(g)\n        def w(v): return g(v) * k\n        return w\n"
        "    return e\nK = $\n@d(K)\ndef f(v): return v",
        "1",
        "2",
    ),
    "a decorated method": (
        "def d(g):\n    @functools.wraps(g)\n    def w(self, v): return g(self, v) * $\n    return w\n"
        "class C:\n    @d\n    def m(self, v): return v\ndef f(v): return C().m(v)",
        "1",
        "2",
    ),
    "cached function": ("@functools.lru_cache\ndef g(v): return v + $\ndef f(v): return g(v)", "1", "2"),
    "dispatched function": (
        "@functools.singledispatch\ndef g(v): return v\n@g.register\ndef _(v: int): return v + $\n"
        "def f(v): return g(v)",
        "1",
        "2",
    ),
    "context manager": (
        "@contextlib.contextmanager\ndef g():\n    yield $\ndef f(v):\n    with g() as k: return v + k",
        "1",
        "2",
    ),
    "vectorized": ("g = np.vectorize(lambda v: v + $)\ndef f(v): return g(v)", "1", "2"),
    "partial": ("def g(v, k): return v + k\nf = functools.partial(g, k=$)", "1", "2"),
    "bound builtin": ("f = {'a': $}.get", "1", "2"),
    "bound text": ("f = '$'.join", "a", "b"),
    "bound pattern": ("f = re.compile('$').findall", "a", "b"),
    "bound array": ("f = np.array([$, 1]).dot", "1", "2"),
    "bound struct": ("f = struct.Struct('$').unpack", "<i", ">i"),
    "bound generator": ("f = np.random.default_rng($).choice", "1", "2"),
    "item getter": ("f = operator.itemgetter($)", "1", "2"),
    "method caller": ("f = operator.methodcaller('$')", "upper", "lower"),
    "instance": ("class C:\n    def __init__(self): self.k = $\nc = C()\ndef f(v): return v + c.k", "1", "2"),
    "slots": (
        "class C:\n    __slots__ = ('k',)\n    def __init__(self): self.k = $\nc = C()\ndef f(v): return c.k",
        "1",
        "2",
    ),
    "callable": ("class C:\n    def __call__(self, v): return v + $\nf = C()", "1", "2"),
    "bound method": (
        "class C:\n    def __init__(self): self.k = $\n    def m(self, v): return self.k\nf = C().m",
        "1",
        "2",
    ),
    "descriptor": (
        "class D:\n    def __get__(self, o, t): return $\nclass C:\n    d = D()\ndef f(v): return C().d",
        "1",
        "2",
    ),
    "partial method": (
        "class C:\n    def g(self, k): return k\n    h = functools.partialmethod(g, $)\ndef f(v): return C().h()",
        "1",
        "2",
    ),
    "property": ("class C:\n    @property\n    def k(self): return $\ndef f(v): return C().k", "1", "2"),
    "static method": ("class C:\n    @staticmethod\n    def k(): return $\ndef f(v): return C.k()", "1", "2"),
    "base class": ("class B:\n    k = $\nclass C(B): pass\ndef f(v): return C.k", "1", "2"),
    "metaclass": (
        "class M(type):\n    def k(c): return $\nclass C(metaclass=M): pass\ndef f(v): return C.k()",
        "1",
        "2",
    ),
    "a base's revision": (
        "class N(zounds.FFT): pass\nf = N",
        "revision",
        "revision",
    ),
    "declared type": (
        "class C(Declared):\n    def __init__(self, k): super().__init__(k=k)\n    def m(self, v): return v + $\n"
        "c = C(1)\ndef f(v): return c.m(v)",
        "1",
        "2",
    ),
    "window": (
        "class W(zounds.WindowingFunc):\n    def values(self, n): return np.ones(n) * $\nw = W()\ndef f(v): return w",
        "1",
        "2",
    ),
    "enum's method": (
        "class E(enum.Enum):\n    A = 1\n    def m(self): return $\ne = E.A\ndef f(v): return e.m()",
        "1",
        "2",
    ),
    "enum's value": ("class E(enum.Enum):\n    A = $\ndef f(v): return E.A.value", "1", "2"),
    "dataclass's default": ("@dataclasses.dataclass\nclass C:\n    k: int = $\ndef f(v): return C().k", "1", "2"),
    "dataclass's factory": (
        "@dataclasses.dataclass\nclass C:\n    k: list = dataclasses.field(default_factory=lambda: [$])\n"
        "def f(v): return C().k",
        "1",
        "2",
    ),
    "dataclass's flag": (
        "@dataclasses.dataclass(order=$)\nclass C:\n    k: int = 1\ndef f(v): return C()",
        "True",
        "False",
    ),
    "dataclass instance": (
        "@dataclasses.dataclass\nclass C:\n    k: int = 0\nc = C($)\ndef f(v): return c.k",
        "1",
        "2",
    ),
    "named tuple": ("class C(typing.NamedTuple):\n    k: int = $\ndef f(v): return C().k", "1", "2"),
    "named tuple's fields": ("P = collections.namedtuple('P', 'a $')\ndef f(v): return P(1, 2)", "b", "c"),
    "named tuple instance": ("P = collections.namedtuple('P', 'a')\np = P($)\ndef f(v): return p.a", "1", "2"),
    "list or tuple": ("K = $\ndef f(v): return K", "[0, 1]", "(0, 1)"),
    "number's type": ("K = $\ndef f(v): return v * K", "np.float32(1)", "1.0"),
    "bytes": ("K = $\ndef f(v): return K", "b'a'", "bytearray(b'a')"),
    "sign of zero": ("K = $\ndef f(v): return K", "0.0", "-0.0"),
    "order of a dict": ("K = $\ndef f(v): return list(K)", "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
    "key like a note": ("K = {'~a': $}\ndef f(v): return K", "1", "2"),
    "key like ours": ("K = {'type': 'tuple', 'items': [$]}\ndef f(v): return K", "1", "2"),
    "user's dict like a tuple": ("K = $\ndef f(v): return K", "{'type': 'tuple', 'items': [1]}", "(1,)"),
    "enum or its value": ("class E(str, enum.Enum):\n    A = 'a'\nK = $\ndef f(v): return K", "E.A", "'a'"),
    "subclass of text": ("class T(str): pass\nK = $\ndef f(v): return K", "T('a')", "'a'"),
    "subclass of a dict": ("class T(dict): pass\nK = $\ndef f(v): return K", "T(a=1)", "T(a=2)"),
    "large array": ("K = np.arange(100000) + $\ndef f(v): return K", "1", "2"),
    "array of objects": ("K = np.array([$, 'a'], dtype=object)\ndef f(v): return K", "1", "2"),
    "masked array": ("K = np.ma.array([1, 2], mask=[0, $])\ndef f(v): return K", "0", "1"),
    "long list": ("K = list(range(5000)) + [$]\ndef f(v): return K", "1", "2"),
    "long text": ("K = 'a' * 10000 + '$'\ndef f(v): return K", "1", "2"),
    "decimal": ("K = decimal.Decimal('$')\ndef f(v): return K", "1", "1.0"),
    "range": ("K = range($)\ndef f(v): return K", "1", "2"),
    "date": ("K = datetime.date(2020, 1, $)\ndef f(v): return K", "1", "2"),
    "numpy's date": ("K = np.datetime64('2020-01-0$')\ndef f(v): return K", "1", "2"),
    "duration": ("K = datetime.timedelta($)\ndef f(v): return K", "1", "2"),
    "random state": ("K = np.random.default_rng($)\ndef f(v): return K.random()", "1", "2"),
    "namespace": ("K = types.SimpleNamespace(a=$)\ndef f(v): return K.a", "1", "2"),
    "type": ("K = dict[str, $]\ndef f(v): return K", "int", "float"),
    "union": ("K = int | $\ndef f(v): return isinstance(v, K)", "str", "float"),
    "counter": ("K = collections.Counter('$')\ndef f(v): return K", "a", "b"),
    "import in a function": ("def f(v):\n    import $\n    return v", "json", "re"),
    "deep helper": (
        "def g0(v): return v + $\n" + "".join(f"def g{i}(v): return g{i - 1}(v)\n" for i in range(1, 70)) + "f = g69",
        "1",
        "2",
    ),
    "web of helpers": (
        "".join(f"def g{i}(v): return {'+'.join(f'g{j}(v)' for j in range(30) if j != i)}\n" for i in range(30))
        + "def g7(v): return $\nf = g0",
        "1",
        "2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_what_an_answer_depends_on_counts(write, name, monkeypatch):
    text, one, other = COUNTS[name]
    first = fingerprint(write(text.replace("$", one)))
    assert fingerprint(write(text.replace("$", one))) == first
    if one == other:
        monkeypatch.setattr("zounds_lite.FFT.revision", 99)
    assert fingerprint(write(text.replace("$", other))) != first


SILENT = {
    "name": ("def $(v): return v\nf = $", "g", "h"),
    "where it is defined": (
        "$\n    f = staticmethod(lambda v: v).__func__\nf = C.f",
        "class C:",
        "class C:\n    x = 1",
    ),
    "docstring": ("def f(v):\n    '''$'''\n    return v", "a", "b"),
    "annotation": ("def f(v: $):\n    x: $ = v\n    return x", "int", "float"),
    "layout": ("def f(v):\n    return ($)", "v + 1", "v  +  (1)"),
    "global named like an attribute": ("dot = $\ndef f(v): return v.dot", "1", "2"),
    "lock named like an attribute": ("lock = $\ndef f(v): return v.lock", "threading.Lock()", "open"),
    "global named like a local": ("k = $\ndef f(v):\n    k = v\n    return [k for k in k]", "1", "2"),
    "global named like a parameter": ("k = $\ndef f(k): return lambda: k", "1", "2"),
    "neighbour on the line": ("L = [lambda v: v + $, lambda v: v]\nf = L[1]", "1", "2"),
    "unused attribute of a module": ("import types as t\ndef f(v): return re.sub\nx = $", "1", "2"),
    "memory of a cached property": (
        "class C:\n    @functools.cached_property\n    def k(self): return 1\nc = C()\n$\ndef f(v): return c",
        "c.k",
        "",
    ),
    "memory of a cached function": ("@functools.cache\ndef g(v): return v\n$\ndef f(v): return g(v)", "g(1)", ""),
    "state of a lock": ("L = threading.Lock()\n$\ndef f(v): return L", "L.acquire()", ""),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_no_answer_depends_on_does_not_count(write, name):
    text, one, other = SILENT[name]
    assert fingerprint(write(text.replace("$", one))) == fingerprint(write(text.replace("$", other)))


@pytest.mark.parametrize(
    "value",
    ["Ellipsis", "NotImplemented", "object()", "threading.Lock()", "threading.RLock()", "threading.local()",
     "logging.getLogger('a')", "logging.LoggerAdapter(logging.getLogger('a'), {})", "typing.TypeVar('T')",
     "typing.Optional[int]", "typing.Callable[[int], str]", "typing.NewType('N', int)", "random.Random(1)",
     "random.shuffle", "np.random.rand", "np.mean", "np.add", "np.float32", "array.array('i', [1])", "uuid.UUID(int=3)",
     "collections.OrderedDict(a=1)", "collections.defaultdict(list)", "itertools.chain", "types.MappingProxyType({})",
     "np.poly1d([1, 2])", "np.timedelta64(1, 'Y')", "np.dtype([('a', '<f4')])", "np.zeros(2, [('a', '<f4')])",
     "str.upper", "(3).__add__", "dict.fromkeys", "sys.stderr", "os.environ", "zounds.SR22050()", "10**9999",
     "datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)", "collections.UserDict(a=1)", "{None, 1, (1, 2)}"],
)  # fmt: skip
def test_common_values_can_be_described_and_are_stable(write, value):
    text = f"import os\nK = {value}\ndef f(v): return K"
    one, other = write(text), write(text)
    assert fingerprint(one) == fingerprint(other)
    assert " at 0x" not in canonical(describe(one.f))  # no address of an object


@pytest.mark.parametrize("value", ["open(__file__)", "(i for i in v)", "np.frompyfunc(lambda a: a, 1, 1)"])
def test_what_has_no_content_says_what_to_do(write, value):
    module = write(f"v = [1]\nK = {value}\ndef f(v): return K")
    with pytest.raises(LineageError, match="refers to K.*cannot be fingerprinted.*version="):
        describe(module.f)
    getattr(module.K, "close", lambda: None)()


def test_containers_and_objects_may_hold_themselves(write):
    module = write(
        """
        loop = [1]
        loop.append(loop)
        class Node:
            pass
        node = Node()
        node.self = node
        def f(v): return loop, node, f
        """
    )
    assert fingerprint(module) == fingerprint(module)


def test_too_much_is_refused_rather_than_walked(write):
    deep = "def g0(v): return v\n" + "".join(f"def g{i}(v): return g{i - 1}(v)\n" for i in range(1, 600))
    with pytest.raises(LineageError, match="nested too deeply"):
        describe(write(deep + "f = g599").f)
    with pytest.raises(LineageError, match="more than 20000 objects"):
        describe([[] for _ in range(30000)])
