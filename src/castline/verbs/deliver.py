"""Write the cut in formats for other programs, read each back, and name what was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from opentimelineio import schema

from castline.adapters import files
from castline.adapters.compare import compare, count_carried
from castline.adapters.output import whole_folder
from castline.flags import with_flags, without_flags
from castline.losses import Delivery, as_json, as_markdown
from castline.schemas.errors import CastlineError, UsageError
from castline.schemas.slots import give_slot_ids, slots_of, slug
from castline.schemas.values import Loss

FORMATS: dict[str, str] = {
    "edl": "edl",
    "fcp7": "xml",
    "fcpx": "fcpxml",
    "aaf": "aaf",
    "ale": "ale",
    "otio": "otio",
    "usd": "usda",
    "usdc": "usdc",
    "usdz": "usdz",
}
"""Formats by the names that `--to` takes, with the suffix of each."""

_KEEPING = frozenset({"otio", "usd", "usdc", "usdz"})
"""Formats that keep a marker as it is."""

Progress = Callable[[int, int, str], None]


def deliver(
    cut: schema.Timeline,
    to: Sequence[str],
    folder: str | Path,
    *,
    name: str | None = None,
    overwrite: bool = False,
    keep: Sequence[str | Path] = (),
    plates: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Delivery]:
    """Write the cut into a folder in each of the formats, with a sidecar .otio and the losses.

    Each file is read back and compared with what was written, field by field. A format whose
    writer refuses the cut is listed with the reason, and the others are delivered. The cut is
    left as it is. In stages movies are seen where their frames may be extracted into `plates`;
    what does not play is listed too. Raises `UsageError` for an unknown format and
    `UnwritableFileError` where files of those names stand in the folder, unless `overwrite`; files
    named in `keep` are never replaced.
    """
    wanted = _wanted(to)
    cut = without_flags(cut)
    give_slot_ids(cut)
    flagged = with_flags(cut)
    stem = slug(name or cut.name) or "cut"
    with whole_folder(Path(folder), overwrite=overwrite, keep=keep) as scratch:
        files.write(flagged, scratch / f"{stem}.otio")
        deliveries = []
        for number, format_name in enumerate(wanted):
            if progress:
                progress(number, len(wanted), format_name)
            # Carriers post flags themselves, and take them out again when they are read.
            sent = flagged if format_name in _KEEPING else cut
            made = _deliver_one(sent, format_name, scratch, stem, Path(folder), plates)
            deliveries.append(made)
        (scratch / "losses.json").write_text(as_json(cut.name, deliveries), encoding="utf-8")
        (scratch / "losses.md").write_text(as_markdown(cut.name, deliveries), encoding="utf-8")
    return deliveries


def _wanted(to: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for item in to for name in item.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        found = ", ".join(unknown) or "nothing"
        raise UsageError(f"--to: found {found}, expected some of {' '.join(FORMATS)}")
    return list(dict.fromkeys(names))


def _deliver_one(
    cut: schema.Timeline,
    format_name: str,
    folder: Path,
    stem: str,
    home: Path,
    plates: str | Path | None,
) -> Delivery:
    path = folder / f"{stem}.{FORMATS[format_name]}"
    clips = slots_of(cut)
    rate = next(_rates(cut), None)
    try:
        silent: list[Loss] = []
        if format_name != "otio":
            silent = files.write(cut, path, rate=rate, plates=plates, home=home)
        back = files.read(path, rate=rate)
    except CastlineError as error:
        path.unlink(missing_ok=True)
        reason = str(error).replace(f"{folder}/", "")
        return Delivery(format_name, path.name, len(clips), 0, error=reason)
    losses = (*compare(cut, back), *silent)
    return Delivery(format_name, path.name, len(clips), count_carried(cut, back), losses)


def _rates(cut: schema.Timeline) -> Iterator[float]:
    for clip in cut.find_clips():
        yield clip.trimmed_range().duration.rate
