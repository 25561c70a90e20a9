"""The gallery: every program under ``examples/`` runs once, and its page shows what it leaves, says and prints.

A program runs in an empty folder, where warnings are errors. Pictures (PNG, SVG) and sounds that lie in the folder
afterwards are shown on its page, those at the top first; stores are passed over. Sounds that are large are cut and
become Ogg Vorbis. The page of contents shows the first picture of each program, or the first lines that it prints.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sphinx.errors import ExtensionError

DOCS = Path(__file__).parent
ROOT = DOCS.parent

AT_A_TIME = 2
EXAMPLE_SECONDS = 600
PICTURES, SOUNDS = (".png", ".svg"), (".flac", ".mp3", ".ogg", ".wav")
MAX_PICTURES, MAX_SOUNDS = 12, 4
MAX_PICTURE_BYTES, MAX_SOUND_BYTES = 1_000_000, 300_000
HEARD_SECONDS = 15
STORES = (".index", ".zl")
"""Folders that end like this hold no pictures and sounds for people."""


@dataclass
class Shown:
    """What the page of a program shows: its words, what it printed, and copies of what it left."""

    stem: str
    title: str
    says: str
    printed: str
    pictures: list
    sounds: list
    left_out: int


def run_example(path, folder, root=ROOT):
    """Run a program in a folder, and return what it prints.

    Raises:
        ExtensionError: it failed, so the build fails.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(path)],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True,
            timeout=EXAMPLE_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ExtensionError(f"{path.name} did not end within {EXAMPLE_SECONDS} s") from error
    if done.returncode:
        raise ExtensionError(f"{path.name} failed with exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def natural(path):
    """Sort as people count: at the top first, and 2 before 10."""
    parts = re.split(r"(\d+)", path.as_posix())
    return len(path.parts), [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def left_in(folder, suffixes):
    """Files of some kinds that a program left, in the order in which they are shown."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in suffixes]
    own = [path for path in found if not any(part.endswith(STORES) or part.startswith(".") for part in path.parts)]
    return [folder / path for path in sorted(own, key=natural)]


def flat_name(path, folder, suffix=None):
    """A name for a copy, of letters that need no quoting."""
    relative = path.relative_to(folder).with_suffix(suffix or path.suffix.lower())
    return re.sub(r"[^0-9A-Za-z.]+", "-", relative.as_posix())


def plays(path):
    """Tell whether there is sound in a file; programs show how broken ones are dealt with, too."""
    from zounds_lite import AudioSamples, Seconds
    from zounds_lite.errors import DecodeError

    try:
        return len(AudioSamples.from_file(path, duration=Seconds(1))) > 0
    except DecodeError:
        return False


def keep_picture(path, folder, target):
    """Copy a picture into the pages, and return its name and what it shows."""
    name = flat_name(path, folder)
    shutil.copyfile(path, target / name)
    return name, path.relative_to(folder).as_posix()


def keep_sound(path, folder, target):
    """Copy a sound into the pages, its beginning alone if it is large, and return its name and what it is."""
    from zounds_lite import AudioSamples, Seconds

    says = path.relative_to(folder).as_posix()
    if path.stat().st_size <= MAX_SOUND_BYTES:
        name = flat_name(path, folder)
        shutil.copyfile(path, target / name)
        return name, says
    name = flat_name(path, folder, ".ogg")
    beginning = AudioSamples.from_file(path, duration=Seconds(HEARD_SECONDS))
    beginning.save(target / name, subtype="VORBIS")
    is_cut = beginning.duration_in_seconds >= HEARD_SECONDS
    return name, f"{says}, its first {HEARD_SECONDS} s" if is_cut else says


def show(path, pages):
    """Run a program, and keep what its page shows in a folder beside the page."""
    says = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.stem
    title, _, rest = says.partition("\n")
    target = pages / path.stem
    target.mkdir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        printed = run_example(path, folder)
        pictures, sounds = left_in(folder, PICTURES), list(filter(plays, left_in(folder, SOUNDS)))
        small = [picture for picture in pictures if picture.stat().st_size <= MAX_PICTURE_BYTES]
        shown, heard = small[:MAX_PICTURES], sounds[:MAX_SOUNDS]
        return Shown(
            path.stem, title.rstrip("."), rest.strip(), printed.rstrip(),
            [keep_picture(picture, folder, target) for picture in shown],
            [keep_sound(sound, folder, target) for sound in heard],
            len(pictures) + len(sounds) - len(shown) - len(heard),
        )  # fmt: skip


def page(shown):
    """The page of a program."""
    parts = [f"# {shown.title}", shown.says]
    if shown.pictures:
        figures = [
            f"```{{figure}} {shown.stem}/{name}\n:alt: {says}\n:class: paper\n\n`{says}`\n```"
            for name, says in shown.pictures
        ]
        parts.append("\n\n".join(["````{container} pictures", *figures, "````"]))
    for name, says in shown.sounds:
        parts.append(f"```{{sound}} {shown.stem}/{name}\n`{says}`\n```")
    if shown.left_out:
        parts.append(f"It leaves {shown.left_out} more.")
    parts.append(f"## The program\n\n```{{literalinclude}} ../../examples/{shown.stem}.py\n:language: python\n```")
    parts.append(f"## What it prints\n\n```text\n{shown.printed}\n```\n")
    return "\n\n".join(parts)


def card(shown):
    """The place of a program on the page of contents."""
    if shown.pictures:
        name, says = shown.pictures[0]
        look = f"[![{says}]({shown.stem}/{name})]({shown.stem}.md)"
    else:
        look = "```text\n" + "\n".join(shown.printed.splitlines()[:8]) + "\n```"
    first = re.split(r"(?<=\.)\s", " ".join(shown.says.split()), maxsplit=1)[0]
    has = f"\n\n{len(shown.sounds)} to hear" if shown.sounds else ""
    return f"````{{container}} card\n{look}\n\n[{shown.title}]({shown.stem}.md)\n\n{first}{has}\n````"


def index(all_shown):
    """The page of contents."""
    cards = "\n\n".join(card(shown) for shown in all_shown)
    stems = "\n".join(shown.stem for shown in all_shown)
    return f"""# Gallery

Programs that make their own sound. Each of them ran while these pages were built; what it printed, drew and played is
on its page.

`````{{container}} gallery
{cards}
`````

```{{toctree}}
:hidden:

{stems}
```
"""


def write_gallery(app):
    pages = DOCS / "examples"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    programs = sorted((ROOT / "examples").glob("*.py"))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        all_shown = list(pool.map(show, programs, [pages] * len(programs)))
    for shown in all_shown:
        (pages / f"{shown.stem}.md").write_text(page(shown), "utf-8")
    (pages / "index.md").write_text(index(all_shown), "utf-8")


def setup(app):
    app.connect("builder-inited", write_gallery)
    return {"parallel_read_safe": True}
