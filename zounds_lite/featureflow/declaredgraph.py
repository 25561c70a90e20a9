"""The graph of a document class, as it is declared.

Goal: see what a document holds and what each feature is computed from, before anything runs. Conventions: everything is
read from the declaration; features stand in the order in which they are declared. Classes: ``FeatureGraph``,
``FeatureNode``; a class returns its own by ``Document.graph()``.

Sources:
    E. Gansner, E. Koutsofios, S. North, "Drawing graphs with dot", 2015, appendix A (the language DOT).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zounds_lite.featureflow.display import escaped, render_html
from zounds_lite.featureflow.feature import Aspect, Feature, Var
from zounds_lite.featureflow.lineage import Lineage

__all__ = ["FeatureGraph", "FeatureNode"]

_MOST_ARGUMENT = 60
"""Characters of an argument that are shown."""

_MOST_DRAWN, _MOST_SVG, _MOST_TEXT = 3_000, 900_000, 100_000
"""Boxes and arrows, and characters, up to which a notebook gets a picture; and those of the text that it gets else."""

_LOOKS = {True: 'style="filled" fillcolor="#d6e6fa"', False: 'style="dashed"'}


@dataclass(frozen=True)
class FeatureNode:
    """A feature, as it is declared.

    Attributes:
        name (str): its name.
        is_stored (bool): whether its value is kept; what is not is computed when it is read.
        extractor (str): the class or function that computes it.
        arguments (tuple[str, ...]): what the extractor is given, as ``name=value``; ``<name>`` stands for an argument
            of ``process``.
        needs (tuple[tuple[str, str], ...]): the features that it is computed from, each with the key that is taken of
            it, empty for all of it; none for a root, whose value is an argument of ``process``.
    """

    name: str
    is_stored: bool
    extractor: str
    arguments: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]

    @property
    def is_root(self) -> bool:
        """Whether its value is given to ``process``."""
        return not self.needs

    def __str__(self) -> str:
        return f"{self.extractor}({', '.join(self.arguments)})"


class FeatureGraph:
    """The features of a class, and what each is computed from: a picture in a notebook, and text elsewhere.

    Args:
        title (str): the name of the class.
        features (Mapping[str, Feature]): its features.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        ...     count = ff.JSONFeature(len, needs=words)
        >>> Document.graph()
        Document: 2 features, 1 of them stored
          words  stored    given to process  IteratorNode()
          count  computed  from words        len()
        >>> print(Document.graph().dot())
        digraph "Document" {
          rankdir=LR; node [shape=box];
          "words" [label="words\\nIteratorNode" style="filled" fillcolor="#d6e6fa" penwidth=2];
          "count" [label="count\\nlen" style="dashed"];
          "words" -> "count";
        }
    """

    def __init__(self, title: str, features: Mapping[str, Feature]) -> None:
        lineage = Lineage(features)
        found = dict(features)
        waiting = list(found.values())
        while waiting:  # what is needed may be no feature of this class
            for need in lineage.needs(waiting.pop()).values():
                if (need.name or "?") not in found:
                    found[need.name or "?"] = need
                    waiting.append(need)
        self.title = title
        self.nodes = tuple(_node(name, feature, lineage) for name, feature in found.items())

    @property
    def edges(self) -> list[tuple[str, str, str]]:
        """Every (feature, feature computed from it, key that is taken; empty for all)."""
        return [(need, node.name, key) for node in self.nodes for need, key in node.needs]

    @property
    def text(self) -> str:
        """The graph as lines of text, one for each feature."""
        stored = sum(node.is_stored for node in self.nodes)
        rows = [
            (node.name, "stored" if node.is_stored else "computed", _origin(node), str(node)) for node in self.nodes
        ]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]])
            for row in rows
        ]
        count = f"{len(rows)} feature{'' if len(rows) == 1 else 's'}"
        return "\n".join([f"{self.title}: {count}, {stored} of them stored", *(f"  {line}" for line in lines)])

    def dot(self) -> str:
        """Return the graph in the language DOT, for Graphviz and its relatives."""
        lines = [f"digraph {_quoted(self.title)} {{", "  rankdir=LR; node [shape=box];"]
        for node in self.nodes:
            label = _quoted(f"{node.name}\n{node.extractor}")
            root = " penwidth=2" if node.is_root else ""
            lines.append(f"  {_quoted(node.name)} [label={label} {_LOOKS[node.is_stored]}{root}];")
        for need, name, key in self.edges:
            lines.append(f"  {_quoted(need)} -> {_quoted(name)}{f' [label={_quoted(key)}]' if key else ''};")
        return "\n".join([*lines, "}"])

    def svg(self) -> str:
        """Return the graph as a picture, an ``svg`` element; no other program is needed."""
        return render_html(self)

    def _repr_html_(self) -> str:
        drawn = self.svg() if len(self.nodes) + len(self.edges) <= _MOST_DRAWN else ""
        if not drawn or len(drawn) > _MOST_SVG:
            return f"<pre>{escaped(self.text, _MOST_TEXT)}</pre>"
        return f'<div style="overflow:auto;max-height:700px">{drawn}</div>'

    def __repr__(self) -> str:
        return self.text


def _node(name: str, feature: Feature, lineage: Lineage) -> FeatureNode:
    extractor = feature.extractor
    shown = getattr(extractor, "__qualname__", None) or type(extractor).__qualname__
    needs = tuple(
        (lineage.resolve(need).name or "?", need.aspect_key if isinstance(need, Aspect) else "")
        for need in feature.named_needs().values()
    )
    arguments = tuple(f"{key}={_argument(value)}" for key, value in feature.extractor_args.items())
    return FeatureNode(name, bool(feature.store), shown.rpartition("<locals>.")[2], arguments, needs)


def _argument(value: Any) -> str:
    if isinstance(value, Var):
        return f"<{value.name}>"
    text = value.__qualname__ if isinstance(value, type) else " ".join(repr(value).split())
    return text if len(text) <= _MOST_ARGUMENT else f"{text[:_MOST_ARGUMENT]}..."


def _origin(node: FeatureNode) -> str:
    if node.is_root:
        return "given to process"
    return "from " + ", ".join(f"{need}[{key!r}]" if key else need for need, key in node.needs)


def _quoted(text: str) -> str:
    """Write a text as DOT does: in quotes, in which only quotes, backslashes and ends of lines mean anything."""
    plain = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
