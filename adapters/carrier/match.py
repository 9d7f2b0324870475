"""Which payload belongs to which clip, after a person may have edited the file.

A clip carries its own payload unless the format keeps it in a place that several clips share
(an asset, a master clip), repeats a neighbour's (an EDL's dissolve), or an editor copied or split
the clip. Then name, source range and media decide, from the most exact agreement to the least.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from castline.adapters.carrier.document import Node, active_reference_of, url_of

Envelope = dict[str, Any]
Key = Callable[[tuple[Any, Any, Any]], Hashable]


@dataclass
class Match:
    """The answer for one timeline."""

    placed: list[tuple[Node, Envelope]] = field(default_factory=list)
    """Each payload with the clip it belongs to."""
    copies: list[tuple[Node, Envelope]] = field(default_factory=list)
    """Clips that a tool split off or copied, with the payload of the clip they are from."""
    left: list[Envelope] = field(default_factory=list)
    """Payloads that no clip fits."""


_FRAMES = re.compile(r"\[\d+-\d+\]")
_LEVELS: tuple[Key, ...] = (
    lambda about: about,
    lambda about: about[:2],
    lambda about: (about[0], about[1][0]) if about[1] else None,
    lambda about: about[1:] if about[1] and about[2] else None,
    lambda about: about[0] or None,
)
"""Name, span and media; name and span; name and start; span and media; name."""


def match(pools: Sequence[tuple[list[Node], list[Envelope]]]) -> Match:
    """Give each payload to one clip.

    A pool is the clips that share a place, in the cut's order, and the payloads found there.
    """
    answer = Match()
    claims: dict[str, list[tuple[int, Node, Envelope]]] = defaultdict(list)
    leftovers: list[tuple[list[Node], list[Envelope]]] = []
    for clips, envelopes in pools:
        free_clips, free_envelopes = _match_pool(clips, envelopes, claims)
        leftovers.append((free_clips, free_envelopes))
    _settle(claims, answer)
    placed_ids = {envelope["id"] for _, envelope in answer.placed}
    for (_, envelopes), (free_clips, free_envelopes) in zip(pools, leftovers, strict=True):
        _copy(free_clips, envelopes, answer)
        for envelope in free_envelopes:
            if envelope["id"] not in placed_ids:
                placed_ids.add(envelope["id"])
                answer.left.append(envelope)
    return answer


def describe(clip: Node) -> tuple[Any, Any, Any]:
    """Return name, span and media of a clip as they are compared."""
    url = url_of(active_reference_of(clip))
    return clip.get("name"), _span(clip.get("source_range")), media_name(url)


def equal_ranges(one: Any, other: Any) -> bool:
    """Say whether two ranges, as JSON, are the same stretch of time."""
    span = _span(one)
    return span is not None and span == _span(other)


def overlap(one: Any, other: Any) -> bool:
    """Say whether two spans (start, end, in seconds) share any time."""
    return bool(one and other and one[0] < other[1] and other[0] < one[1])


def _match_pool(
    clips: list[Node],
    envelopes: list[Envelope],
    claims: dict[str, list[tuple[int, Node, Envelope]]],
) -> tuple[list[Node], list[Envelope]]:
    free_clips = {id(clip): (clip, describe(clip)) for clip in clips}
    free = {id(envelope): (envelope, _describe_envelope(envelope)) for envelope in envelopes}
    for level, key in enumerate(_LEVELS):
        if not free_clips or not free:
            break
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for number, (_, about) in free.items():
            if (value := key(about)) is not None:
                waiting[value].append(number)
        for number, (clip, about) in list(free_clips.items()):
            value = key(about)
            if value is not None and waiting.get(value):
                envelope, _ = free.pop(waiting[value].popleft())
                claims[envelope["id"]].append((level, clip, envelope))
                del free_clips[number]
    if len(clips) == 1 and free_clips and len(free) == 1 and len(envelopes) == 1:
        # The payload sits in the clip's own event: it is the clip's, whatever was edited.
        (envelope, _), (clip, _) = free.popitem()[1], free_clips.popitem()[1]
        claims[envelope["id"]].append((len(_LEVELS), clip, envelope))
    return [clip for clip, _ in free_clips.values()], [item for item, _ in free.values()]


def _settle(claims: dict[str, list[tuple[int, Node, Envelope]]], answer: Match) -> None:
    for claimants in claims.values():
        best = min(range(len(claimants)), key=lambda n: claimants[n][0])
        for n, (_, clip, envelope) in enumerate(claimants):
            (answer.placed if n == best else answer.copies).append((clip, envelope))


def _copy(clips: list[Node], envelopes: list[Envelope], answer: Match) -> None:
    """Give a clip without a payload that of the clip it was split or copied from."""
    if not clips or not envelopes:
        return
    starts: dict[Hashable, list[tuple[Any, int]]] = defaultdict(list)
    for n, envelope in enumerate(envelopes):
        name, span, url = _describe_envelope(envelope)
        if span:
            starts[name, url].append((span, n))
    for spans in starts.values():
        spans.sort()
    for clip in clips:
        name, span, url = describe(clip)
        spans = starts.get((name, url), [])
        if span is None or not spans:
            continue
        at = bisect_left(spans, ((span[1],),)) - 1  # the last that starts before the clip ends
        if at >= 0 and overlap(span, spans[at][0]):
            answer.copies.append((clip, envelopes[spans[at][1]]))


def _describe_envelope(envelope: Envelope) -> tuple[Any, Any, Any]:
    undo = envelope.get("undo") or {}
    span = _span(undo.get("written_range") or envelope.get("range"))
    return envelope.get("name"), span, media_name(undo.get("written_url") or envelope.get("url"))


def _span(source_range: Any) -> tuple[float, float] | None:
    """Return start and end in seconds, to a tenth of a millisecond: formats round."""
    try:
        start, length = source_range["start_time"], source_range["duration"]
        begin = float(start["value"]) / float(start["rate"])
        return round(begin, 4), round(begin + float(length["value"]) / float(length["rate"]), 4)
    except (TypeError, KeyError, ValueError, ZeroDivisionError):
        return None


def media_name(url: Any) -> str | None:
    """Return the file's name as it is compared: formats rewrite folders and frame ranges."""
    if not isinstance(url, str) or not url:
        return None
    name = url.replace("\\", "/").rstrip("/").rpartition("/")[2].replace("%20", " ")
    return _FRAMES.sub("#", name).casefold()
