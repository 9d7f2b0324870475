"""OTIO's own bundles, .otioz and .otiod, through OTIO's adapters.

They keep all metadata of a timeline, but with the policy AllMissing those of media references
are lost, and references other than plain files are refused. So each clip's references ride in
the clip's metadata.
"""

from __future__ import annotations

from collections.abc import Iterator

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import Node, clips_of, metadata_of, walk
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.mend import Mends

SUFFIXES = ("otioz", "otiod")
LIMIT = 1_000_000
MARKERS = True

_KEY = "castline_bundle"


def mend_copy(document: Node, mends: Mends) -> None:
    """Change on this copy what the bundle's writer would refuse."""
    kinds = ["ImageSequenceReference", "MissingReference", "GeneratorReference"]
    for _, clip in clips_of(document):
        mends.keep_reference(clip)
    mend.reference_files(document, mends, kinds, mend.placeholder_url)


def returned(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the clips that come back: all of them."""
    return clips_of(document)


def put(clip: Node, envelope: Envelope, line: str) -> None:  # noqa: ARG001 - nobody reads it here
    """Put the payload's frames into the clip's metadata."""
    metadata_of(clip)[_KEY] = codec.pack(envelope, LIMIT)


def put_whole(timeline: Node, envelope: Envelope) -> None:
    """Put the timeline's payload into its metadata."""
    metadata_of(timeline)[_KEY] = codec.pack(envelope, LIMIT)


def take(document: Node) -> Iterator[tuple[Node, list[str]]]:
    """Take our frames out again."""
    for _, node in walk(document):
        texts = (node.get("metadata") or {}).pop(_KEY, None)
        if isinstance(texts, list):
            yield node, [text for text in texts if isinstance(text, str)]
