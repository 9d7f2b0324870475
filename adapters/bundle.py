"""OTIO's own bundles, .otioz and .otiod, through OTIO's adapters.

They keep all metadata of a timeline, but with the policy AllMissing those of media references
are lost, and references other than plain files are refused. So each clip's references ride in
the clip's metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from castline.adapters.carrier import codec, mend
from castline.adapters.carrier.document import Node, clips_of, each_clip, metadata_of, walk
from castline.adapters.carrier.envelope import Envelope
from castline.adapters.carrier.mend import Mends

SUFFIXES = ("otioz", "otiod")
_KEY = "castline_bundle"


@dataclass(frozen=True)
class Bundle:
    """The carrier of bundles; it knows what the media policy will do to the references."""

    LIMIT: int = 1_000_000
    SHARES: bool = False
    MARKERS: bool = True
    KEY: str = _KEY
    all_missing: bool = False

    def mend_copy(self, document: Node, mends: Mends) -> None:
        """Change on this copy what the bundle's writer would refuse."""
        for clip in each_clip(document):
            mends.keep_reference(clip)
        if self.all_missing:
            kinds = ["ImageSequenceReference", "MissingReference", "GeneratorReference"]
            mend.reference_files(document, mends, kinds, mend.placeholder_url)

    def returned(self, document: Node) -> Iterator[tuple[str, Node]]:
        """Yield the clips that come back: all of them."""
        return clips_of(document)

    def put(self, clip: Node, envelope: Envelope, line: str) -> None:  # noqa: ARG002 - unseen
        """Put the payload's frames into the clip's metadata."""
        metadata_of(clip)[_KEY] = codec.pack(envelope, self.LIMIT)

    def put_whole(self, timeline: Node, envelope: Envelope) -> bool:
        """Put the timeline's payload into its metadata."""
        metadata_of(timeline)[_KEY] = codec.pack(envelope, self.LIMIT)
        return True

    def take(self, document: Node) -> Iterator[tuple[Node, list[str]]]:
        """Take our frames out again."""
        for _, node in walk(document):
            texts = (node.get("metadata") or {}).pop(_KEY, None)
            if isinstance(texts, list):
                yield node, [text for text in texts if isinstance(text, str)]


def bundle_for(media_policy: object) -> Bundle:
    """Return the carrier for a bundle that is written with this media policy."""
    return Bundle(all_missing=str(media_policy).endswith("AllMissing"))
