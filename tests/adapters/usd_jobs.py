"""What the tests of the sandbox have its child do."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from castline.schemas.errors import NewerVersionError

kept: list[int] = []


def add(*numbers: int) -> int:
    return sum(numbers)


def echo(value: Any) -> Any:
    return value


def remember(number: int) -> list[int]:
    kept.append(number)
    return kept


def process() -> int:
    return os.getpid()


def refuse(message: str) -> None:
    raise NewerVersionError(message)


def fail(message: str) -> None:
    raise LookupError(message)


def no_json() -> Any:
    return {1, 2}


def die(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(status: int) -> None:
    os._exit(status)


def spin() -> None:
    while True:
        pass


def sleep(mark: str) -> None:
    """Say in a file who sleeps, then sleep."""
    Path(f"{mark}.new").write_text(str(os.getpid()))
    Path(f"{mark}.new").rename(mark)
    time.sleep(600)


def take(size: int) -> int:
    return len(bytearray(size))


def deep() -> list[Any]:
    made: list[Any] = []
    for _ in range(100_000):
        made = [made]
    return made


def many(size: int) -> str:
    return "x" * size


def chatter() -> int:
    """Write to where answers and words usually go."""
    print("hello", flush=True)
    os.write(1, b"\xff" * 1000)
    sys.stderr.write("hello\n" * 20_000)
    return 7


def forge(data: str) -> int:
    """Write these bytes into the pipe of the answers, whichever it is."""
    for number in range(3, 20):
        with suppress(OSError):
            os.write(number, bytes.fromhex(data))
    return 7


def leave_a_child(mark: str) -> None:
    """Die before a process that was started and holds the pipes."""
    if os.fork() == 0:
        sleep(mark)
    while not Path(mark).exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


def surroundings() -> dict[str, Any]:
    from pxr import Plug

    return {
        "path": sys.path,
        "environment": dict(os.environ),
        "files": [str(getattr(module, "__file__", "")) for module in sys.modules.values()],
        "plugins": [plugin.name for plugin in Plug.Registry().GetAllPlugins()],
    }


def work(seconds: float) -> None:
    """Use up so much CPU time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
