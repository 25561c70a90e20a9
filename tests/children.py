"""Children of the test process, for what may end a process."""

import os
import signal


def in_child(work, seconds=60):
    """Run ``work`` in a child of a fork; what it raises, and a signal that ends it, fail the test."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            signal.alarm(seconds)
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001 - the parent reports it
            os.write(writer, repr(error).encode()[:4000])
        finally:
            os._exit(code)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == 0, f"the child ended with {code}: {said}"
