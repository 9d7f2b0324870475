"""Python's search for rings of garbage, put off while large plain trees are built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Keep Python from looking through a growing tree again and again.

    What is built inside is best let go of inside too: what is left then is looked through.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
