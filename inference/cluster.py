"""Being connected to a Ray cluster, and leaving everything as it was.

Ray reports to its makers, listens to the network, writes to the terminal and to the home folder
unless it is told not to, by several switches and, for two things, by none: these are replaced
while we are connected, where they are still called so.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from castline.schemas.errors import CastlineError, MissingDependencyError

STORE = 200 << 20
"""Bytes of shared memory that a cluster of our own holds; rows are small, pictures stay where
they are decoded."""
_MAX_FOLDER = 20  # characters; sockets lie some 80 below it, and may have 103 in all
_MAX_LINE = 300
_MAX_WAIT = 10  # seconds, until a cluster's first answer


def require_ray() -> None:
    """Raise `MissingDependencyError` without Ray Data; importing it would take seconds."""
    if not all(map(importlib.util.find_spec, ("ray", "pyarrow", "pandas"))):
        raise MissingDependencyError("pip install 'castline[ray]'")


@contextmanager
def connected(address: str | None, cpus: int) -> Iterator[None]:
    """Be connected to a cluster: the one that there is, one elsewhere, or one of our own."""
    with _environment(_variables(address)), _own_folder() as folder:
        import ray

        if ray.is_initialized():
            yield
            return
        if address:
            _reach(address)
        own = {
            "address": "local",  # None would join one that happens to run
            "num_cpus": cpus,
            "object_store_memory": STORE,
            "include_dashboard": False,
            "_temp_dir": folder,
        }
        # It would write of workers that die, over many lines, where our own results go.
        with _replaced(ray._private.worker, "print_to_stdstream", lambda *_, **__: None):
            try:
                _connect({"address": address} if address else own)
                yield
            finally:
                ray.shutdown()


def _reach(address: str) -> None:
    """Raise `CastlineError` where nobody listens at host:port; Ray would wait for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        try:
            socket.create_connection((host.strip("[]"), int(port)), _MAX_WAIT).close()
        except (OSError, OverflowError) as error:
            raise CastlineError(f"{address}: found no Ray cluster: {error}") from None


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Have another value in a module of Ray's for a while, where it has that name at all."""
    before = getattr(module, name, None)
    if before is not None:
        setattr(module, name, value)
    try:
        yield
    finally:
        if before is not None:
            setattr(module, name, before)


def _connect(arguments: dict[str, Any]) -> None:
    """Start or join a cluster, and leave the way in which this process is ended as it was."""
    import ray
    from ray._private import ray_constants

    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with ExitStack() as stack:
            if arguments["address"] == "local":  # for who imported Ray before `_variables` held
                stack.enter_context(_replaced(ray_constants, "ENABLE_RAY_CLUSTER", False))
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **arguments)
    except Exception as error:  # noqa: BLE001 - Ray raises anything at all, over many lines
        raise CastlineError(f"found no Ray cluster: {line_of(error)}") from None
    finally:
        if is_main and handler is not None:
            signal.signal(signal.SIGTERM, handler)


def _variables(address: str | None) -> dict[str, str]:
    """Return what Ray reads from the environment, some of it when it is imported.

    Nothing is reported to its makers, nothing is installed in workers, and nothing is written to
    the terminal. A cluster of our own listens to this machine alone (the name of that switch is
    Ray's), and to nobody without its token, which else would be written into the home folder.
    """
    common = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_BACKEND_LOG_LEVEL": "fatal",
    }
    if address:
        return common
    return common | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_TOKEN": _token()}


@cache
def _token() -> str:
    """Return a secret; always the same, since Ray keeps the first for the life of a process."""
    return secrets.token_hex(32)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while, and undo what else is set meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a temporary folder, not where sockets in it would have too long a name."""
    parent = tempfile.gettempdir()
    if os.name == "posix" and len(parent) > _MAX_FOLDER:
        parent = "/tmp"  # noqa: S108 - nobody else can write into the folder in it
    return tempfile.TemporaryDirectory(prefix="castline", dir=parent, ignore_cleanup_errors=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Ray from writing to the terminal; what matters is raised."""
    import ray.data  # noqa: F401 - sets the levels itself when it is imported

    loggers = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def line_of(error: BaseException) -> str:
    """Return an error as one line: its class, and the first thing that it says."""
    cause = getattr(error, "cause", None) or error
    first = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return f"{type(cause).__name__}: {first[:_MAX_LINE]}" if first else type(cause).__name__
