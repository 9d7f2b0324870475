"""The child's side of `sandbox`: one request after the other.

In a bare Python nothing of castline can be imported until the first message has said where it is;
a copy of the parent has it all.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import IO, Any

LENGTH_BYTES = 8
RESULT, REFUSAL, FAULT = b"r", b"e", b"f"
"""What an answer begins with; the last two hold an error's class and message."""


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next message, or None where no more will come."""
    size = stream.read(LENGTH_BYTES)
    if len(size) < LENGTH_BYTES:
        return None
    length = int.from_bytes(size, "little")
    data = stream.read(length)
    return data if len(data) == length else None


def send(stream: IO[bytes], data: bytes) -> None:
    """Write one message."""
    stream.write(len(data).to_bytes(LENGTH_BYTES, "little"))
    stream.write(data)
    stream.flush()


def find(name: str) -> Callable[..., Any]:
    """Return the function that `package.module:function` names."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def serve() -> None:
    """Answer requests until the parent closes the pipe, or goes away."""
    # What USD or a module prints must not stand between the answers.
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    setup = receive(requests)
    if setup is None:
        return
    try:
        _settle(setup)
    except ImportError as error:
        send(answers, f"{type(error).__name__}: {error}".encode())
        return
    _serve_on(requests, answers)


def serve_copy(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests in a copy of the parent, which has no need of the first message."""
    if receive(requests) is not None:
        _serve_on(requests, answers)


def _serve_on(requests: IO[bytes], answers: IO[bytes]) -> None:
    send(answers, _get_ready().encode())
    while (request := receive(requests)) is not None:
        send(answers, _answer(request))


def _settle(setup: bytes) -> None:
    """Look where the parent looks, and take castline from where it has it."""
    homes, _, paths = setup.decode("utf-8", "surrogateescape").partition("\0\0")
    sys.path[:] = paths.split("\0")
    for home in homes.split("\0"):
        _load(*home.split("\1"))


def _get_ready() -> str:
    """Return this Python's kind, or what is missing."""
    import gc

    try:
        import orjson  # noqa: F401
        from pxr import Sdf  # noqa: F401
    except ImportError as error:
        return f"{type(error).__name__}: {error}"
    gc.disable()  # plain trees; what is lost in rings is gone with the process
    return str(sys.implementation.cache_tag)


def _load(name: str, file: str) -> None:
    """Import a package from the very file that the parent has it from."""
    spec = importlib.util.spec_from_file_location(
        name,
        file,
        submodule_search_locations=[os.path.dirname(file)],  # noqa: PTH120
    )
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


def _answer(request: bytes) -> bytes:
    import json

    import orjson

    from castline.schemas.errors import CastlineError

    asked = json.loads(request)
    _bound(asked["seconds"], asked["memory"])
    fault: Exception
    try:
        return RESULT + orjson.dumps(find(asked["function"])(*asked["arguments"]))
    except CastlineError as error:
        kind, fault = REFUSAL, error
    except Exception as error:  # noqa: BLE001
        kind, fault = FAULT, error
    return kind + json.dumps([type(fault).__name__, str(fault)]).encode()


def _bound(seconds: float, memory: int) -> None:
    """Let the system end this process where it takes more, and keep no dump of it."""
    try:
        import resource
    except ImportError:  # Windows; the parent's clock is the only bound
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1)
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, limit: int) -> None:
    import resource

    _, most = resource.getrlimit(kind)
    try:
        resource.setrlimit(
            kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most)
        )
    except (OSError, ValueError):
        return  # a system that knows no such bound


if __name__ == "__main__":
    serve()
    os._exit(0)  # without USD's farewell
