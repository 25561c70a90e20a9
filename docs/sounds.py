"""The directive ``sound``: a player of a sound file, on any page.

On a page::

    ```{sound} path/of/a/file.ogg
    What is to be heard
    ```

The path is relative to the page. The file is copied into the site like one that a page offers for download.
"""

import html
import posixpath
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective


class sound(addnodes.download_reference):
    """A file that Sphinx copies and names; writers of formats that cannot play sound link it."""


class Sound(SphinxDirective):
    required_arguments = 1  # the file
    final_argument_whitespace = True
    has_content = True

    def run(self):
        file, absolute = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(file)
        if not Path(absolute).is_file():
            return [self.state_machine.reporter.error(f"sound: there is no file {file}", line=self.lineno)]
        says = " ".join(self.content)
        player = sound("", says, reftarget=self.arguments[0], refdoc=self.env.docname, says=says)
        texts, messages = self.state.inline_text(says, self.lineno)
        box = nodes.container("", nodes.paragraph("", "", player), nodes.paragraph("", "", *texts), classes=["sound"])
        self.set_source_info(box)
        return [box, *messages]


def play(translator, node):
    file = posixpath.join(translator.builder.dlpath, quote(node["filename"]))
    label = html.escape(node["says"], quote=True)
    translator.body.append(f'<audio controls preload="none" src="{file}" aria-label="{label}"></audio>')
    raise nodes.SkipNode


def setup(app):
    app.add_directive("sound", Sound)
    app.add_node(sound, html=(play, None))
    return {"parallel_read_safe": True}
