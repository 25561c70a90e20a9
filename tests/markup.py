"""HTML and SVG read strictly: what is not balanced, not safe, or points outside of itself fails."""

import base64
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from html.parser import HTMLParser

import numpy as np

VOID = {"br", "hr", "img", "input", "link", "meta"}
ALLOWED = {
    "audio", "br", "caption", "circle", "div", "figcaption", "figure", "g", "image", "li", "ol", "path", "pre", "rect",
    "small", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr",
}  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"
MEGABYTE = 1_000_000


class _Strict(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        assert tag in ALLOWED, f"<{tag}> is not expected"
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> repeats an attribute: {names}"
        for name, value in attrs:
            assert not name.startswith("on"), f"<{tag}> runs code: {name}"
            if name in ("href", "src") or name.endswith(":href"):
                assert re.match(r"data:(image/png|audio/(ogg|wav));base64,[A-Za-z0-9+/]+=*$", value), value[:80]
            assert "url(" not in (value or "") and "javascript:" not in (value or "")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.open, f"<{tag}/> is closed at once outside of SVG"
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> where {self.open[-3:]} are open"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:80]}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def read_html(text):
    """Check HTML, and return its elements as (tag, attributes) and its text."""
    assert len(text.encode("utf-8")) < MEGABYTE
    parser = _Strict()
    parser.feed(text)
    parser.close()
    assert not parser.open, f"never closed: {parser.open}"
    # a parser that knows only tags would take a stray < for text
    assert text.count("<") == len(parser.elements) + text.count("</")
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(svg)
    return parser.elements, "".join(parser.words)


def read_svg(text):
    """Check an SVG figure, and return its root."""
    read_html(text)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title").text
    return root


def sources(elements, tag):
    """Return what the elements of a kind hold, decoded."""
    found = [attrs.get("src") or attrs.get("href") for name, attrs in elements if name == tag]
    return [base64.b64decode(value.partition(",")[2], validate=True) for value in found]


def box(element):
    """Return left, top, width and height of an image or a rectangle."""
    return tuple(float(element.get(name)) for name in ("x", "y", "width", "height"))


def read_numbers(image):
    """Decode the PNG of an ``image`` element, and return the numbers of its colours and the palette, RGBA."""
    data = base64.b64decode(image.get("href").partition(",")[2], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width)
    assert not lines[:, 0].any()
    palette = np.full((256, 4), 255, np.uint8)
    colours = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    palette[: len(colours), :3] = colours
    alpha = np.frombuffer(chunks.get(b"tRNS", b""), np.uint8)
    palette[: len(alpha), 3] = alpha
    return lines[:, 1:], palette


def texts(root):
    """Return every ``text`` element as (words, x, y, anchor, is it turned)."""
    return [
        (one.text, float(one.get("x")), float(one.get("y")), one.get("text-anchor"), one.get("transform") is not None)
        for one in root.iter(f"{SVG}text")
    ]


def is_number(words):
    return re.fullmatch(r"-?\d+(\.\d+)?", words) is not None


def ticks_below(root, bottom):
    """Return the ticks under a frame: value to x."""
    return {float(w): x for w, x, y, anchor, _ in texts(root) if anchor == "middle" and y == bottom + 16}


def ticks_left(root):
    """Return the ticks at the left: value to y."""
    return {float(w): y - 4 for w, _, y, anchor, _ in texts(root) if anchor == "end" and is_number(w)}


def ticks_right(root):
    """Return the ticks of a colour bar: value to y."""
    return {float(w): y - 4 for w, _, y, anchor, _ in texts(root) if anchor == "start" and is_number(w)}


def between(ticks, value):
    """Return the place of a value on an axis that is straight between its ticks, and beyond the last."""
    values = sorted(ticks)
    k = min(max(1, int(np.searchsorted(values, value))), len(values) - 1)
    a, b = values[k - 1], values[k]
    return ticks[a] + (value - a) / (b - a) * (ticks[b] - ticks[a])
