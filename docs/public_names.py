"""The search of the finished pages finds every public name; a build where it does not is no success.

A name is found where the search's index, which the browser loads, has an object of that name to show: a class, a
function, a constant or a module, with the page on which it is described.
"""

import json
from pathlib import Path

from sphinx.errors import ExtensionError

HIDDEN = -1
"""The priority of objects that the search does not show."""


def read_index(path):
    """Read ``searchindex.js``, which is one call with one JSON object."""
    text = Path(path).read_text("utf-8")
    return json.loads(text[text.index("(") + 1 : text.rindex(")")])


def found(index):
    """Names that the search shows, without the modules and classes before them."""
    objects = (entry for entries in index["objects"].values() for entry in entries)
    pages = range(len(index["docnames"]))
    return {name for page, _, priority, _, name in objects if priority != HIDDEN and page in pages}


def missing(index, public):
    """The names of modules that the search does not find.

    Args:
        index (dict): what ``searchindex.js`` holds.
        public (dict[str, Iterable[str]]): what each module's ``__all__`` names.

    Returns:
        list[str]: dotted names, sorted.
    """
    there = found(index)
    return sorted(f"{module}.{name}" for module, names in public.items() for name in names if name not in there)


def check(app, exception):
    """Look for every public name in what was just built.

    Raises:
        ExtensionError: the search does not find some.
    """
    if exception is not None or app.builder.name != "html":
        return
    lost = missing(read_index(Path(app.outdir) / "searchindex.js"), app.config.public_names)
    if lost:
        raise ExtensionError(
            f"the search finds {len(lost)} public names nowhere: {', '.join(lost)}; give each a docstring on its own "
            "page, a constant a string on the line after it"
        )


def setup(app):
    app.add_config_value("public_names", {}, "")
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
