"""OTIO's media linker: which of a clip's takes is shown, placement included."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import opentimelineio as otio

from castline.schemas.takes import choose_take, switch_take

_LOG = logging.getLogger("castline")


def link_media_reference(
    in_clip: otio.schema.Clip, media_linker_argument_map: Mapping[str, Any] | None = None
) -> None:
    """Show the take that `take` names: `latest`, `approved`, `temp` or a take's id.

    Clips without such a take stay as they are, and so do all where `take` is not given. The clip
    is changed in place and None returned: OTIO would put what is returned in place of the active
    reference.
    """
    wanted = (media_linker_argument_map or {}).get("take")
    if wanted is None or not isinstance(in_clip, otio.schema.Clip):
        return
    try:
        key = choose_take(in_clip, str(wanted))
        if key is not None:
            switch_take(in_clip, key)
    except otio.exceptions.OTIOError as error:
        _LOG.warning("castline: %s", error)
