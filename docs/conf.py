"""Sphinx settings, and the pages that every build writes anew.

Those are a page per module under ``api/``, from the docstrings of what its ``__all__`` names, and a page per program
under ``examples/``: ``gallery.py``. Pictures and sounds on the other pages: ``pictures.py``, ``sounds.py``. A build
fails where the search would not find a public name: ``public_names.py``.
"""

import importlib
import inspect
import re
import shutil
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]

project = "zounds_lite"
author = copyright = "zounds_lite developers"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["gallery", "pictures", "public_names", "sounds"]  # beside this file
exclude_patterns = ["_build", "benchmarks_table.md", "faults_table.md"]
myst_enable_extensions = ["dollarmath"]
smartquotes = False
html_theme = "furo"
html_title = f"zounds_lite {release}"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Shape", "Sources"]


def modules():
    """Yield the public modules of the package, packages before what is in them, as (dotted name, file)."""
    for path in sorted((ROOT / "zounds_lite").rglob("*.py"), key=lambda p: p.relative_to(ROOT).with_suffix("").parts):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            yield ".".join(parts), path


def entry(value, name):
    """One line of a package's list of names: a link to where the name is documented, and its summary."""
    if inspect.ismodule(value):
        return f"- {{doc}}`{name} <{value.__name__}>`"
    value = inspect.unwrap(value) if callable(value) else value  # functions with a cache
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"- `{name}`"
    summary = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    return f"- {{py:obj}}`{name} <{value.__module__}.{value.__qualname__}>`: {summary}"


public_names = {name: tuple(importlib.import_module(name).__all__) for name, _ in modules()}


def other_names(module):
    """Names that a package gives to what is called otherwise, so that the search finds those, too."""
    for name in sorted(module.__all__):
        value = getattr(module, name)
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__name__ != name:
            same = f"{value.__module__}.{value.__qualname__}"
            yield f".. py:data:: {module.__name__}.{name}\n\n   Another name of :py:obj:`{same}`.\n"


def page(name, path, names):
    """The page of one module: its docstring and its public names; a package lists the names of its modules."""
    lines = [f"# {name}", "", "```{eval-rst}", f".. automodule:: {name}"]
    if path.name != "__init__.py":
        return "\n".join([*lines, "   :members:", "```", ""])
    module = importlib.import_module(name)
    public = [entry(getattr(module, public_name), public_name) for public_name in sorted(module.__all__)]
    children = [child for child in names if child.rpartition(".")[0] == name]
    lines += ["", *other_names(module), "```", "", *(["## Names", "", *public, ""] if public else [])]
    if children:
        lines += ["## Modules", "", "```{toctree}", ":maxdepth: 1", "", *children, "```", ""]
    return "\n".join(lines)


def write_modules(folder):
    found = dict(modules())
    for name, path in found.items():
        (folder / f"{name}.md").write_text(page(name, path, found), "utf-8")


def write_pages(app):
    shutil.rmtree(DOCS / "api", ignore_errors=True)
    (DOCS / "api").mkdir()
    write_modules(DOCS / "api")


def escape_symbols(app, what, name, obj, options, lines):
    """Let bars, as of a magnitude, mean themselves, and asterisks in Shape sections, such as ``*sizes``.

    Outside of literals and examples they would begin a substitution, or emphasis.
    """
    in_shape = in_example = False
    for at, line in enumerate(lines):
        if line.strip():
            heading = re.fullmatch(r"\s*(\w+):", line)
            in_shape = heading[1] == "Shape" if heading else in_shape
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>> "))
        if in_example:
            continue
        parts = line.split("``")
        for i in range(0, len(parts), 2):
            # a bar between spaces separates types
            parts[i] = re.sub(r"(?<!\s)\||\|(?!\s)", r"\|", parts[i])
            parts[i] = parts[i].replace("*", r"\*") if in_shape else parts[i]
        lines[at] = "``".join(parts)


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", escape_symbols, priority=400)  # before napoleon turns sections into fields
