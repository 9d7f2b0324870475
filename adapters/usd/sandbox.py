"""Functions that touch what others wrote, run in another process that may die of it.

USD's own readers end the process, or never end, on some damage. The child has bounds of CPU time,
memory and wall time; what it answers is JSON, never anything that is run. A child is a copy of
this process where that is safe (see `twin`), else a bare Python with the parent's `sys.path` and
castline's own files: no site, no user's start-up files. Either way it has no USD plug-ins of the
environment.

Where there is no Python to start (inside some programs), the function runs in this process; then
only what `guard` looks at beforehand stands between a file and the program. On Windows there is no
bound but wall time.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from castline.adapters.usd import library, twin, worker
from castline.schemas import errors
from castline.schemas.errors import CastlineError, UnreadableFileError

MEMORY = 4 << 30
"""Bytes of address space that a child may take, unless told otherwise."""

MAX_ANSWER = 1 << 30
SPARE_SECONDS = 30.0
"""Wall time beside four times the CPU time: other programs want the machine too."""
START_SECONDS = 60.0
"""Wall time within which a Python has started and found USD."""

_PYTHON = re.compile(r"(?:python|hython|mayapy)[\d.]*w?(?:_d)?(?:\.exe)?", re.IGNORECASE)
_HOMES = ("castline", "castline.adapters", "castline.schemas")
_SHORT = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Why a process may not start now, and may well start later."""

_TWIN = "a copy of this process"
"""Stands among the Pythons for what needs no other one."""

_fit: set[str] = set()
_unfit: set[str] = set()


def run(
    function: str, arguments: list[Any], *, seconds: float, place: str, memory: int = MEMORY
) -> Any:
    """Return what one call of `package.module:function` gives, from a child of its own.

    As `Sandbox.run`.
    """
    with Sandbox() as sandbox:
        return sandbox.run(function, arguments, seconds=seconds, place=place, memory=memory)


class Sandbox:
    """One child for many calls, from one thread at a time; a dead one is started anew."""

    def __init__(self) -> None:
        self._child: _Child | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child:
            child.end()

    def run(
        self,
        function: str,
        arguments: list[Any],
        *,
        seconds: float,
        place: str,
        memory: int = MEMORY,
    ) -> Any:
        """Return what `package.module:function` gives for these arguments, as JSON has it.

        The child has so many `seconds` of CPU time, some more of wall time, and `memory` bytes.
        Raises what the function raised, where that is a `CastlineError`; else, and where the child
        died or had to be ended, `UnreadableFileError` in one line that begins with `place`.
        """
        child = self._ready(place)
        if child is None:
            return _run_here(function, arguments, place)
        request = {
            "function": function,
            "arguments": arguments,
            "seconds": seconds,
            "memory": memory,
        }
        try:
            answer = child.ask(json.dumps(request).encode(), SPARE_SECONDS + 4 * seconds)
        except BaseException:  # also of who waits: a child that still answers is of no use
            self.close()
            raise
        if answer is None:
            self._child = None
            raise UnreadableFileError(f"{place}: {child.epitaph(seconds)}")
        try:
            kind, found = _open(answer)
        except (ValueError, TypeError, RecursionError):
            self.close()  # what it says next may still be about this
            raise UnreadableFileError(f"{place}: found damage that confuses USD") from None
        if kind == worker.RESULT:
            return found
        raise _error_in(kind, found[0], found[1], place)

    def _ready(self, place: str) -> _Child | None:
        """Return the child, started if need be, or None where no Python is fit."""
        if self._child is None or self._child.is_dead():
            self.close()
            for python in (*([_TWIN] if twin.may_start() else ()), *_pythons()):
                if python in _unfit:
                    continue
                if child := _start(python, place):
                    _fit.add(python)
                    self._child = child
                    break
                if python == _TWIN:
                    continue  # it may do another time
                if python in _fit:  # never in this process because another was slow
                    raise UnreadableFileError(f"{place}: {python} does not start")
                _unfit.add(python)
        return self._child


class _Child:
    """A process and its two pipes."""

    def __init__(self, python: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="castline-", ignore_cleanup_errors=True)
        self._late = False
        self._flooding = False
        try:
            self._process = _process(python, _environment(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise

    def ask(self, message: bytes, wall: float) -> bytes | None:
        """Return the answer, or None where there will be none: the child is dead then."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None  # noqa: S101
        timer = threading.Timer(wall, self._expire)
        timer.daemon = True
        timer.start()
        try:
            with suppress(OSError):  # a child that died reads nothing
                worker.send(requests, message)
            size = int.from_bytes(answers.read(worker.LENGTH_BYTES), "little")
            self._flooding = size > MAX_ANSWER
            if not self._flooding:
                answer = answers.read(size)
                if size and len(answer) == size:
                    return answer
        finally:
            timer.cancel()
            timer.join()  # a late one must not meet the next process of this number
        self.end()
        return None

    def epitaph(self, seconds: float) -> str:
        """Say why a dead child gave no answer."""
        code = self._process.returncode
        if self._flooding:
            return "found more data than a file of this kind has"
        if self._late or -code == getattr(signal, "SIGXCPU", None):
            return f"found damage that keeps USD busy for more than {seconds:g} seconds"
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return f"found damage that ends USD ({how}), expected a sound USD file"

    def is_dead(self) -> bool:
        """Say whether the process has ended, or is about to."""
        return self._late or self._process.poll() is not None

    def end(self) -> None:
        """Kill the process and all that it started, and clean up after it."""
        self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._folder.cleanup()

    def _expire(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        if self._process.returncode is not None:
            return  # waited for: the number may be another's
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (AttributeError, OSError):  # Windows; or it has no session of its own yet
            with suppress(OSError):
                self._process.kill()


def _process(python: str, environment: dict[str, str]) -> subprocess.Popen[bytes] | twin.Twin:
    """Start the child, in a session of its own: killed as a whole, and deaf to a terminal's ^C."""
    if python == _TWIN:
        return twin.Twin(worker.serve_copy, environment)
    return subprocess.Popen(  # noqa: S603
        [python, "-I", "-S", str(Path(worker.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _start(python: str, place: str) -> _Child | None:
    """Return a child that answers, or None where this Python is not one like ours."""
    try:
        child = _Child(python)
    except OSError as error:
        if error.errno in _SHORT:
            raise UnreadableFileError(f"{place}: no process starts: {error.strerror}") from None
        return None
    try:
        answer = child.ask(_setup(), START_SECONDS)
    except BaseException:
        child.end()
        raise
    if answer is not None and answer.decode("utf-8", "replace") != sys.implementation.cache_tag:
        child.end()
        return None
    return None if answer is None else child


def _setup() -> bytes:
    homes = "\0".join(f"{name}\1{sys.modules[name].__file__}" for name in _HOMES)
    kept = [path for path in sys.path if isinstance(path, str) and path]  # not where we stand
    paths = "\0".join(str(Path(path).absolute()) for path in kept)
    return f"{homes}\0\0{paths}".encode("utf-8", "surrogateescape")


def _environment(folder: str) -> dict[str, str]:
    """Return this process's environment, without USD plug-ins and with one thread for USD."""
    kept = {key: value for key, value in os.environ.items() if "PLUGINPATH" not in key.upper()}
    # A thread for every core would need address space for each.
    return kept | {"PXR_WORK_THREAD_LIMIT": "1", "TMPDIR": folder, "TEMP": folder, "TMP": folder}


def _pythons() -> list[str]:
    """Return what may be this program's Python, best first."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    names = (f"bin/python{version}", "bin/python3", "python.exe", "bin/python.exe")
    found = [
        Path(path) for path in (sys.executable, getattr(sys, "_base_executable", None)) if path
    ]
    found += [
        Path(prefix, name)
        for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix)
        for name in names
    ]
    if sys.executable:
        beside = ("hython", "mayapy", f"python{version}", "python3")
        found += [
            Path(sys.executable).with_name(name + end) for name in beside for end in ("", ".exe")
        ]
    fit = dict.fromkeys(str(path) for path in found if _PYTHON.fullmatch(path.name))
    return [path for path in fit if os.access(path, os.X_OK)]


def _open(answer: bytes) -> tuple[bytes, Any]:
    """Return what an answer begins with, and its data; the answer may be anything."""
    kind, data = answer[:1], answer[1:]
    if kind == worker.RESULT:
        return kind, orjson.loads(data)
    name, message = json.loads(data)
    return kind, (str(name), str(message))


def _error_in(kind: bytes, name: str, message: str, place: str) -> CastlineError:
    known = getattr(errors, name, None)
    if kind == worker.REFUSAL and isinstance(known, type) and issubclass(known, CastlineError):
        return known(message)
    if name == "MemoryError":
        return UnreadableFileError(f"{place}: found what needs more memory than there is for it")
    reason = " ".join(message.split())[:300]
    return UnreadableFileError(f"{place}: found what USD cannot read: {name}: {reason}")


def _run_here(function: str, arguments: list[Any], place: str) -> Any:
    library.require()
    try:
        with library.quiet():
            return orjson.loads(orjson.dumps(worker.find(function)(*arguments)))
    except CastlineError:
        raise
    except Exception as error:  # noqa: BLE001 - as the child does
        raise _error_in(worker.FAULT, type(error).__name__, str(error), place) from None
