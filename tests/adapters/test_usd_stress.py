"""Cuts in USD, damaged by chance as disks and networks damage files: no read is fatal."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import builders
import pytest
from opentimelineio import schema
from opentimelineio.opentime import RationalTime

from castline.adapters import usd
from castline.adapters.usd.reading import reader
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import CastlineError, NewerVersionError, UnreadableFileError

pytest.importorskip("pxr")

MUTATIONS = 1500
"""Of each file."""

_CPU_SECONDS = 3.0
_SIGNAL = re.compile(r"ends USD \(signal (\d+)\)")


def realistic() -> schema.Timeline:
    """Return a cut of 60 clips with takes, metadata, markers, transitions, gaps and nests."""
    timeline = builders.cut(48)
    track = timeline.tracks[0]
    for number in range(0, 48, 6):
        track[number].markers.append(
            schema.Marker(f"note {number}", builders.span(5, 3), "RED", dict(builders.SAMPLE))
        )
        track[number].effects.append(schema.LinearTimeWarp(time_scalar=1.5))
    for number in range(4):
        inside = [builders.clip(100 + 3 * number + place) for place in range(3)]
        nest = schema.Stack(f"nest {number}", [schema.Track("V1", inside, kind="Video")])
        track.insert(9 * number, nest)
    for place in (40, 30, 20):
        offset = RationalTime(6, 24)
        track.insert(place, schema.Transition("SMPTE_Dissolve", "mix", offset, offset))
    track.append(schema.Gap(source_range=builders.span(0, 24)))
    timeline.tracks.append(
        schema.Track("A1", [schema.Gap(source_range=builders.span(0, 99))], kind="Audio")
    )
    timeline.global_start_time = RationalTime(86400, 24)
    return timeline


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 9)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def clear_a_range(data: bytearray, chance: random.Random) -> None:
    start, size = chance.randrange(len(data)), chance.choice((1, 8, 64, 512, 4096))
    data[start : start + size] = bytes(len(data[start : start + size]))


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def splice(data: bytearray, chance: random.Random) -> None:
    """Put a piece from elsewhere in, or in the place of another."""
    start, source = chance.randrange(len(data)), chance.randrange(len(data))
    size = chance.choice((1, 8, 64, 512, 4096))
    end = start + (size if chance.random() < 0.5 else 0)
    data[start:end] = data[source : source + size]


def swap_blocks(data: bytearray, chance: random.Random) -> None:
    size = chance.choice((8, 64, 512, 4096))
    first, second = (chance.randrange(-(-len(data) // size)) * size for _ in range(2))
    a, b = bytes(data[first : first + size]), bytes(data[second : second + size])
    if len(a) == len(b):
        data[first : first + size], data[second : second + size] = b, a


def edit_digits(data: bytearray, chance: random.Random) -> None:
    """Change numbers and signs, so that text stays sound more often and crates' tables do not."""
    for _ in range(chance.randrange(1, 9)):
        place = chance.randrange(len(data))
        while place < len(data) and data[place] not in b"0123456789-":
            place += 1
        if place < len(data):
            data[place] = chance.choice(b"0123456789-e.")


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip_bits,
    clear_a_range,
    truncate,
    splice,
    swap_blocks,
    edit_digits,
)


def outcome(sandbox: Sandbox, path: Path) -> str:
    """Read a file; anything but a cut and a line of ours is for the test to fail on."""
    try:
        reader.read_in(sandbox, path)
    except CastlineError as error:
        text = str(error)
        assert type(error) in (UnreadableFileError, NewerVersionError), text
        assert text.startswith(str(path)), text
        assert len(text.splitlines()) == 1, text
        if found := _SIGNAL.search(text):
            return f"the child died of signal {found[1]}"
        return "the child was ended for time" if "keeps USD busy" in text else "refused"
    return "a cut"


@pytest.mark.parametrize("suffix", ["usda", "usdc"])
def test_damage_of_every_kind_is_a_cut_or_a_line(suffix, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reader, "SECONDS", _CPU_SECONDS)
    source = tmp_path / f"a.{suffix}"
    timeline = realistic()
    assert len(timeline.find_clips()) == 60
    usd.write(timeline, source)
    whole = source.read_bytes()
    path = tmp_path / f"damaged.{suffix}"
    counts: Counter[str] = Counter()
    with Sandbox() as sandbox:
        assert outcome(sandbox, source) == "a cut"
        for seed in range(MUTATIONS):
            chance = random.Random(seed)
            data = bytearray(whole)
            for way in chance.choices(WAYS, k=chance.choice((1, 1, 2))):
                if data:
                    way(data, chance)
            path.write_bytes(data)
            counts[outcome(sandbox, path)] += 1
        assert outcome(sandbox, source) == "a cut"
    with capsys.disabled():
        said = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        print(f"\n{suffix} of {len(whole)} bytes, {MUTATIONS} times damaged: {said}")
    assert sum(counts.values()) == MUTATIONS
    assert counts["refused"] > MUTATIONS // 2
