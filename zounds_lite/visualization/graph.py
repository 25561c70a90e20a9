"""The graph of a document class as a picture.

Goal: what is stored, and what each feature is computed from, at a glance. Conventions: features that are stored are
filled, others are dashed; the border of what is given to ``process`` is thick; arrows run from left to right, and are
named by the key that is taken, where it is not all. Function: ``graph_svg``.
"""

from collections.abc import Hashable

from zounds_lite.featureflow.declaredgraph import FeatureGraph, FeatureNode
from zounds_lite.featureflow.display import escaped
from zounds_lite.visualization.layered import Layout, layered
from zounds_lite.visualization.shapes import svg, text

__all__ = ["graph_svg"]

_HEIGHT, _GAP, _BETWEEN, _EDGE = 38.0, 14.0, 56.0, 12.0
_CHARACTER = 6.6
"""Width of a character, about, in pixels."""

_MOST_CHARACTERS = 30
_FILLED = 'fill="#d6e6fa" stroke="#2f6db5"'
_DASHED = 'fill="#ffffff" stroke="#6b7480" stroke-dasharray="4 3"'
_ARROW = 'fill="none" stroke="currentColor" stroke-opacity="0.65"'
_LEGEND = "filled: stored; dashed: computed when read; thick border: given to process"


def graph_svg(graph: FeatureGraph) -> str:
    """Draw the graph of a document class.

    Args:
        graph (FeatureGraph): what ``Document.graph()`` returns.

    Returns:
        str: an ``svg`` element.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        ...     count = ff.JSONFeature(len, needs=words)
        >>> graph_svg(Document.graph()).count("<rect")
        2
    """
    nodes = {node.name: node for node in graph.nodes}
    layout = layered(list(nodes), [(need, name) for need, name, _ in graph.edges], _HEIGHT, _GAP)
    columns, right = _columns(layout, nodes)
    bottom = max((y + _HEIGHT / 2 for y in layout.y.values()), default=0.0) + 2 * _EDGE
    parts = []
    for route, (_, _, key) in zip(layout.routes, graph.edges, strict=True):
        parts.append(_arrow([(*columns[item], layout.y[item] + _EDGE) for item in route], key))
    for name, node in nodes.items():
        left, end = columns[name]
        parts.append(_box(node, left, layout.y[name] + _EDGE, end - left))
    parts.append(text(_EDGE, bottom + 8, f"{graph.title}: {_LEGEND}", "start"))
    width = max(right + _EDGE, len(_LEGEND + graph.title) * 5.6 + 2 * _EDGE)
    # as large as it is, in a page that scrolls: a wide graph made to fit could not be read
    return svg(round(width), round(bottom + 20), f"the graph of {graph.title}", parts, fits=False)


def _columns(layout: Layout, nodes: dict[str, FeatureNode]) -> tuple[dict[Hashable, tuple[float, float]], float]:
    """Return the left and right end of each item, and of the whole."""
    found: dict[Hashable, tuple[float, float]] = {}
    left = _EDGE
    for items in layout.columns:
        names = [nodes[item] for item in items if isinstance(item, str)]
        longest = max((len(words) for node in names for words in _words(node)), default=4)
        right = left + max(60.0, longest * _CHARACTER + 16)
        found.update(dict.fromkeys(items, (left, right)))
        left = right + _BETWEEN
    return found, left - _BETWEEN


def _words(node: FeatureNode) -> tuple[str, str]:
    return _cut(node.name), _cut(node.extractor)


def _cut(words: str) -> str:
    return words if len(words) <= _MOST_CHARACTERS else f"{words[: _MOST_CHARACTERS - 1]}…"


def _box(node: FeatureNode, left: float, y: float, width: float) -> str:
    look = _FILLED if node.is_stored else _DASHED
    name, extractor = _words(node)
    middle = left + width / 2
    border = 2.5 if node.is_root else 1
    return (
        f'<g fill="#14181d"><title>{escaped(f"{node.name}: {node}")}</title>'
        f'<rect x="{left:.6g}" y="{y - _HEIGHT / 2:.6g}" width="{width:.6g}" height="{_HEIGHT:g}" rx="5" '
        f'{look} stroke-width="{border:g}"/>'
        f'<g font-weight="bold">{text(middle, y - 3, name)}</g>'
        f'<g font-size="10" opacity="0.75">{text(middle, y + 12, extractor)}</g></g>'
    )


def _arrow(route: list[tuple[float, float, float]], key: str) -> str:
    """Draw an arrow through (left, right, y) of each item: level inside of a column, curved between two."""
    _, x, y = route[0]
    path = f"M{x:.6g} {y:.6g}"
    for left, right, to in route[1:]:
        middle = (x + left) / 2
        path += f"C{middle:.6g} {y:.6g} {middle:.6g} {to:.6g} {left:.6g} {to:.6g}H{right:.6g}"
        x, y = right, to
    end = route[-1][0]
    path = path.rpartition("H")[0]
    head = f'<path d="M{end:.6g} {y:.6g}l-7 -3.5v7Z" fill="currentColor"/>'
    name = text(end - 9, y - 4, key, "end") if key else ""
    return f'<path d="{path}" {_ARROW}/>{head}{name}'
