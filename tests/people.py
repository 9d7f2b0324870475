"""Labelled photographs of people, which a Debian source package holds: dlib's examples.

Five people with eleven photographs each (`examples/johns`), and four with six each in one picture
(`examples/faces/bald_guys.jpg`). They are fetched for the tests, checked, and never kept in the
project. `python tests/people.py FOLDER` puts them there.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = "dlib"
_WANTED = re.compile(r"^[^/]+/examples/((?:johns/\w+|faces)/[\w.]+\.jpg)$")
_MAX_BYTES = 64 << 20


def fetch(folder: Path) -> None:
    """Fetch the photographs, by the system's own list of Debian's archives."""
    with tempfile.TemporaryDirectory() as scratch:
        url, digest = _archive(Path(scratch))
    with urllib.request.urlopen(url, timeout=120) as answer:
        data = answer.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES or hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{url}: found other bytes than the archive promises")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if (match := _WANTED.match(member.name)) and member.isfile():
                target = folder / match[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                target.write_bytes(content.read())


def _archive(scratch: Path) -> tuple[str, str]:
    """Return address and SHA-256 of the package's own archive of sources."""
    for name in ("lists/partial", "parts", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    (scratch / "parts" / "own.sources").write_text("\n\n".join(_sources()))
    options = [
        f"Dir::Etc::SourceParts={scratch}/parts",
        "Dir::Etc::SourceList=/dev/null",
        f"Dir::State::Lists={scratch}/lists",
        f"Dir::Cache={scratch}/cache",
        "APT::Sandbox::User=root",
    ]
    call = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    subprocess.run([*call, "update"], check=True, capture_output=True, timeout=300)
    said = subprocess.run(
        [*call, "source", "--print-uris", "--tar-only", _PACKAGE],
        check=True, capture_output=True, text=True, timeout=300,
    ).stdout  # fmt: skip
    found = re.search(r"'(\S+\.orig\.tar\.\w+)' \S+ \d+ SHA256:([0-9a-f]{64})", said)
    if found is None:
        raise ValueError(f"found no archive of {_PACKAGE}'s sources")
    return found[1], found[2]


def _sources() -> Iterator[str]:
    """Yield the system's entries for Debian's packages, as entries for their sources."""
    lists = Path("/etc/apt")
    for path in sorted(lists.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            if re.search(r"^Types:.*\bdeb\b", stanza, re.M) and _is_debian(stanza):
                yield re.sub(r"^Types:.*$", "Types: deb-src", stanza, flags=re.M).strip() + "\n"
    for path in [lists / "sources.list", *sorted(lists.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.is_file() else ():
            found = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.+)", line)
            if found and _is_debian(line):
                signed = re.search(r"signed-by=(\S+)", found[1] or "")
                entry = {"Types": "deb-src", "URIs": found[2], "Suites": found[3]}
                entry |= {"Components": found[4]} | ({"Signed-By": signed[1]} if signed else {})
                yield "".join(f"{name}: {value}\n" for name, value in entry.items())


def _is_debian(entry: str) -> bool:
    return re.search(r"/debian/?(\s|$)", entry) is not None


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
