"""The USD library, where it is installed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from castline.schemas.errors import MissingDependencyError

_RULE = re.compile(r"parse error matching \w*pxrInternal(?:[\w:]*::(\w+)|.*?)(?= at )")
"""The parser's rule that text does not fit, as its C++ class."""

_ADVICE = "USD needs: pip install 'castline[usd]'"


def look_for() -> None:
    """Raise `MissingDependencyError` where there is no `pxr`; do not load it."""
    is_there = sys.modules["pxr"] if "pxr" in sys.modules else find_spec("pxr")
    if is_there is None:
        raise MissingDependencyError(_ADVICE)


def require() -> None:
    """Register our schema; raise `MissingDependencyError` where there is no usable `pxr`."""
    try:
        from pxr import Kind, Sdf, Tf, UsdUtils  # noqa: F401
    except ImportError:
        raise MissingDependencyError(_ADVICE) from None
    register()


def schema_folder() -> Path:
    """Return the folder that tells USD of our API schemas, for `PXR_PLUGINPATH_NAME`."""
    return Path(str(files("castline.schemas") / "usd"))


def register() -> None:
    """Tell USD of our API schemas; it takes that in until it has opened its first stage.

    What is written and read is the same without: they serve fallback values, words for property
    panels, and validation. Never raises.
    """
    with suppress(ImportError):
        from pxr import Plug, Tf

        with suppress(Tf.ErrorException):
            Plug.Registry().RegisterPlugins(str(schema_folder()))


def reason(error: Exception) -> str:
    """Return what USD complained about, in one line, without the names of its own classes."""
    said = [_commentary(part) for part in error.args] or [str(error)]
    lines = [" ".join(_RULE.sub(_expected, part[:2000]).split()) for part in said]
    once = [one for one in lines if not any(one != other and one in other for other in lines)]
    return " ".join(dict.fromkeys(once))[:300]


def _commentary(part: Any) -> str:
    """Return what a part of an error says; where it quotes a file that is no text, no more."""
    try:
        return str(getattr(part, "commentary", ""))
    except UnicodeDecodeError:
        return "found bytes that are no UTF-8 text"


def _expected(rule: re.Match[str]) -> str:
    return f"expected {rule[1]}" if rule[1] else "parse error"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep USD's warnings off the terminal; its errors are raised all the same."""
    from pxr import UsdUtils

    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    try:
        yield
    finally:
        delegate.TakeUncoalescedDiagnostics()
        del delegate
