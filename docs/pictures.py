"""The directive ``picture``: a page shows code, and the picture of what the code leaves, made anew by every build.

On a page::

    ```{picture} What is to be seen
    tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1))
    picture = zounds.spectral.stft(tone)
    ```

The code runs once, in a namespace of its own that begins with ``zounds`` (``zounds_lite``) and ``np`` (``numpy``). It
leaves a two-dimensional array with units, time first, in ``picture``; and it may set ``floor_db``, the level under the
peak where the picture is darkest. Warnings are errors there. A failure is an error of the build, at the page's line.
Backticks in the caption would end the fence's first line, so it has none.
"""

import re
import shutil
import traceback
import warnings
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FOLDER = "_pictures"
"""Under ``docs``; written by the build."""


def run(code, page="picture", offset=0):
    """Run the code of a picture, and return what it leaves as (picture, floor_db).

    Raises:
        ValueError: it leaves no two-dimensional array with units, time first.
        Exception: whatever the code raises; its traceback names lines of the page.
    """
    import numpy as np

    import zounds_lite as zounds

    namespace = {"__name__": "picture", "zounds": zounds, "np": np}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile("\n" * offset + code, page, "exec"), namespace)
    picture = namespace.get("picture")
    dimensions = getattr(picture, "dimensions", ())
    if len(dimensions) != 2 or not isinstance(dimensions[0], zounds.TimeDimension):
        raise ValueError(
            f"the name picture holds {type(picture).__name__} with the dimensions {dimensions!r}; allowed: a "
            "two-dimensional array with units, time first, such as the result of zounds.spectral.stft"
        )
    return picture, namespace.get("floor_db")


def axes(picture, floor_db=None):
    """Say in words what the two axes of a picture show."""
    time, other = picture.dimensions
    seconds = f"left to right 0 to {time.with_size(len(picture)).end_seconds:.4g} s"
    scale = getattr(other, "scale", None)
    if scale is None:
        rows = f"bottom to top {picture.shape[1]} values"
    else:
        low, high = max(0.0, float(scale.start_hz)), float(scale.stop_hz)
        rows = f"bottom to top {low:.5g} to {high:.5g} Hz in {len(scale)} bands ({type(scale).__name__})"
    darkest = "" if floor_db is None else f"; darkest at {floor_db:g} dB under the peak"
    return f"{seconds}, {rows}{darkest}"


def where(error, page):
    """The line of the page that an error comes from; None if it comes from none."""
    if isinstance(error, SyntaxError) and error.filename == page:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == page]
    return lines[-1] if lines else None


class Picture(SphinxDirective):
    required_arguments = 1  # the caption
    final_argument_whitespace = True
    has_content = True

    def run(self):
        from zounds_lite.visualization import spectrogram_png

        self.env.note_reread()  # the library may change where the page does not
        page, line = self.get_source_info()
        offset = self.lineno + self.content_offset  # MyST counts the latter from the directive
        code = "\n".join(self.content)
        try:
            picture, floor_db = run(code, page, offset)
            name = f"{re.sub(r'[^0-9A-Za-z]+', '-', self.env.docname)}-{self.env.new_serialno('picture') + 1}.png"
            spectrogram_png(picture, Path(self.env.srcdir) / FOLDER / name, floor_db)
        except Exception as error:  # noqa: BLE001  # any failure of a page's code is this page's error
            at = where(error, page) or line
            return [self.failure(f"picture, line {at}: {type(error).__name__}: {error}", at)]
        return self.shown(code, f"/{FOLDER}/{name}", axes(picture, floor_db))

    def failure(self, message, line):
        return self.state_machine.reporter.error(message, line=line)

    def shown(self, code, uri, description):
        caption = self.arguments[0].strip().rstrip(".")
        source = nodes.literal_block(code, code, language="python")
        image = nodes.image(uri=uri, alt=caption)
        figure = nodes.figure("", image)
        texts, messages = self.state.inline_text(f"{caption}. From {description}.", self.lineno)
        figure += nodes.caption("", "", *texts)
        self.set_source_info(figure)
        self.set_source_info(source)
        return [source, figure, *messages]


def empty_folder(app):
    folder = Path(app.srcdir) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def setup(app):
    app.add_directive("picture", Picture)
    app.connect("builder-inited", empty_folder)
    return {"parallel_read_safe": True}
