"""How worker processes are started, and how the main program is imported in one.

Goal: a process that starts anew, as ``multiprocessing`` calls "spawn", but that imports the main program only where it
needs something from it. So a script without ``if __name__ == "__main__"`` works where its document class stands in a
module, and says what is wrong where it does not. Documents that no other process can import get forked workers, where
the system can fork. Interrupts are held back until a worker has its own rule for them.

Names: ``Started`` (a worker process), ``Setup`` (what it is told first), ``Spawning`` and ``Forking``, ``starter``,
``can_fork``, ``import_main``, ``interrupts_held``, ``refuse_inside_import``.
"""

import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import util
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, Protocol

from zounds_lite.datasets.reference import check_shareable, main_program, refer_to
from zounds_lite.datasets.tasks import Job, check_sendable
from zounds_lite.errors import DeclarationError

__all__ = [
    "Forking",
    "Setup",
    "Spawning",
    "Started",
    "can_fork",
    "import_main",
    "interrupts_held",
    "refuse_inside_import",
    "starter",
]

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Workers use one core each; what the user has set stays."""
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.load(sys.stdin); "
    "from zounds_lite.datasets.worker_process import main; main({descriptor})"
)
_importing_main = False


@dataclass(frozen=True)
class Setup:
    """What a worker is told first.

    Args:
        arguments (list[str]): ``sys.argv`` of the program.
        folder (str): its working directory.
        main (tuple | None): module and file of the main program.
        needs_main (bool): the document class stands in it.
        job (bytes): the job.
    """

    arguments: list[str]
    folder: str
    main: tuple[str | None, str | None] | None
    needs_main: bool
    job: bytes


class Started(Protocol):
    """A worker process."""

    pid: int

    def ended(self) -> int | None:
        """Return its exit code, or None while it runs."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; return its exit code, or None where it still runs."""


class _Spawned:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def ended(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


class _Forked:
    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid = process.pid

    def ended(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float) -> int | None:
        self._process.join(seconds)
        return self.ended()


class Spawning:
    """Starts workers that import everything anew.

    Args:
        job (Job): what they do.

    Raises:
        DeclarationError: the document cannot be sent to another process.
    """

    def __init__(self, job: Job) -> None:
        needs_main = job.cls.__module__ == "__main__"
        raw = bytes(ForkingPickler.dumps(job))
        self.setup = Setup(list(sys.argv), os.getcwd(), main_program(), needs_main, raw)

    def start(self, others: Sequence[Connection]) -> tuple[Started, Connection]:
        """Start one worker; return it and the connection to it."""
        ours, theirs = multiprocessing.Pipe()
        with theirs, interrupts_held():
            process = self._process(theirs)
        with suppress(OSError):  # it died already, and its end of the pipe will say so
            ours.send(self.setup)
        return process, ours

    def _process(self, theirs: Connection) -> Started:
        if os.name != "posix":  # descriptors cannot be passed on; this way imports the main program in any case
            from zounds_lite.datasets.worker_process import receive

            process = multiprocessing.get_context("spawn").Process(target=receive, args=(theirs,), daemon=True)
            process.start()
            return _Forked(process)
        flags: list[str] = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        command = [sys.executable, *flags, "-c", _BOOTSTRAP.format(descriptor=theirs.fileno())]
        environment = {**dict.fromkeys(_ONE_THREAD, "1"), **os.environ}
        spawned = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()], env=environment, text=True
        )  # fmt: skip
        assert spawned.stdin is not None
        with suppress(BrokenPipeError), spawned.stdin:
            json.dump(sys.path, spawned.stdin)
        return _Spawned(spawned)


class Forking:
    """Starts workers as copies of this process.

    Args:
        job (Job): what they do.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def start(self, others: Sequence[Connection]) -> tuple[Started, Connection]:
        """Start one worker; return it and the connection to it.

        Args:
            others (Sequence[Connection]): to the other workers; a copy of one would hide the end of this process.
        """
        from zounds_lite.datasets.worker_process import serve_forked

        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(  # type: ignore[attr-defined,unused-ignore]
            target=serve_forked, args=(theirs, [*others, ours], self.job), daemon=True
        )
        with theirs, interrupts_held(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads: the stores are made for it
            process.start()
        return _Forked(process), ours


def can_fork() -> bool:
    """Tell whether workers can be copies of this process."""
    return "fork" in multiprocessing.get_all_start_methods()


def starter(job: Job) -> Spawning | Forking:
    """Return what starts workers for a job.

    Raises:
        DeclarationError: no other process can have the document class, or its store.
    """
    check_shareable(job.cls)
    check_sendable(job.fetcher)
    return Forking(job) if refer_to(job.cls) is None and can_fork() else Spawning(job)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C: what is started meanwhile inherits that, until it has its own rule."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def import_main(main: tuple[str | None, str | None] | None) -> None:
    """Import the main program of the parent into a worker, under another name, so that its guard holds.

    Args:
        main (tuple | None): what ``main_program`` returned in the parent.
    """
    global _importing_main
    if main is None or sys.modules["__main__"].__name__ == "__mp_main__":
        return
    name, path = main
    run: Callable[..., Any] = runpy.run_module if name else runpy.run_path
    module = types.ModuleType("__mp_main__")
    _importing_main = True
    try:
        values = run(name or path, run_name="__mp_main__", **({"alter_sys": True} if name else {}))
    finally:
        _importing_main = False
    module.__dict__.update(values)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module


def refuse_inside_import() -> None:
    """Refuse to start an ingest from within the import of the main program in a worker.

    Raises:
        DeclarationError: it is being imported.
    """
    if _importing_main:
        raise DeclarationError(
            "ingest(workers=...) is called while a worker process imports the main program: put the call under "
            'if __name__ == "__main__":, or the document class into a module of its own'
        )
