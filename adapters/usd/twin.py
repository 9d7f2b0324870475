"""A child process that is a copy of this one: what is imported need not be imported again.

Only where nothing can go wrong by it: on Linux, in a small program with one thread that has not
loaded USD. Another thread's locks would stay shut in the copy for ever, USD starts threads, and
what a large program holds would count against the child's bound of memory.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

MAX_SIZE = 1 << 30
"""Bytes of address space of a program that is copied."""


def may_start() -> bool:
    """Say whether this process may be copied."""
    if sys.platform != "linux" or "pxr" in sys.modules:
        return False
    try:
        threads = sum(1 for _ in Path("/proc/self/task").iterdir())  # also those of C libraries
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return False
    return threads == 1 and pages * os.sysconf("SC_PAGE_SIZE") <= MAX_SIZE


class Twin:
    """The copy; of `subprocess.Popen`, what a sandbox needs."""

    def __init__(
        self, serve: Callable[[IO[bytes], IO[bytes]], None], environment: Mapping[str, str]
    ) -> None:
        """Start `serve` in a copy of this process, on two pipes, in this environment.

        It stands in a session of its own, without the terminal and all files that are open here.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        ends: list[int] = []
        try:
            for _ in range(2):
                _add_pipe(ends)
            requests, self_requests, self_answers, answers = ends
            self.pid = os.fork()
            if self.pid == 0:
                _live(serve, requests, answers, environment)
            self.returncode: int | Any = None
            self.stdin = os.fdopen(self_requests, "wb")
            self.stdout = os.fdopen(self_answers, "rb")
            ends = [requests, answers]
        except RuntimeError as error:  # a part of a program that may not be copied
            raise OSError(errno.ENOSYS, str(error)) from None
        finally:
            for end in ends:
                os.close(end)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __del__(self) -> None:
        """End it with who held it, so that it is waited for."""
        if getattr(self, "returncode", 0) is None:
            with suppress(OSError):
                self.kill()
            self.wait()

    def poll(self) -> int | None:
        """Return what it ended with, minus a signal's number, or None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int | None:
        """Return what it ended with, when it has."""
        return self._wait(0)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def _wait(self, how: int) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, how)
            except ChildProcessError:  # who runs us waits for everything itself
                self.returncode = 0
            else:
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _add_pipe(ends: list[int]) -> None:
    """Add the ends of a pipe, none of them where a program has its input and its output.

    Those are free in a program that was started without them, and `print` would write there.
    """
    import fcntl  # not on Windows

    low = os.pipe()
    try:
        ends.extend(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in low)
    finally:
        for end in low:
            os.close(end)


def _live(
    serve: Callable[[IO[bytes], IO[bytes]], None],
    requests: int,
    answers: int,
    environment: Mapping[str, str],
) -> NoReturn:
    """Be the copy, to its end: nothing of what the program meant to do next is done here."""
    status = 1
    try:
        os.setsid()
        _hear_no_more()
        _let_go({requests, answers})
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        tempfile.tempdir = None  # of the environment anew
        sys.path[:] = [path for path in sys.path if path]  # not where we stand
        serve(os.fdopen(requests, "rb"), os.fdopen(answers, "wb"))
        status = 0
    finally:
        os._exit(status)


def _hear_no_more() -> None:
    """Give signals back their own meaning; those of the program's are for the program."""
    faulthandler.disable()
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_IGN, signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


def _let_go(kept: set[int]) -> None:
    """Put nothing in the place of every file but these.

    Their numbers stay taken: what the program has not written yet must not go into other files.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    numbers = {0, 1, 2, *map(int, os.listdir("/proc/self/fd"))}  # noqa: PTH208 - not paths
    for number in numbers - kept - {nothing}:
        with suppress(OSError):
            os.dup2(nothing, number)
    sys.stdin = sys.__stdin__ = open(os.devnull)  # type: ignore[misc]  # noqa: SIM115, PTH123
    sys.stdout = sys.__stdout__ = open(os.devnull, "w")  # type: ignore[misc]  # noqa: SIM115, PTH123
    sys.stderr = sys.__stderr__ = sys.stdout  # type: ignore[misc]
