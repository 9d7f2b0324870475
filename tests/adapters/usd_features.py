"""Cuts of the media in `usd_scenes`, one feature each, and one of all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opentimelineio import schema
from usd_clips import (
    audio,
    cut,
    dissolve,
    gap,
    missing,
    movie,
    nest,
    scene,
    sequence,
    sound,
    span,
    still,
    time,
    video,
)
from usd_scenes import NTSC, SOUND_RATE


def cameras(m: Path) -> schema.Timeline:
    """Every kind of camera, one after another."""
    return cut(
        video(
            scene(m / "static.usda"),
            scene(m / "moving.usda"),
            scene(m / "bare.usda"),
            scene(m / "turning.usda"),
            scene(m / "layered" / "shot.usda", 1003),
            scene(m / "my shot é.usdc", 1031, name='odd "name"/é.1'),
            scene(m / "moving.usda", 1041, 12),
        )
    )


def named_camera(m: Path) -> schema.Timeline:
    return cut(
        video(
            scene(m / "two_cameras.usda", camera="/World/Right"),
            scene(m / "two_cameras.usda", 1051, camera="/World/Left"),
        )
    )


def gaps(m: Path) -> schema.Timeline:
    """Gaps, at the head too, and a scene in which there is no camera."""
    return cut(
        video(
            gap(5),
            scene(m / "moving.usda"),
            gap(8),
            scene(m / "no_camera.usda", length=9),
            scene(m / "static.usda"),
            gap(3),
        )
    )


def disabled(m: Path) -> schema.Timeline:
    """Clips, tracks and nests that are switched off."""
    off = nest(video(scene(m / "static.usda", length=10)), enabled=False)
    return cut(
        video(scene(m / "moving.usda", length=50)),
        video(
            scene(m / "static.usda", length=10),
            scene(m / "turning.usda", length=10, enabled=False),
            off,
            scene(m / "bare.usda", length=5),
        ),
        video(scene(m / "bare.usda", length=40), enabled=False),
    )


def layers(m: Path) -> schema.Timeline:
    """The topmost that has something to show."""
    return cut(
        video(scene(m / "moving.usda", length=24), scene(m / "static.usda", 1041, 36)),
        video(
            gap(6),
            scene(m / "turning.usda", length=10),
            missing(8),
            scene(m / "gone.usda", length=8),
            movie(m / "movie.mp4", length=6),
            scene(m / "moving.usda", 1061, 6),
        ),
        video(gap(12), scene(m / "two_cameras.usda", length=2, camera="/World/Right"), gap(20)),
    )


def speeds(m: Path) -> schema.Timeline:
    """Faster, slower, backwards, frozen, and a speed that is no whole number."""
    return cut(
        video(
            scene(m / "moving.usda", speed=2.0),
            scene(m / "moving.usda", 1021, speed=0.5),
            scene(m / "moving.usda", 1003, 30, speed=-1.0),
            scene(m / "moving.usda", 1013, 10, speed=0),
            scene(m / "moving.usda", 1003, 24, speed=-2.0),
            scene(m / "moving.usda", 1003, 41, speed=-0.7),
            scene(m / "turning.usda", 1031, 24, speed=-1.0),
            scene(m / "layered" / "shot.usda", 1003, 30, speed=-1.0),
            scene(m / "static.usda", 1003, 10, speed=-1.0),
        )
    )


def double_warp(m: Path) -> schema.Timeline:
    """Two effects on one clip multiply, and a disabled one does nothing."""
    one = scene(m / "moving.usda", 1003, 20, speed=-2.0)
    one.effects.append(schema.LinearTimeWarp(time_scalar=-1.5))
    two = scene(m / "moving.usda", 1041, 20, speed=3.0)
    two.effects[0].enabled = False
    return cut(video(one, two))


def dissolves(m: Path) -> schema.Timeline:
    """Symmetric ones, and others that begin late and early."""
    return cut(
        video(
            scene(m / "moving.usda"),
            dissolve(6, 6),
            scene(m / "turning.usda", 1031),
            dissolve(2, 8),
            scene(m / "moving.usda", 1051),
            dissolve(9, 4),
            scene(m / "static.usda"),
            dissolve(8, 2),
            scene(m / "moving.usda", 1021, speed=2.0),
            dissolve(4, 8),
            scene(m / "moving.usda", 1021, speed=-1.0),
            dissolve(8, 4),
            scene(m / "layered" / "shot.usda", 1021, speed=-1.0),
        )
    )


def dissolves_at_edges(m: Path) -> schema.Timeline:
    """From nothing, to a gap, from a gap and to nothing: the clips' own edges hold."""
    return cut(
        video(
            dissolve(0, 8),
            scene(m / "moving.usda"),
            dissolve(8, 2),
            gap(10),
            dissolve(2, 8),
            scene(m / "turning.usda"),
            dissolve(8, 0),
        ),
        start=time(0),
    )


def nests(m: Path) -> schema.Timeline:
    """Trimmed nests, two tracks in one, nests in nests, a dissolve into a trimmed nest."""
    inner = nest(
        video(scene(m / "static.usda", length=10), scene(m / "moving.usda", 1021, 30)),
        trim=span(4, 30),
    )
    pair = video(scene(m / "moving.usda", 1003, 20), scene(m / "turning.usda", length=20))
    over = video(gap(12), scene(m / "static.usda", length=4))
    return cut(
        video(
            scene(m / "bare.usda", length=7),
            nest(pair, over, trim=span(5, 30)),
            nest(video(gap(3), inner), trim=span(1, 20)),
            nest(video(scene(m / "moving.usda", length=10), scene(m / "static.usda", length=5))),
            scene(m / "turning.usda", 1031, 20),
            dissolve(4, 8),
            nest(
                video(scene(m / "moving.usda", 1041, 20), scene(m / "static.usda", length=20)),
                trim=span(8, 24),
            ),
        )
    )


def retimed_nests(m: Path) -> schema.Timeline:
    """Retimes on clip and nest multiply: forwards, backwards, backwards twice, frozen."""

    def pair(one: float | None, two: float | None) -> schema.Track:
        return video(
            scene(m / "moving.usda", 1003, 20, speed=one),
            scene(m / "layered" / "shot.usda", 1021, 20, speed=two),
        )

    return cut(
        video(
            nest(pair(None, 2.0), trim=span(4, 18), speed=2.0),
            nest(pair(2.0, None), trim=span(4, 32), speed=0.5),
            nest(pair(None, -1.0), trim=span(4, 32), speed=-1.0),
            nest(pair(-2.0, None), trim=span(3, 18), speed=-2.0),
            nest(pair(None, None), trim=span(21, 10), speed=0),
            nest(pair(-1.0, None), trim=span(7, 10), speed=0),
            nest(video(_backwards(m), scene(m / "static.usda", length=5)), speed=-1.0),
        )
    )


def _backwards(m: Path) -> schema.Stack:
    return nest(video(scene(m / "moving.usda", 1051, 12)), trim=span(2, 8), speed=-1.0)


def trimmed_track(m: Path) -> schema.Timeline:
    """A track with a source range, and a timeline whose stack has one."""
    track = video(scene(m / "moving.usda", length=20), scene(m / "static.usda", length=20))
    track.source_range = span(6, 28)
    below = video(scene(m / "turning.usda", length=60))
    made = cut(below, track)
    made.tracks.source_range = span(2, 40)
    return made


def late_start(m: Path) -> schema.Timeline:
    """A cut that starts at 01:00:00:00."""
    return cut(
        video(
            scene(m / "moving.usda"),
            scene(m / "moving.usda", 1003, speed=-1.0),
            sequence(m / "plates"),
            nest(video(scene(m / "turning.usda", 1031, 20)), trim=span(3, 12)),
        ),
        audio(sound(m / "sound.wav", 12, 30)),
        start=time(86400),
    )


def two_rates(m: Path) -> schema.Timeline:
    """Scenes at 48 and at 24000/1001 in a cut at 24, in clips that count as they do.

    No clip that begins between frames begins where a held value changes: doubles decide there.
    """
    return cut(
        video(
            scene(m / "fast.usda"),
            scene(m / "fast.usda", 2031, 48, 48),
            scene(m / "ntsc.usda", 1011, 48, NTSC),
            scene(m / "moving.usda", 1012, 24),
            scene(m / "fast.usda", speed=-1.0),
            scene(m / "fast.usda", 1021, speed=2.0),
            scene(m / "ntsc.usda", 1003, 24, NTSC, speed=-1.0),
            scene(m / "moving.usda", 1031, 20),
        ),
        start=time(0),
    )


def ntsc_cut(m: Path) -> schema.Timeline:
    """A cut at 24000/1001, its first scene as fast, the others not."""
    return cut(
        video(
            scene(m / "ntsc.usda", 1011, 24, NTSC),
            scene(m / "moving.usda", 1012, 24),
            scene(m / "fast.usda", 2024, 48, 48),
            scene(m / "ntsc.usda", 1003, 30, NTSC, speed=-1.0),
            scene(m / "ntsc.usda", 1003, 20, NTSC, speed=2.0),
            gap(4),
        ),
        start=time(43200, NTSC),
    )


def roots(m: Path) -> schema.Timeline:
    """Scenes without a default prim, forwards and backwards."""
    return cut(
        video(
            scene(m / "one_root.usda"),
            scene(m / "two_roots.usda"),
            scene(m / "one_root.usda", 1003, speed=-1.0),
            scene(m / "two_roots.usda", 1003, speed=-1.0),
        )
    )


def plates(m: Path) -> schema.Timeline:
    """Image sequences and stills, between scenes and a gap, retimed too."""
    return cut(
        video(
            sequence(m / "plates", 1003, 8),
            scene(m / "moving.usda", length=6),
            sequence(m / "plates", 1001, 6, speed=2.0),
            sequence(m / "plates", 1001, 12, speed=0.5),
            gap(3),
            sequence(m / "plates", 1002, 8, speed=-1.0),
            sequence(m / "plates", 1005, 5, speed=0),
            sequence(m / "holes", 1001, 12),
            sequence(m / "twos", 0, 24, first=0, step=2, file_first=1),
            still(m / "still_0007.png"),
            sequence(m / "plates", 86404, 6, first=86400, file_first=1001),
            nest(video(sequence(m / "plates", 1002, 8)), trim=span(2, 5), speed=-1.0),
            scene(m / "static.usda", length=5),
        )
    )


def sounds(m: Path) -> schema.Timeline:
    """Sound beside sound, in a nest, switched off by clip and by track, counted in samples."""
    return cut(
        video(scene(m / "moving.usda", length=60)),
        audio(
            sound(m / "sound.wav", 12, 24),
            gap(6),
            sound(m / "sound.wav", 24000, 48000, SOUND_RATE),
            sound(m / "sound.wav", 0, 6, enabled=False),
        ),
        audio(sound(m / "sound.wav", 30, 20), enabled=False),
        audio(
            gap(5),
            nest(
                audio(sound(m / "sound.wav", 4, 10), sound(m / "sound.wav", 48, 20)),
                trim=span(3, 16),
            ),
        ),
        start=time(100),
    )


def everything(m: Path) -> schema.Timeline:
    """All of it at once, an hour into a day."""
    return cut(
        video(
            scene(m / "moving.usda"),
            dissolve(3, 5),
            scene(m / "fast.usda", 1021, speed=2.0),
            nest(
                video(
                    scene(m / "layered" / "shot.usda", 1021, 16, speed=-1.0),
                    dissolve(2, 6),
                    scene(m / "two_cameras.usda", 1011, 16, camera="/World/Right"),
                ),
                video(gap(8), sequence(m / "plates", 1001, 6)),
                trim=span(3, 24),
                speed=-1.0,
            ),
            scene(m / "two_roots.usda", 1031, 12, speed=0.5),
            scene(m / "ntsc.usda", 1011, 24, NTSC),
            still(m / "still_0007.png", 6),
            scene(m / "turning.usda", 1051, 24, speed=2.0),
        ),
        video(
            gap(18),
            scene(m / "turning.usda", 1021, 10, speed=-1.0),
            missing(6),
            scene(m / "static.usda", length=6, enabled=False),
            dissolve(2, 2),
            nest(video(scene(m / "moving.usda", 1051, 9)), trim=span(2, 6), speed=0.5),
            gap(40),
            scene(m / "no_camera.usda", length=5),
        ),
        audio(gap(12), sound(m / "sound.wav", 7, 60)),
        start=time(86400),
    )


FEATURES: tuple[Callable[[Path], schema.Timeline], ...] = (
    cameras,
    named_camera,
    gaps,
    disabled,
    layers,
    speeds,
    double_warp,
    dissolves,
    dissolves_at_edges,
    nests,
    retimed_nests,
    trimmed_track,
    late_start,
    two_rates,
    ntsc_cut,
    roots,
    plates,
    sounds,
    everything,
)
