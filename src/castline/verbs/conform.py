"""Attach the takes of a plan to the cut; keep what stood there before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import opentimelineio as otio
from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.schemas.errors import InvalidValueError
from castline.schemas.places import get_sequence, get_slot, set_sequence, set_slot, set_take
from castline.schemas.slots import give_slot_ids, slots_of
from castline.schemas.takes import add_take, placement_of, switch_take, takes_of
from castline.schemas.values import Appearance, Cast, Expected, Offer, Plan, Slot, Take


def conform(cut: schema.Timeline, plan: Plan, *, cast: Cast | None = None) -> schema.Timeline:
    """Return the cut with the plan's takes attached as alternates; the cut given stays as it is.

    The media that stood in a slot stays as its temp. A take is shown only where the plan says so,
    with its own placement. The characters of a take are noted on it and expected in its slot.
    Raises `InvalidValueError` where the plan names what the cut or the plan itself does not hold.
    """
    result = cut.deepcopy()
    give_slot_ids(result)
    slots = slots_of(result)
    _check(plan, slots)
    for offer in plan.offers:
        if offer.attach and offer.slot_id is not None:
            _attach(slots[offer.slot_id], offer)
    if cast is not None:
        set_sequence(result, get_sequence(result).replace(cast=cast))
    return result


def _check(plan: Plan, slots: dict[str, schema.Clip]) -> None:
    shown: dict[str, str] = {}
    for offer in plan.offers:
        if not offer.attach:
            continue
        if not Path(offer.media.url).is_absolute():
            raise InvalidValueError(
                f"plan: {offer.file}: found media url {offer.media.url!r}, expected a whole path"
            )
        if offer.media.frames < 1 or offer.media.rate <= 0:
            raise InvalidValueError(
                f"plan: {offer.file}: found {offer.media.frames} frames at {offer.media.rate:g}"
            )
        if offer.slot_id not in slots:
            raise InvalidValueError(
                f"plan: {offer.file}: found slot {offer.slot_id!r}, which the cut does not have"
            )
        if offer.show and offer.placement is None:
            raise InvalidValueError(
                f"plan: {offer.file}: found show without a placement; the take does not fit"
            )
        if offer.show and shown.setdefault(offer.slot_id, offer.file) != offer.file:
            raise InvalidValueError(
                f"plan: slot {offer.slot_id!r}: found show on {shown[offer.slot_id]} and on "
                f"{offer.file}, expected one"
            )


def _attach(clip: schema.Clip, offer: Offer) -> None:
    takes = takes_of(clip)
    _keep_temp(clip, takes)
    standing = next((k for k, t in takes.items() if t.take_id == offer.take_id), None)
    key = standing or _free_key(clip)
    if standing is None:
        number = 1 + max((take.number or 0 for take in takes.values()), default=0)
        add_take(clip, key, _reference(offer), _take(offer, number))
    _expect(clip, offer)
    if offer.show:
        switch_take(clip, key)


def _keep_temp(clip: schema.Clip, takes: dict[str, Take]) -> None:
    """Note the media that stood in the slot as its temp, with the place it has."""
    if takes:
        return
    slot = get_slot(clip)
    temp = Take(
        take_id=f"temp-{slot.slot_id if slot else clip.name}",
        role="temp",
        number=0,
        placement=placement_of(clip),
    )
    set_take(clip.media_reference, temp)


def _free_key(clip: schema.Clip) -> str:
    keys = set(clip.media_references())
    number = 1
    while f"take_{number:03d}" in keys:
        number += 1
    return f"take_{number:03d}"


def _take(offer: Offer, number: int) -> Take:
    return Take(
        take_id=offer.take_id,
        role="take",
        number=number,
        sha256=offer.media.sha256,
        generation=offer.generation,
        clearance=offer.clearance,
        placement=offer.placement,
        appearances=tuple(Appearance(character_id=name) for name in offer.characters),
    )


def _expect(clip: schema.Clip, offer: Offer) -> None:
    slot = get_slot(clip) or Slot(slot_id=offer.slot_id or clip.name)
    known = {expected.character_id for expected in slot.expected}
    fresh = tuple(Expected(character_id=name) for name in offer.characters if name not in known)
    if fresh:
        set_slot(clip, slot.replace(expected=slot.expected + fresh))


def _reference(offer: Offer) -> otio.core.MediaReference:
    media = offer.media
    start = media.start or RationalTime(0, media.rate)
    available = TimeRange(start, RationalTime(media.frames, media.rate))
    if media.kind != "sequence":
        url = Path(media.url).as_uri()
        reference = schema.ExternalReference(url, available)
        reference.name = Path(media.url).name
        return reference
    from castline.adapters.material import sequence

    frames = sequence.read(Path(media.url))
    return schema.ImageSequenceReference(
        target_url_base=frames.folder.absolute().as_uri() + "/",
        name_prefix=frames.prefix,
        name_suffix=frames.suffix,
        start_frame=frames.first,
        frame_step=1,
        rate=media.rate,
        frame_zero_padding=frames.padding,
        missing_frame_policy=schema.ImageSequenceReference.MissingFramePolicy.error,
        available_range=available,
    )


def offers_of(plan: Plan) -> Iterator[Offer]:
    """Yield the offers that conform attaches."""
    return (offer for offer in plan.offers if offer.attach)
