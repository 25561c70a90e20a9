"""Random values for property tests: units, shapes, arrays, chunkings and ids.

Goal: whoever tests a node or a codec with hypothesis need not write down again what is allowed. Conventions: each
function returns a hypothesis strategy, and hypothesis, from the extra ``test``, is needed when it is called. Times are
``np.timedelta64``, frequencies hertz.

Functions: ``durations``, ``sample_rates``, ``time_slices``, ``frequency_bands``, ``frequencies``, ``scales``,
``time_dimensions``, ``dimensions``, ``shapes``, ``dtypes``, ``arrays``, ``arrays_with_units``, ``chunkings``,
``counts``, ``seeds``, ``ids``, ``json_values``, ``json_objects``, ``damaged``.
"""

import copy
from typing import Any

import numpy as np

from zounds_lite import spectral, timeseries
from zounds_lite._lazy import optional
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.testing.contracts.database import NASTY_IDS
from zounds_lite.timeseries import TimeDimension, TimeSlice

__all__ = [
    "arrays",
    "arrays_with_units",
    "chunkings",
    "counts",
    "damaged",
    "dimensions",
    "dtypes",
    "durations",
    "frequencies",
    "frequency_bands",
    "ids",
    "json_objects",
    "json_values",
    "sample_rates",
    "scales",
    "seeds",
    "shapes",
    "time_dimensions",
    "time_slices",
]

_UNITS = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
_RATES = [1, 8000, 11025, 16000, 22050, 41100, 44100, 48000, 96000, 192000]
_DTYPES = (
    "bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64",
    "complex64", "complex128", ">i4", ">f8", ">c16", "U3", "S5", "m8[ps]", "M8[s]",
)  # fmt: skip


def _st() -> Any:
    return optional("hypothesis.strategies")


def durations(longest_s: int = 3600) -> Any:
    """Durations above zero, in any unit from picoseconds to seconds.

    Args:
        longest_s (int): the longest, seconds.
    """
    st = _st()
    return st.sampled_from(list(_UNITS)).flatmap(
        lambda unit: st.integers(1, longest_s * 10**12 // _UNITS[unit]).map(lambda n: np.timedelta64(n, unit))
    )


def sample_rates() -> Any:
    """Audio rates: the usual ones, and any whole number of hertz."""
    st = _st()
    return st.one_of(st.sampled_from(_RATES), st.integers(1, 400_000)).map(timeseries.audio_sample_rate)


def time_slices(longest_s: int = 60) -> Any:
    """Slices of time; some are open, some empty, and some start before zero.

    Args:
        longest_s (int): the latest start and the longest duration, seconds.
    """
    st = _st()
    lengths = st.one_of(st.none(), st.just(np.timedelta64(0, "s")), durations(longest_s))
    early = durations(longest_s).map(lambda duration: -duration)
    return st.builds(TimeSlice, lengths, st.one_of(st.none(), durations(longest_s), early))


def frequency_bands(lowest: float = 0.0, highest: float = 20_000.0) -> Any:
    """Bands of frequencies, each wider than a hundredth of a hertz.

    Args:
        lowest, highest (float): bounds, hertz.
    """
    st = _st()
    edges = st.floats(lowest, highest, allow_nan=False)
    pairs = st.tuples(edges, edges).filter(lambda pair: abs(pair[0] - pair[1]) > 0.01)
    return pairs.map(lambda pair: spectral.FrequencyBand(min(pair), max(pair)))


def frequencies(lowest: float = 0.0, highest: float = 20_000.0) -> Any:
    """Lists of up to six frequencies.

    Args:
        lowest, highest (float): bounds, hertz.
    """
    st = _st()
    return st.lists(st.floats(lowest, highest, allow_nan=False), max_size=6)


def scales(n_bands: int) -> Any:
    """Scales of a number of bands, of every kind that slices in hertz.

    Args:
        n_bands (int): >= 1.
    """
    st = _st()
    band = spectral.FrequencyBand(20, 4000)
    made = [
        spectral.LinearScale(band, n_bands),
        spectral.LinearScale.from_sample_rate(timeseries.SR11025(), n_bands),
        spectral.GeometricScale(30, 4000, 0.1, n_bands),
        spectral.BarkScale(band, n_bands),
        spectral.MelScale(band, n_bands),
        spectral.ERBScale(band, n_bands),
        spectral.ExplicitScale([spectral.FrequencyBand(10 * i, 10.5 * i + 11) for i in range(n_bands)]),
        spectral.FFTScale(11025, max(1, 2 * n_bands - 1)),
    ]
    return st.sampled_from(made)


def time_dimensions() -> Any:
    """Axes of time: of audio, of windows over audio, and of any period; without size and notes."""
    st = _st()
    steps = st.tuples(durations(100), st.one_of(st.just(np.timedelta64(0, "ps")), durations(10)))
    free = steps.map(lambda pair: TimeDimension(pair[0], _sum(*pair)))
    windows = st.builds(TimeDimension.windowed, st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(_RATES))
    return st.one_of(free, windows, sample_rates().map(TimeDimension.from_rate))


def _sum(a: np.timedelta64, b: np.timedelta64) -> np.timedelta64:
    total = a + b
    return total


def dimensions(size: int) -> Any:
    """Dimensions that fit an axis: of time, of frequencies where there are any, and without units.

    Args:
        size (int): elements of the axis, >= 0.
    """
    st = _st()
    kinds = [st.just(IdentityDimension()), time_dimensions()]
    if size:
        whole = spectral.ExplicitScale([spectral.FrequencyBand(20, 4000)])
        kinds.append(scales(size).map(spectral.FrequencyDimension))
        kinds.append(st.just(spectral.ExplicitFrequencyDimension(whole, [slice(0, size)])))
    return st.one_of(kinds)


def shapes(max_axes: int = 3, max_rows: int = 40, max_side: int = 9, min_axes: int = 0) -> Any:
    """Shapes of arrays; the first axis may be empty.

    Args:
        max_axes, min_axes (int): number of axes.
        max_rows (int): the longest first axis.
        max_side (int): the longest of the others.
    """
    st = _st()
    rest = st.lists(st.integers(1, max_side), min_size=max(0, min_axes - 1), max_size=max(0, max_axes - 1))
    long = st.tuples(st.integers(0, max_rows), rest).map(lambda pair: (pair[0], *pair[1]))
    return st.one_of(st.just(()), long) if min_axes == 0 else long


def dtypes(kinds: str = "biufcUSmM") -> Any:
    """Data types that can be stored, in both byte orders.

    Args:
        kinds (str): numpy's letters of the kinds that are wanted.
    """
    return _st().sampled_from([name for name in _DTYPES if np.dtype(name).kind in kinds]).map(np.dtype)


def arrays(shape: Any = None, dtype: Any = None) -> Any:
    """Arrays of any bits, NaN and infinities among them.

    Args:
        shape: a strategy of shapes; None: ``shapes()``.
        dtype: a strategy of data types; None: ``dtypes()``.
    """
    st = _st()
    made = st.tuples(shapes() if shape is None else shape, dtypes() if dtype is None else dtype, seeds())
    return made.map(lambda parts: _any_array(*parts))


def _any_array(shape: tuple[int, ...], dtype: np.dtype, seed: int) -> np.ndarray:
    raw = np.random.default_rng(seed).integers(0, 256, [*shape, dtype.itemsize], dtype=np.uint8)
    if dtype.kind == "b":
        raw &= 1
    if dtype.kind == "U":  # a quarter of the bytes, so that each is a character
        raw = np.where(np.arange(dtype.itemsize) % 4 == 0, raw, 0).astype(np.uint8)
    return np.ascontiguousarray(raw).view(dtype).reshape(shape)


def arrays_with_units(shape: Any = None, dtype: Any = None) -> Any:
    """Arrays with a dimension of any kind on each axis.

    Args: as for ``arrays``.
    """
    st = _st()

    def with_units(array: np.ndarray) -> Any:
        # rows come in chunks of any size, so the first axis must be one that grows
        first = st.one_of(st.just(IdentityDimension()), time_dimensions())
        kinds = [first if not axis else dimensions(size) for axis, size in enumerate(array.shape)]
        return st.tuples(*kinds).map(lambda chosen: ArrayWithUnits(array, chosen))

    return arrays(shape, dtype).flatmap(with_units)


def chunkings(size: int, most: int = 6) -> Any:
    """Positions at which a stream is cut, for ``checks.cut``: none, some, equal ones for empty chunks, and every n-th.

    Args:
        size (int): elements of the stream.
        most (int): how many positions are chosen at random.
    """
    st = _st()
    some = st.lists(st.integers(0, size), max_size=most)
    # steps that give at most a few hundred chunks
    regular = st.integers(max(1, size // 300), max(1, size)).map(lambda step: list(range(step, size, step)))
    return st.one_of(some, regular)


def counts(least: int, most: int) -> Any:
    """Whole numbers, both ends included."""
    return _st().integers(least, most)


def seeds() -> Any:
    """Seeds for ``np.random.default_rng``, where many random numbers are needed at once."""
    return _st().integers(0, 2**32 - 1)


def ids() -> Any:
    """Ids of documents: those that have broken stores, and any text, with surrogates and control characters."""
    st = _st()
    characters = st.characters(codec=None, exclude_categories=())
    return st.one_of(st.sampled_from(NASTY_IDS), st.text(characters, min_size=1), st.text(min_size=1, max_size=600))


def json_values(depth: int = 3) -> Any:
    """Strict JSON of any kind, also such as no honest header holds.

    Args:
        depth (int): how deep lists and dicts may be nested.
    """
    st = _st()
    nasty = st.sampled_from([None, True, -1, 0, 1, 2**31, 2**62, 2**63, 10**30, 1e308, -0.5, "", "|O", "x" * 50])
    values = st.one_of(nasty, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9))
    for _ in range(depth):
        values = st.one_of(values, st.lists(values, max_size=3), _objects_of(values))
    return values


def json_objects(depth: int = 3) -> Any:
    """Such of ``json_values`` as are dicts.

    Args:
        depth (int): how deep lists and dicts may be nested, >= 1.
    """
    return _objects_of(json_values(depth - 1))


def _objects_of(values: Any) -> Any:
    st = _st()
    names = st.one_of(st.sampled_from(["type", "items", "shape", "dtype", "value"]), st.text(max_size=4))
    return st.dictionaries(names, values, max_size=3)


def damaged(header: Any, changes: int = 3) -> Any:
    """Variants of a JSON value: parts of it replaced by something else, left out, or doubled.

    Args:
        header: the value, which stays as it is.
        changes (int): how many parts are changed at most.
    """
    st = _st()
    steps = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3), json_values(1)), min_size=1, max_size=changes)

    def changed(plan: list[tuple[int, int, Any]]) -> Any:
        root = [copy.deepcopy(header)]
        for number, kind, value in plan:
            places = list(_places(root))
            container, key = places[number % len(places)]
            if kind == 0 and container is not root:
                del container[key]
            elif kind == 1 and isinstance(container[key], list) and container[key]:
                container[key].append(container[key][-1])
            elif kind == 1 and type(container[key]) is int:
                container[key] = container[key] * 2**40 + 1
            else:
                container[key] = copy.deepcopy(value)
        return root[0]

    return steps.map(changed)


def _places(container: Any) -> Any:
    """Yield (container, key) of every part of a JSON value."""
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in list(items):
        yield container, key
        if isinstance(value, (dict, list)):
            yield from _places(value)
