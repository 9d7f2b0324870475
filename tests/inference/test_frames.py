"""Frames are the ones that were asked for, and their times are exact."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castline.inference.frames import Footage, decode, read_picture, spread
from castline.schemas.errors import UnreadableFileError

np = pytest.importorskip("numpy")
av = pytest.importorskip("av", reason="PyAV is not installed")


RATE = Fraction(24000, 1001)
COUNT = 200


def shade(number: int) -> int:
    return 20 + number


@pytest.fixture(scope="module")
def movie(tmp_path_factory) -> Footage:
    """Return a movie of 200 frames with few key frames; each is of a grey of its own."""
    path = tmp_path_factory.mktemp("frames") / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"g": "90", "bf": "2", "crf": "4"}
        stream.time_base = 1 / RATE
        for number in range(COUNT):
            pixels = np.full((48, 64, 3), shade(number), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Footage("", path, RATE, COUNT)


@pytest.mark.parametrize(
    "numbers", [[0], [0, 1, 2], [150], [199], [5, 60, 61, 150, 199], list(range(0, 200, 7))]
)
def test_the_frames_asked_for_come_in_order(numbers, movie):
    frames = list(decode(movie, reversed([*numbers, *numbers])))
    assert [frame.number for frame in frames] == numbers
    for frame in frames:
        assert abs(frame.time - frame.number / RATE) < Fraction(1, 10_000)
        assert frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == np.uint8
        assert abs(float(frame.pixels.mean()) - shade(frame.number)) < 2


def test_frames_that_are_not_there_are_left_out(movie):
    assert [frame.number for frame in decode(movie, [-1, 3, 200, 10**9])] == [3]
    assert [f.number for f in decode(replace(movie, count=900), [198, 199, 200, 850])] == [
        198,
        199,
    ]
    assert list(decode(movie, [])) == []


def test_pictures_are_frames_and_may_be_missing(tmp_path):
    from PIL import Image

    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number in (0, 2):
        Image.new("RGB", (6, 4), (number, 50, 60)).save(paths[number])
    footage = Footage("", tmp_path, Fraction(25), 3, (paths[0], None, paths[2]))
    frames = list(decode(footage, range(9)))
    assert [(f.number, f.time, f.pixels[0, 0].tolist()) for f in frames] == [
        (0, 0, [0, 50, 60]),
        (2, Fraction(2, 25), [2, 50, 60]),
    ]


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 4000, b"#EXTM3U\nfile:///etc/passwd\n"])
def test_what_cannot_be_decoded_is_one_line(data, tmp_path):
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=r"bad\.mp4: found no readable movie") as caught:
        list(decode(Footage("", path, Fraction(24), 10), [0]))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UnreadableFileError, match="found no readable picture"):
        read_picture(path)


@given(st.lists(st.integers(0, 10**6), unique=True), st.integers(1, 9))
def test_what_is_spread_is_even_and_in_order(numbers, count):
    numbers.sort()
    found = spread(numbers, count)
    assert len(found) == min(count, len(numbers))
    assert found == sorted(set(found)) and set(found) <= set(numbers)
    if len(numbers) > count:
        places = [numbers.index(number) for number in found]
        gaps = {b - a for a, b in pairwise(places)}
        assert not gaps or max(gaps) - min(gaps) <= 1


def test_frames_that_come_unevenly_are_those_on_screen(tmp_path):
    """Every number has the picture that is seen then, however long it stands."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "uneven.mp4"
    times = [0, 1, 2, 3, 40, 41, 42, 43, 80, 81, 82, 83, 84]
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for place, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), 20 + 15 * place, np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = pts, Fraction(1, 24)
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())
    footage = Footage("x", path, Fraction(24), 85)
    for wanted in ([0, 3, 5, 39, 40, 60, 84], range(85), [84], [20, 21]):
        found = {f.number: round(f.pixels.mean()) for f in decode(footage, wanted)}
        assert list(found) == list(wanted)
        for number, shade in found.items():
            place = max(n for n, pts in enumerate(times) if pts <= number)
            assert abs(shade - (20 + 15 * place)) < 6, number


@pytest.mark.parametrize("wanted", [[250], [0, 250], [0, 120, 299], [100, 101, 290]])
def test_a_movie_with_few_keyframes_is_decoded_to_where_it_is_asked_for(tmp_path, wanted):
    """Twelve seconds with one keyframe: seeking leads back to the first frame again and again."""
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("mpeg4", rate=25, options={"g": "600"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(300):
            pixels = np.full((48, 64, 3), 40 + number % 100, np.uint8)
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        movie.mux(stream.encode())
    frames = islice(decode(Footage("x", path, Fraction(25), 300), wanted), 10)
    found = {frame.number: frame.pixels.mean() for frame in frames}
    assert list(found) == wanted
    assert all(abs(shade - (40 + number % 100)) < 6 for number, shade in found.items())
