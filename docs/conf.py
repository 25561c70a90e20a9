"""Sphinx settings, and the pages that every build writes anew.

Those are a page per module under ``api/``, from the docstrings of what its ``__all__`` names, and a page per program
under ``examples/``, with what its one run printed. Pictures on the other pages: ``pictures.py``.
"""

import ast
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from sphinx.errors import ExtensionError

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]

project = "zounds_lite"
author = copyright = "zounds_lite developers"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pictures"]
exclude_patterns = ["_build", "benchmarks_table.md", "faults_table.md"]
myst_enable_extensions = ["dollarmath"]
smartquotes = False
html_theme = "furo"
html_title = f"zounds_lite {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Shape", "Sources"]

EXAMPLE_SECONDS = 120


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


def page(name, path, names):
    """The page of one module: its docstring and its public names; a package lists the names of its modules."""
    lines = [f"# {name}", "", "```{eval-rst}", f".. automodule:: {name}"]
    if path.name != "__init__.py":
        return "\n".join([*lines, "   :members:", "```", ""])
    module = importlib.import_module(name)
    public = [entry(getattr(module, public_name), public_name) for public_name in sorted(module.__all__)]
    children = [child for child in names if child.rpartition(".")[0] == name]
    lines += ["```", "", *(["## Names", "", *public, ""] if public else [])]
    if children:
        lines += ["## Modules", "", "```{toctree}", ":maxdepth: 1", "", *children, "```", ""]
    return "\n".join(lines)


def write_modules(folder):
    found = dict(modules())
    for name, path in found.items():
        (folder / f"{name}.md").write_text(page(name, path, found), "utf-8")


def run_example(path):
    """Run an example once in an empty folder; warnings are errors there too.

    Raises:
        ExtensionError: it failed, so the build fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-W", "error", str(path)],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=EXAMPLE_SECONDS,
        )  # fmt: skip
    if done.returncode:
        raise ExtensionError(f"{path.name} failed with exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def write_examples(folder):
    names = []
    for path in sorted((ROOT / "examples").glob("*.py")):
        printed = run_example(path)
        says = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.stem
        title, _, rest = says.partition("\n")
        source = f"```{{literalinclude}} ../../examples/{path.name}\n:language: python\n```"
        output = f"It prints:\n\n```text\n{printed.rstrip()}\n```\n"
        text = "\n\n".join([f"# {title.rstrip('.')}", rest.strip(), source, output])
        (folder / f"{path.stem}.md").write_text(text, "utf-8")
        names.append(path.stem)
    index = "\n".join(["# Examples", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""])
    (folder / "index.md").write_text(index, "utf-8")


def write_pages(app):
    for name, write in (("api", write_modules), ("examples", write_examples)):
        shutil.rmtree(DOCS / name, ignore_errors=True)
        (DOCS / name).mkdir()
        write(DOCS / name)


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
