"""A crate's table of contents, looked at before USD trusts it.

USD maps a crate into memory and follows its offsets. Those that leave the file end the process
instead of raising, so the outline is checked here: sections inside the file, counts that their
sections can hold. (Layout of the file: `pxr/usd/sdf/crateFile.h`.) What lies inside a section is
compressed and left to USD.
"""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<8s8sq")
_SECTION = struct.Struct("<16sqq")
_COUNT = struct.Struct("<Q")
_SECTIONS = frozenset({b"TOKENS", b"STRINGS", b"FIELDS", b"FIELDSETS", b"PATHS", b"SPECS"})
_RATIO = 255 * 16  # LZ4 expands 255 times at most; integers are coded 16 to the byte at best


def find_fault(data: bytes) -> str | None:
    """Return what is wrong with a crate's outline, or None where nothing is."""
    try:
        _, _, offset = _HEADER.unpack_from(data)
        (count,) = _COUNT.unpack_from(data, max(offset, 0))
        if offset < _HEADER.size or count > 64:
            return "a table of contents out of bounds"
        sections = {}
        for index in range(count):
            entry = _SECTION.unpack_from(data, offset + _COUNT.size + index * _SECTION.size)
            name, start, size = entry
            if start < 0 or size < 0 or start + size > len(data):
                return f"a section {name.rstrip(bytes(1))!r} out of bounds"
            sections[name.split(b"\0")[0]] = data[start : start + size]
        if missing := _SECTIONS - sections.keys():
            return f"no section {min(missing)!r}"
        return next(filter(None, (_fault_in(n, sections[n]) for n in sorted(_SECTIONS))), None)
    except struct.error:
        return "an end before its time"


def _fault_in(name: bytes, section: bytes) -> str | None:
    (count,) = _COUNT.unpack_from(section)
    room = len(section) * _RATIO
    if count > (len(section) // 4 if name == b"STRINGS" else room):
        return f"{count} entries in a section {name!r} of {len(section)} bytes"
    if name == b"TOKENS":
        size, packed = struct.unpack_from("<QQ", section, _COUNT.size)
        if packed > len(section) - 24 or not count <= size <= room:
            return f"{count} tokens of {size} bytes in a section of {len(section)} bytes"
    return None
