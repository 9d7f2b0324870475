"""Every frame that is asked for is looked at once, whoever asks, and whenever one stops."""

from __future__ import annotations

from fractions import Fraction

import pytest

from castline.inference import frames as frames_module
from castline.inference import measure
from castline.inference.cache import Cache
from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.measure import Asked, look_at
from castline.inference.specification import Specification
from castline.inference.subject import Clarity, Subject
from castline.schemas.errors import UnreadableFileError

np = pytest.importorskip("numpy")
pytest.importorskip("PIL", reason="Pillow is not installed")


class Shades:
    """A model that sees one face a picture, whose vector is the picture's colour."""

    def __init__(self, name: str = "shades", stop_after: int = 10**9) -> None:
        self.specification = Specification.of(kind="test", name=name)
        self.looked = 0
        self.sizes: list[int] = []
        self.stop_after = stop_after

    kinds = frozenset({"face"})

    def look(self, pictures, boxes=None):
        assert len({picture.shape for picture in pictures}) == 1
        if self.looked >= self.stop_after:
            raise KeyboardInterrupt
        self.looked += len(pictures)
        self.sizes.append(len(pictures))
        vectors = [picture[0, 0].astype(np.float32) for picture in pictures]
        return [(Subject(Box(0, 0, 9, 9), 1.0, Clarity.CLEAR, vector),) for vector in vectors]


@pytest.fixture
def footage(tmp_path) -> Footage:
    from PIL import Image

    paths = []
    for number in range(20):
        path = tmp_path / f"{number:03}.png"
        size = (8, 6) if number < 10 else (6, 8)
        Image.new("RGB", size, (number, 1, 2)).save(path)
        paths.append(path)
    return Footage("hash", tmp_path, Fraction(25), 21, (*paths, None))


def seen(found) -> dict[int, int]:
    return {n: int(sight.subjects[0].vector[0]) for n, sight in found["hash"].items()}


def test_all_that_is_asked_for_is_seen_once(footage, tmp_path):
    told: list[int] = []
    model = Shades()
    asked = [Asked(footage, (1, 3, 5)), Asked(footage, (3, 5, 12, 20, 99))]
    with Cache(tmp_path / "c.sqlite") as cache:
        found, count = look_at(asked, model, cache, tell=told.append)
        assert seen(found) == {1: 1, 3: 3, 5: 5, 12: 12}
        assert (count.looked, count.known, sum(told), model.looked) == (4, 0, 4, 4)
        assert model.sizes == [3, 1]  # of one size at a time


def test_a_second_run_decodes_nothing(footage, tmp_path, monkeypatch):
    asked = [Asked(footage, tuple(range(20)))]
    with Cache(tmp_path / "c.sqlite") as cache:
        first, _ = look_at(asked, Shades(), cache)
        model = Shades()
        monkeypatch.setattr(frames_module, "read_picture", None)
        second, count = look_at(asked, model, cache)
        assert (model.looked, count.looked, count.known) == (0, 0, 20)
        assert seen(first) == seen(second)
        assert all(a.number == second["hash"][n].number for n, a in first["hash"].items())
        with pytest.raises(TypeError):  # another model's vectors are none of this one's
            look_at(asked, Shades("other"), cache)


def test_who_stops_goes_on_where_they_stopped(footage, tmp_path):
    asked = [Asked(footage, tuple(range(20)))]
    with Cache(tmp_path / "c.sqlite") as cache:
        with pytest.raises(KeyboardInterrupt):
            look_at(asked, Shades(stop_after=8), cache)
        model = Shades()
        found, count = look_at(asked, model, cache)
        assert (count.known, count.looked) == (8, 12)
        assert seen(found) == {n: n for n in range(20)}


def test_media_that_cannot_be_decoded_is_named_and_the_rest_is_kept(footage, tmp_path):
    bad = Footage("bad", tmp_path / "none.mp4", Fraction(24), 9)
    with Cache(tmp_path / "c.sqlite") as cache:
        found, count = look_at([Asked(bad, (0,)), Asked(footage, (1, 2))], Shades(), cache)
        assert seen(found) == {1: 1, 2: 2} and found["bad"] == {}
        assert count.failed.keys() == {"bad"} and "none.mp4" in count.failed["bad"]
        footage.pictures[2].write_bytes(b"no picture")
        found, count = look_at([Asked(footage, (0, 1, 2, 3))], Shades(), cache)
        assert count.failed == {}  # 2 is known
        found, count = look_at([Asked(footage, (0, 1, 2, 3))], Shades("other"), cache)
        assert seen(found) == {0: 0, 1: 1} and "002.png" in count.failed["hash"]


def test_a_cache_that_fails_is_no_fault_of_the_media(footage, tmp_path):
    cache = Cache(tmp_path / "c.sqlite")
    cache.put = Cache(tmp_path / "d.sqlite").put
    broken = Cache(tmp_path / "d.sqlite")
    broken._database.execute("DROP TABLE looks")
    with pytest.raises(UnreadableFileError, match="no sound cache"):
        look_at([Asked(footage, (1,))], Shades(), cache)


def test_a_specification_is_all_its_parts():
    one = Specification.of(a=1, b="x")
    assert one.hash == Specification.of(b="x", a=1).hash
    assert len({one.hash, Specification.of(a=2, b="x").hash, Specification.of(a=1).hash}) == 3
    assert measure.BATCH >= 1
