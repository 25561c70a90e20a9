"""The command line: ``zounds-lite``.

Exit codes: 0, all went well; 1, some recordings failed or something is damaged, each with its reason on stderr; 2, the
command was not understood; 3, it could not be done (no such store, document or file, and the like); 129, its terminal
was closed; 130, it was interrupted; 141, what read its output went away; 143, it was asked to end.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from zounds_lite.cli.documents import DEFAULT_DOCUMENT
from zounds_lite.cli.exporting import add_export, export_command
from zounds_lite.cli.output import complain, drop_output
from zounds_lite.cli.processing import delete_command, ingest_command, update_command
from zounds_lite.cli.quickstart import quickstart_command
from zounds_lite.cli.reading import explain_command, ls_command, show_command
from zounds_lite.cli.signals import Ended, asked_to_end
from zounds_lite.cli.sources import KEY_VARIABLE, SCHEMES
from zounds_lite.cli.stores import (
    compact_command,
    copy_command,
    failed_command,
    gc_command,
    info_command,
    merge_command,
    verify_command,
)
from zounds_lite.errors import ZoundsError

__all__ = ["main"]

_Action = Callable[[argparse.Namespace], int]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zounds-lite",
        description="Recordings into a store of features, and back.",
        epilog=__doc__.partition("\n\n")[2] if __doc__ else None,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, action: _Action, help: str, store: bool = True, document: bool = False) -> Any:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(action=action)
        if store:
            sub.add_argument("store", metavar="PATH", help="the store's folder")
        if document:
            sub.add_argument(
                "--document", metavar="MODULE:CLASS", help=f"the document class (default: {DEFAULT_DOCUMENT})"
            )
        return sub

    _add_processing(command)
    _add_reading(command)
    _add_stores(command)
    add_export(command, export_command)
    return parser


def _add_processing(command: Callable[..., Any]) -> None:
    sub = command(
        "quickstart", quickstart_command, "ingest a folder, or a minute of made-up sound, and look at it", store=False
    )
    sub.add_argument("folder", nargs="?", metavar="FOLDER", help="recordings; made up where left out")
    sub.add_argument(
        "--out", default="zounds-quickstart", metavar="PATH", help="where everything goes (default: %(default)s)"
    )
    _add_ingest(command)
    sub = command("update", update_command, "recompute what is stale", document=True)
    sub.add_argument("feature", nargs="?", metavar="FEATURE", help="only this feature")
    _add_workers(sub, "documents processed at the same time")
    sub = command("delete", delete_command, "remove a document and its values", document=True)
    sub.add_argument("id", metavar="ID", help="a document's id, or how it ends")


def _add_ingest(command: Callable[..., Any]) -> None:
    words = "process recordings into a store: of folders, archives, manifests and catalogues on the internet"
    sub = command("ingest", ingest_command, words, store=False, document=True)
    kinds = ", ".join(f"{name}:{scheme.what}" for name, scheme in SCHEMES.items())
    sub.add_argument("sources", nargs="+", metavar="SOURCE", help=f"a folder, with its sub-folders, or one of {kinds}")
    sub.add_argument("--store", required=True, metavar="PATH", help="the store's folder; made where it is missing")
    _add_workers(sub, "recordings processed at the same time, in processes of their own")
    sub.add_argument(
        "--threads", type=int, metavar="N", help="recordings at the same time in threads: good where most is waiting"
    )
    sub.add_argument("--retry-failed", action="store_true", help="try what failed before, even if nothing changed")
    sub.add_argument(
        "--keep-source", action=argparse.BooleanOptionalAction,
        help="keep the original files in the store too, so that documents outlive them (default: no)",
    )  # fmt: skip
    sub.add_argument("--format", metavar="NAME", help="of internet-archive: files of this format, such as 'VBR MP3'")
    sub.add_argument("--n-results", type=int, metavar="N", help=f"of freesound: how many; its key is ${KEY_VARIABLE}")
    sub.add_argument("--max-bytes", type=_bytes, metavar="N", help="longest file that is fetched: 500000, 20MB, 2GB")
    sub.add_argument(
        "--allow-private-addresses", action="store_true", help="fetch from this machine and its network too"
    )
    sub.add_argument("--dry-run", action="store_true", help="list what would be fetched and how large it is, no more")
    sub.add_argument("--no-head", action="store_true", help="with --dry-run: ask no server for the size of a file")
    sub.add_argument("--json", metavar="FILE", help="write the report, or what --dry-run lists, to this file")


def _bytes(text: str) -> int:
    """Read a number of bytes.

    Examples:
        >>> _bytes("500000"), _bytes("20MB"), _bytes("1.5 kB")
        (500000, 20000000, 1500)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(B|kB|MB|GB|TB)?", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes; allowed: 500000, 20MB, 2GB")
    powers = {"kb": 1, "mb": 2, "gb": 3, "tb": 4}
    return int(float(found[1]) * 1000 ** powers.get((found[2] or "").lower(), 0))


def _add_reading(command: Callable[..., Any]) -> None:
    sub = command("ls", ls_command, "list the ids of a store's documents", document=True)
    sub.add_argument(
        "--where", action="append", metavar="FIELD=VALUE",
        help="only those whose metadata hold that; several: all of it (label=7, speaker=theo, take=0..4)",
    )  # fmt: skip
    sub = command("show", show_command, "show a document's features, or one of them with a picture", document=True)
    sub.add_argument("id", metavar="ID", help="a document's id, or how it ends")
    sub.add_argument("feature", nargs="?", metavar="FEATURE", help="one feature")
    sub.add_argument("--out", metavar="FILE", help="the picture's file (default: FEATURE.png)")
    words = "say whether a stored feature is fresh and, if not, what changed"
    sub = command("explain", explain_command, words, document=True)
    sub.add_argument("id", metavar="ID", help="a document's id, or how it ends")
    sub.add_argument("feature", metavar="FEATURE", help="one feature")
    sub = command("failed", failed_command, "list the recordings that could not be processed, and why")
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub.add_argument("--traceback", action="store_true", help="with the place in the code")


def _add_stores(command: Callable[..., Any]) -> None:
    words = "say what a store holds: documents, features, bytes and, with a document class, what is stale"
    sub = command("info", info_command, words)
    sub.add_argument("--document", metavar="MODULE:CLASS", help="the document class that says what is stale")
    sub.add_argument(
        "--documents", type=int, nargs="?", const=20, metavar="N", help="list the N largest documents too (20)"
    )
    sub.add_argument("--json", action="store_true", help="as JSON")
    command("verify", verify_command, "check every checksum of a store, and name what is damaged")
    command("gc", gc_command, "remove what crashes left: large values that no document names")
    command("compact", compact_command, "give the room back that deleted documents took; nobody may use the store")
    sub = command("copy", copy_command, "copy a store, all of it checked; others may use it meanwhile")
    sub.add_argument("target", metavar="TARGET", help="where the copy goes; nothing may be there")
    _add_skip_damaged(sub)
    sub = command("merge", merge_command, "copy the documents of stores into a store", store=False)
    sub.add_argument("store", metavar="TARGET", help="the store that they go into; made where it is missing")
    sub.add_argument("sources", nargs="+", metavar="PATH", help="the stores that they come from")
    sub.add_argument(
        "--on-conflict", choices=("refuse", "keep", "replace"), default="refuse",
        help="what to do where the target has a document of the same id with other values (default: %(default)s)",
    )  # fmt: skip
    _add_skip_damaged(sub)


def _add_skip_damaged(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--skip-damaged", action="store_true", help="leave out what is damaged, and say so")


def _add_workers(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--workers", type=int, default=1, metavar="N", help=f"{what} (default: %(default)s)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments (Sequence[str] | None): its words; None takes them from the process.

    Returns:
        int: the exit code.
    """
    parsed = _parser().parse_args(arguments)
    try:
        with asked_to_end():
            code = int(parsed.action(parsed))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt as error:
        how, code = (str(error), error.code) if isinstance(error, Ended) else ("interrupted", 130)
        complain(f"zounds-lite {parsed.command}: {how}; what was stored stays, and the same command goes on")
        return code
    except BrokenPipeError:
        drop_output()
        return 141
    except (ZoundsError, OSError) as error:
        complain(f"zounds-lite {parsed.command}: {error}")
        drop_output()
        return 3
