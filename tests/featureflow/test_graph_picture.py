"""The graph of a document class, from its declaration: text, DOT, and a picture that is read back."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import zounds_lite as zounds
from tests.markup import SVG, box, read_html, read_svg, texts
from zounds_lite import featureflow as ff

HOSTILE = '<img src=x onerror=alert(1)>"&\\\n\0'


class Splits(ff.Node):
    def __init__(self, size=1, needs=None):
        super().__init__(needs=needs)

    def _process(self, data):
        raise AssertionError("a picture runs nothing")


class Document(ff.BaseModel):
    words = ff.JSONFeature(Splits, size=ff.Var("size"), store=True)
    pairs = ff.JSONFeature(Splits, size=2, needs=words, store=False)
    both = ff.JSONFeature(Splits, needs=[words, pairs], store=True)
    half = ff.JSONFeature(Splits, needs=both.aspect("left"), store=False)


def test_the_text_has_a_line_for_each_feature():
    assert Document.graph().text == (
        "Document: 4 features, 2 of them stored\n"
        "  words  stored    given to process   Splits(size=<size>)\n"
        "  pairs  computed  from words         Splits(size=2)\n"
        "  both   stored    from words, pairs  Splits()\n"
        "  half   computed  from both['left']  Splits()"
    )
    assert repr(Document.graph()) == Document.graph().text


def test_nodes_and_edges():
    graph = Document.graph()
    assert graph.edges == [
        ("words", "pairs", ""), ("words", "both", ""), ("pairs", "both", ""), ("both", "half", "left")
    ]  # fmt: skip
    assert [node.is_root for node in graph.nodes] == [True, False, False, False]


def test_a_subclass_draws_what_it_overrides():
    class Other(Document):
        pairs = ff.JSONFeature(len, needs=Document.words, store=True)

    (pairs,) = (node for node in Other.graph().nodes if node.name == "pairs")
    assert pairs.extractor == "len" and pairs.is_stored
    assert ("pairs", "both", "") in Other.graph().edges
    assert Other.graph().title == "Other"


def test_what_is_needed_and_not_declared_is_drawn_too():
    class Alone(ff.BaseModel):
        count = ff.JSONFeature(len, needs=Document.pairs, store=True)

    assert [node.name for node in Alone.graph().nodes] == ["count", "pairs", "words"]


def test_graph_takes_no_name_from_features():
    class Named(ff.BaseModel):
        graph = ff.JSONFeature(ff.IteratorNode, store=True)

    assert Named.features["graph"] is Named.graph
    assert ">graph<" in Named._repr_html_()


def read_dot(text):
    """Read the nodes and edges of a DOT text, whose every line must be one of them."""
    quoted = r'"((?:[^"\\\n]|\\.)*)"'
    first, settings, *lines, last = text.split("\n")
    assert re.fullmatch(rf"digraph {quoted} {{", first) and last == "}" and settings.startswith("  rankdir=LR;")
    nodes, edges = {}, []
    for line in lines:
        node = re.fullmatch(rf"  {quoted} \[label={quoted} (style=.*)\];", line)
        edge = re.fullmatch(rf"  {quoted} -> {quoted}(?: \[label={quoted}\])?;", line)
        assert node or edge, line
        if node:
            nodes[node[1]] = node[2], node[3]
        else:
            edges.append((edge[1], edge[2], edge[3] or ""))
    return nodes, edges


def test_dot_names_every_node_and_edge():
    nodes, edges = read_dot(Document.graph().dot())
    assert list(nodes) == ["words", "pairs", "both", "half"] and edges == Document.graph().edges
    assert nodes["words"][0] == "words\\nSplits" and "penwidth=2" in nodes["words"][1]
    assert "filled" in nodes["both"][1] and "dashed" in nodes["half"][1]


def boxes(svg):
    """Return the box of each feature, and its look."""
    root = read_svg(svg)
    found = {}
    for group in root.findall(f"{SVG}g"):
        rectangle = group.find(f"{SVG}rect")
        if rectangle is not None:
            name = group.find(f"{SVG}title").text.partition(":")[0]
            found[name] = box(rectangle), "stroke-dasharray" in rectangle.attrib, float(rectangle.get("stroke-width"))
    return root, found


def test_the_picture_has_a_box_for_each_feature_and_arrows_to_the_right():
    root, found = boxes(Document.graph().svg())
    assert {name: dashed for name, (_, dashed, _) in found.items()} == {
        "words": False, "pairs": True, "both": False, "half": True
    }  # fmt: skip
    assert [width > 2 for _, _, width in found.values()] == [True, False, False, False]
    arrows = [path for path in root.findall(f"{SVG}path") if path.get("fill") == "none"]
    assert len(arrows) == 4
    for (source, target, _), path in zip(Document.graph().edges, arrows, strict=True):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))]
        left, top, width, height = found[source][0]
        assert (numbers[0], numbers[1]) == pytest.approx((left + width, top + height / 2), abs=0.1)
        left, top, _, height = found[target][0]
        assert (numbers[-2], numbers[-1]) == pytest.approx((left, top + height / 2), abs=0.1)
        assert found[source][0][0] + found[source][0][2] < left
    assert "left" in [words for words, *_ in texts(root)]


def check_apart(svg):
    """No two boxes overlap, and all of them are inside of the picture."""
    root, found = boxes(svg)
    wide, high = float(root.get("width")), float(root.get("height"))
    places = [place for place, *_ in found.values()]
    for k, (left, top, width, height) in enumerate(places):
        assert left >= 0 and top >= 0 and left + width <= wide and top + height <= high
        for other in places[:k]:
            is_beside = left + width <= other[0] or other[0] + other[2] <= left
            assert is_beside or top + height <= other[1] or other[1] + other[3] <= top
    return found


@pytest.mark.parametrize("shape", ["star", "chain", "all of it", "none"])
def test_two_hundred_features_lie_apart(shape):
    features = {"f0": ff.JSONFeature(ff.IteratorNode, store=True)}
    for k in range(1, 200 if shape != "all of it" else 40):
        before = list(features.values())
        needs = {"star": before[0], "chain": before[-1], "all of it": before, "none": None}[shape]
        features[f"f{k}"] = ff.JSONFeature(len if needs else ff.IteratorNode, needs=needs, store=k % 2 == 0)
    wide = type("Wide", (ff.BaseModel,), features)
    assert len(check_apart(wide.graph().svg())) == len(features)
    read_html(wide._repr_html_())


@pytest.mark.parametrize(("count", "needs", "is_drawn"), [(300, 2, True), (800, 1, True), (1000, 5, False)])
def test_graphs_of_any_size_stay_small(count, needs, is_drawn):
    features = {"f0": ff.JSONFeature(ff.IteratorNode, store=True)}
    for k in range(1, count):
        before = list(features.values())[-needs:]
        features[f"a_feature_with_a_long_name_{k}"] = ff.JSONFeature(len, needs=before, store=True)
    html = type("Huge", (ff.BaseModel,), features)._repr_html_()
    read_html(html)
    assert ("<svg" in html) == is_drawn


@pytest.mark.parametrize("make", [zounds.stft, zounds.audio_graph])
def test_ready_made_graphs_are_drawn(make):
    cls = make(resample_to=zounds.SR11025())
    assert set(check_apart(cls.graph().svg())) == set(cls.features)
    read_dot(cls.graph().dot())


def test_a_class_without_features_is_drawn():
    class Empty(ff.BaseModel):
        pass

    assert Empty.graph().text == "Empty: 0 features, 0 of them stored"
    read_svg(Empty.graph().svg())


def test_names_and_arguments_are_only_text():
    features = {HOSTILE: ff.JSONFeature(Splits, size=HOSTILE, store=True)}
    features["next"] = ff.JSONFeature(Splits, needs=features[HOSTILE].aspect(HOSTILE), store=True)
    cls = type("Named", (ff.BaseModel,), features)
    cls.__name__ = HOSTILE.replace("\0", "")
    elements, words = read_html(cls._repr_html_())
    assert "<img src=x" in words and "img" not in [tag for tag, _ in elements]
    read_dot(cls.graph().dot())


def test_a_class_and_its_document_show_themselves_each_in_its_way():
    # IPython asks a class only for what is bound to it
    assert Document._repr_html_.__self__ is Document and Document("x")._repr_html_.__self__._id == "x"
    assert Document._repr_html_() == Document.graph()._repr_html_()
    assert "<svg" not in Document("x")._repr_html_()


def test_svg_parses_alone():
    assert ElementTree.fromstring(Document.graph().svg()).tag == f"{SVG}svg"
