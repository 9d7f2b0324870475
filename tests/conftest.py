"""Fixtures of all tests, and the rule that nothing is skipped in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import castline

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
ALLOWED_SKIPS = (ROOT / "tests" / "allowed_skips.txt").read_text(encoding="utf-8").splitlines()

_unexpected: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """The installed package is the one under test, not a folder that happens to be near."""
    home = Path(castline.__file__).resolve()
    assert home.is_relative_to(ROOT / "src") or "site-packages" in home.parts, home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CORPUS.is_dir():
        return
    for item in items:
        if item.get_closest_marker("corpus"):
            item.add_marker(pytest.mark.skip(reason="the shared corpus is not there"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in ALLOWED_SKIPS:
            _unexpected.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("CI") and _unexpected and exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _unexpected if os.environ.get("CI") else []:
        terminalreporter.write_line(f"skip that is not on the list: {line}", red=True)


@pytest.fixture
def fixtures() -> Path:
    """The folder of small files that we made."""
    return ROOT / "fixtures"
