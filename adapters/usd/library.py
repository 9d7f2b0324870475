"""The USD library, where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from castline.schemas.errors import MissingDependencyError


def require() -> None:
    """Raise `MissingDependencyError` where there is no usable `pxr`."""
    try:
        from pxr import Kind, Sdf, Tf, UsdUtils  # noqa: F401
    except ImportError:
        raise MissingDependencyError("USD needs: pip install 'castline[usd]'") from None


def reason(error: Exception) -> str:
    """Return what USD complained about, in one line."""
    said = [getattr(part, "commentary", "") for part in error.args] or [str(error)]
    return " ".join(" ".join(said).split())[:300]


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
