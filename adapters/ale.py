"""Avid log exchange, through OTIO's stock adapter.

One row a clip; the payload rides in columns of that row, `castline` for people and
`castline_data` for the frames. What an ALE cannot say: it is a list of clips, so tracks, order in
time, gaps, transitions, effects and markers are not written, and clips come back as a collection;
rates other than the file's own; more than one reference a clip. What is attached to anything but
a clip rides with the first and the last row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import Node, clips_of, each_clip, metadata_of
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.mend import Mends

SUFFIXES = ("ale",)
LIMIT = 1_000_000  # one cell; the stock adapter has no limit of its own
SHARES = False
MARKERS = False
LINE_COLUMN = "castline"
DATA_COLUMN = "castline_data"

KEY = "ALE"


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the stock ALE writer would refuse or garble."""
    mend.flatten_names(document, mends)
    mend.give_source_ranges(document, mends)
    mend.snap_rates(document)
    mend.reference_files(document, mends, ["ImageSequenceReference"], mend.sequence_url)
    for clip in each_clip(document):
        _flatten_cells(clip)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips that come back: all, nested ones too."""
    return clips_of(document)


def put(clip: Node, envelope: Envelope, line: str) -> None:
    """Put the line for people and the payload's frames into the row's columns."""
    row = _row(clip)
    row.setdefault(LINE_COLUMN, line)  # somebody's own column of that name stays theirs
    row[DATA_COLUMN] = _joined(row.get(DATA_COLUMN), codec.pack(envelope, LIMIT))


def put_whole(timeline: Node, envelope: Envelope) -> bool:
    """Put the timeline's payload on the first and the last row."""
    clips = [clip for _, clip in returned(timeline)]
    for clip in {id(c): c for c in (*clips[:1], *clips[-1:])}.values():
        row = _row(clip)
        row[DATA_COLUMN] = _joined(row.get(DATA_COLUMN), codec.pack(envelope, LIMIT))
    return bool(clips)


def take(document: Node) -> Iterator[tuple[Node, list[str]]]:
    """Take our columns out of every row."""
    for clip in each_clip(document):
        row = (clip.get("metadata") or {}).get(KEY)
        ours = _pop_ours(row, DATA_COLUMN) if isinstance(row, dict) else []
        if isinstance(row, dict) and ours:
            _pop_ours(row, LINE_COLUMN)
            if not row:
                del clip["metadata"][KEY]
            yield clip, ours


def _pop_ours(row: Node, column: str) -> list[str]:
    """Take our text out of a cell; the cell goes where nothing else is in it."""
    cell = row.get(column)
    ours, rest = codec.cut_out(cell) if isinstance(cell, str) else ([], "")
    if ours:
        row[column] = rest.strip()
        if not row[column]:
            del row[column]
    return ours


def _row(clip: Node) -> Node:
    row: Node = metadata_of(clip).setdefault(KEY, {})
    return row


def _joined(cell: Any, frames: list[str]) -> str:
    return " ".join([*([cell] if isinstance(cell, str) and cell else []), *frames])


def _flatten_cells(clip: Node) -> None:
    """Put blanks for what would end a cell: the stock writer means to and does not."""
    row = metadata_of(clip).get(KEY)
    if isinstance(row, dict):
        flat = {c: " ".join(v.split()) if isinstance(v, str) else v for c, v in row.items()}
        row.update(flat)
