"""Media is looked at through its headers: exactly, and without trusting it."""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import makers
import pytest
from opentimelineio.opentime import RationalTime
from PIL import Image

from castline.adapters.material import media
from castline.schemas.errors import MissingDependencyError, UnreadableFileError

NTSC = Fraction(24000, 1001)


def test_a_movie_says_its_rate_length_size_timecode_and_texts(tmp_path):
    tags = {"timecode": "01:00:00:00", "prompt": '{"3": {}}'}
    path = makers.make_movie(tmp_path / "a.mp4", frames=30, tags=tags)
    found = media.probe(path)
    assert (found.kind, found.frames, found.exact_rate) == ("movie", 30, NTSC)
    assert found.duration == RationalTime(30, 24000 / 1001)
    assert (found.width, found.height, found.pixel_aspect) == (64, 48, 1.0)
    assert (found.has_audio, found.timecode) == (False, "01:00:00:00")
    assert found.tags["prompt"] == '{"3": {}}' == media.read_tags(path)["prompt"]


@pytest.mark.parametrize(
    ("name", "codec", "rate", "frames", "options"),
    [
        ("a.mov", "prores_ks", Fraction(25), 13, {}),
        ("a.mkv", "mpeg4", NTSC, 41, {}),
        ("a.webm", "libvpx-vp9", Fraction(16), 17, {}),
        ("a.avi", "mpeg4", Fraction(30000, 1001), 31, {}),
        ("a.mxf", "mpeg2video", Fraction(25), 12, {}),
        ("a.ts", "mpeg2video", Fraction(50), 25, {}),
        ("frag.mp4", "mpeg4", NTSC, 29, {"movflags": "frag_keyframe+empty_moov"}),
        ("a.gif", "gif", Fraction(10), 11, {}),
    ],
)
def test_frames_are_counted_where_the_head_does_not_say(
    tmp_path, name, codec, rate, frames, options
):
    if codec in ("prores_ks", "gif"):
        path = _movie_of_format(tmp_path / name, codec, rate, frames)
    else:
        path = makers.make_movie(tmp_path / name, frames, rate, codec, **options)
    found = media.probe(path)
    assert (found.frames, found.exact_rate, found.kind) == (frames, rate, "movie")


def _movie_of_format(path, codec, rate, frames):
    import av

    shape = "yuv422p10le" if codec == "prores_ks" else "rgb8"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, shape
        for number in range(frames):
            frame = av.VideoFrame(64, 48, shape)
            for plane in frame.planes:
                plane.update(bytes([number * 3]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_that_an_edit_list_hides_are_not_counted(tmp_path):
    import av

    whole = makers.make_movie(tmp_path / "whole.mp4", frames=48, rate=Fraction(24))
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        start = None
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            start = packet.dts + 4 * packet.duration if start is None else start
            packet.dts, packet.pts = packet.dts - start, packet.pts - start
            packet.stream = stream
            target.mux(packet)
    with av.open(str(cut)) as container:
        shown = sum(1 for _ in container.decode(video=0))
        assert container.streams.video[0].frames == 48
    assert shown < 48
    assert media.probe(cut).frames == shown


def test_a_movie_with_sound_says_so_and_sound_alone_counts_samples(tmp_path):
    path = makers.make_movie(tmp_path / "a.mov", rate=Fraction(24), sound=True)
    assert media.probe(path).has_audio
    found = media.probe(makers.make_sound(tmp_path / "a.wav", 12000))
    assert (found.kind, found.frames, found.rate) == ("audio", 12000, 48000.0)
    assert found.duration == RationalTime(12000, 48000)
    assert (found.width, found.has_audio) == (0, True)


def test_a_still_is_one_frame_at_the_rate_that_is_asked_for(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg")
    found = media.probe(tmp_path / "a.jpg")
    assert (found.kind, found.frames, found.rate) == ("still", 1, 24.0)
    assert (found.width, found.height) == (40, 30)
    assert media.probe(tmp_path / "a.jpg", rate=23.976).exact_rate == NTSC


@pytest.mark.parametrize("rate", [8, 12, 16, 24, 25, 30, 50, 60])
def test_an_animated_webp_or_png_plays_at_the_rate_its_delays_were_cut_from(tmp_path, rate):
    frames = [Image.new("RGB", (16, 8), (n * 20, 0, 0)) for n in range(7)]
    for suffix in ("webp", "png"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=int(1000 / rate))
        found = media.probe(path)
        assert (found.kind, found.frames, found.exact_rate) == ("movie", 7, rate)
        assert (found.width, found.height) == (16, 8)


def test_a_sequence_is_its_first_frames_header_and_its_span(tmp_path):
    for number in (1001, 1002, 1004):
        makers.make_png(tmp_path / f"s.{number}.png", size=(20, 10), texts={"prompt": "{}"})
    found = media.probe(tmp_path / "s.####.png", rate=25)
    assert (found.kind, found.frames, found.rate) == ("sequence", 4, 25.0)
    assert found.path.name == "s.[1001-1004].png"
    assert found.sequence.gaps == ((1003, 1003),)
    assert (found.width, found.height) == (20, 10)
    assert media.probe(tmp_path).path == found.path
    assert media.read_tags(found.path) == {"prompt": "{}"}


def test_exr_and_dpx_headers_say_size_shape_rate_and_timecode(tmp_path):
    extra = [
        ("pixelAspectRatio", "float", struct.pack("<f", 2.0)),
        ("framesPerSecond", "rational", struct.pack("<iI", 24000, 1001)),
        ("timeCode", "timecode", struct.pack("<II", 0x01021013, 0)),
        ("castline:take", "string", b'{"take": 3}'),
    ]
    found = media.probe(makers.make_exr(tmp_path / "a.exr", extra))
    assert (found.width, found.height, found.pixel_aspect) == (1920, 1080, 2.0)
    assert (found.exact_rate, found.timecode) == (NTSC, "01:02:10:13")
    assert found.tags == {"castline:take": '{"take": 3}'}
    for order in "<>":
        found = media.probe(makers.make_dpx(tmp_path / "a.dpx", order))
        assert (found.width, found.height, found.rate) == (2048, 1556, 24.0)
        assert found.timecode == "01:02:10:13"


def test_png_texts_are_found_behind_the_pixels_and_packed(tmp_path):
    packed = makers.chunk(b"zTXt", b"packed\0\0" + zlib.compress("déjà".encode("latin-1")))
    path = makers.make_png(tmp_path / "a.png", {"a": "1"}, after={"b": "日本"}, chunks=packed)
    assert media.read_tags(path) == {"packed": "déjà", "a": "1", "b": "日本"}


def test_a_packed_text_that_grows_without_end_is_refused(tmp_path):
    bomb = zlib.compress(b"\0" * (40 << 20))
    path = makers.make_png(tmp_path / "a.png", chunks=makers.chunk(b"zTXt", b"a\0\0" + bomb))
    with pytest.raises(UnreadableFileError, match="16 MB"):
        media.probe(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"hello, world\n" * 100),
        ("text.png", b"hello, world\n" * 100),
        ("text.webp", b"RIFF\x10\0\0\0WEBPVP8X"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile real.mp4\n"),
        ("short.exr", b"\x76\x2f\x31\x01\x02\0\0\0displayWin"),
        ("greedy.exr", b"\x76\x2f\x31\x01\x02\0\0\0a\0b\0\xff\xff\xff\x7f"),
        ("short.dpx", b"SDPX" + b"\0" * 100),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"),
        ("page.jpg", b"<html></html>"),
    ],
)
def test_what_is_no_media_is_refused_in_one_line(tmp_path, name, data):
    makers.make_movie(tmp_path / "real.mp4", frames=2)
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError) as caught:
        media.probe(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_coding_that_nobody_knows_is_refused(tmp_path):
    path = makers.make_movie(tmp_path / "a.mkv", frames=3)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4", b"V_XXXX4"))
    with pytest.raises(UnreadableFileError, match=r"a\.mkv: found a coding"):
        media.probe(path)


def test_pictures_of_huge_size_are_refused_by_their_head(tmp_path):
    head = struct.pack(">IIBBBBB", 2_000_000_000, 2_000_000_000, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + makers.chunk(b"IHDR", head))
    makers.make_exr(tmp_path / "a.exr", window=(-(2**31), 0, 2**31 - 1, 9))
    for name in ("a.png", "a.exr"):
        with pytest.raises(UnreadableFileError, match="expected up to"):
            media.probe(tmp_path / name)


def test_addresses_are_no_files(tmp_path):
    for name in ("https://example.com/a.mp4", "rtmp://example.com/a", "concat:a.mp4|b.mp4"):
        with pytest.raises(UnreadableFileError, match="no such file"):
            media.probe(name)


def test_takes_are_found_sorted_and_grouped_without_what_is_not_media(tmp_path):
    names = ["b/v002.mp4", "b/v001.mov", "a.MOV", "x.wav", ".hidden.mp4", ".git/c.mp4"]
    names += ["notes.txt", "takes.csv", "v.json", *(f"seq/s.{n}.exr" for n in (1, 2, 3))]
    names += ["clip_00001.mp4", "clip_00001.png", "talk_00002-audio.mp4", "talk_00002.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.mp4")
    found = [path.relative_to(tmp_path).as_posix() for path in media.find_takes(tmp_path)]
    assert found == [
        "a.MOV",
        "b/v001.mov",
        "b/v002.mp4",
        "clip_00001.mp4",
        "seq/s.[1-3].exr",
        "talk_00002-audio.mp4",
        "x.wav",
    ]


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    for path in (home / "in.mp4", away / "out.mp4"):
        path.write_bytes(b"x")
    (home / "out.mp4").symlink_to(away / "out.mp4")
    (home / "gone.mp4").symlink_to(away / "gone.mp4")
    (home / "folder").symlink_to(away)
    (home / "ring").symlink_to(home)
    (home / "same.mp4").symlink_to(home / "in.mp4")
    assert [path.name for path in media.find_takes(home)] == ["in.mp4", "same.mp4"]


def test_folders_beyond_the_limits_are_refused(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*"abcdefghijklmnopqrs")
    deep.mkdir(parents=True)
    with pytest.raises(UnreadableFileError, match="nested beyond 16"):
        media.find_takes(tmp_path)
    monkeypatch.setattr(media, "FILE_LIMIT", 2)
    for name in "123":
        (tmp_path / name).touch()
    with pytest.raises(UnreadableFileError, match="more than 2 files"):
        media.find_takes(tmp_path)
    with pytest.raises(UnreadableFileError, match="no such folder"):
        media.find_takes(tmp_path / "none")


def test_the_hash_is_of_the_bytes_and_a_sequences_of_all_its_frames(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"bytes" * 100_000)
    assert media.hash_file(tmp_path / "a.mp4") == hashlib.sha256(b"bytes" * 100_000).hexdigest()
    for number in (1, 2):
        (tmp_path / f"s.{number}.png").write_bytes(b"%d" % number)
    before = media.hash_file(tmp_path / "s.#.png")
    assert before == media.hash_file(tmp_path / "s.[1-2].png")
    (tmp_path / "s.2.png").write_bytes(b"3")
    assert media.hash_file(tmp_path / "s.#.png") != before
    with pytest.raises(UnreadableFileError, match="no such file"):
        media.hash_file(tmp_path / "none.mp4")


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    makers.make_movie(tmp_path / "a.mp4", frames=2)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for name in ("a.mp4", "a.jpg"):
        with pytest.raises(MissingDependencyError, match=r"pip install 'castline\[media\]'"):
            media.probe(tmp_path / name)


@pytest.mark.corpus
def test_real_media_are_what_they_are(corpus):
    clip = media.probe(corpus / "faces" / "short_hamilton_clip.mp4")
    assert (clip.frames, clip.exact_rate, clip.has_audio) == (275, Fraction(30000, 1001), True)
    film = media.probe(corpus / "generated" / "mochi_simple_checkpoint.webp")
    assert (film.kind, film.frames, film.rate) == ("movie", 25, 24.0)
    assert (film.width, film.height) == (848, 480)
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        media.probe(corpus / "generated" / "bad" / "empty_file.png")


@pytest.fixture
def corpus():
    return Path(__file__).resolve().parents[2] / "../shared/corpus"
