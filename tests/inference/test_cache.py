"""What was measured is there again, and is gone when it is to be."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castline.inference.cache import VERSION, Cache
from castline.inference.find.box import Box
from castline.inference.subject import Clarity, Subject
from castline.schemas.errors import (
    NewerVersionError,
    UnreadableFileError,
    UnwritableFileError,
)

np = pytest.importorskip("numpy")


def face(number: float) -> Subject:
    vector = np.linspace(number, number + 1, 128, dtype=np.float32)
    return Subject(Box(int(number), 2, 300, 400), number, Clarity.FAIR, vector)


def same(one, other) -> bool:
    return len(one) == len(other) and all(
        (a.box, a.confidence, a.clarity) == (b.box, b.confidence, b.clarity)
        and (a.vector == b.vector).all()
        for a, b in zip(one, other, strict=True)
    )


LOOKS = {0: (face(1), face(2)), 7: (), 8: (face(3),)}


def test_what_is_put_in_comes_out_in_another_run(tmp_path):
    path = tmp_path / "deep" / "cache.sqlite"
    with Cache(path) as cache:
        cache.put("m1", LOOKS, "model")
    with Cache(path) as cache:
        found = cache.get("m1", range(2000), "model")
        assert found.keys() == LOOKS.keys()
        assert all(same(found[frame], LOOKS[frame]) for frame in LOOKS)
        assert cache.get("m1", [7], "model") == {7: ()}  # nobody there is known too
        for media, model in (("m2", "model"), ("m1", "other")):
            assert cache.get(media, [0, 7], model) == {}
        cache.put("m1", {0: ()}, "model")
        assert cache.get("m1", [0], "model") == {0: ()}


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(
        st.integers(0, 2**40),
        st.lists(st.floats(0, 1e6, width=32).map(face), max_size=3).map(tuple),
        max_size=4,
    )
)
def test_any_faces_come_back(tmp_path_factory, looks):
    with Cache(tmp_path_factory.mktemp("cache") / "c.sqlite") as cache:
        cache.put("m", looks, "x")
        found = cache.get("m", looks, "x")
        assert found.keys() == looks.keys()
        assert all(same(found[frame], looks[frame]) for frame in looks)


def test_what_fails_halfway_leaves_nothing(tmp_path):
    with Cache(tmp_path / "c.sqlite") as cache:
        with pytest.raises(UnreadableFileError):
            cache.put("m", {1: (face(1),), "no frame": (face(2),)}, "x")
        assert cache.get("m", [1], "x") == {}


def test_who_is_purged_is_in_no_byte_of_the_file(tmp_path):
    path = tmp_path / "c.sqlite"
    with Cache(path) as cache:
        for number, name in enumerate(("mira", "tom")):
            cache.put(f"m{number}", {0: (face(number + 40),)}, "x")
            cache.note(f"m{number}", [name])
        assert cache.purge("mira") == 1
        assert cache.get("m0", [0], "x") == {}
        assert same(cache.get("m1", [0], "x")[0], (face(41),))
        assert cache.purge("mira") == cache.purge("nobody") == 0
    whole = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert face(40).vector.tobytes() not in whole
    assert face(41).vector.tobytes() in whole
    assert b"mira" not in whole and b"tom" in whole


def test_caches_of_a_farm_are_merged(tmp_path):
    for number in range(3):
        with Cache(tmp_path / f"{number}.sqlite") as cache:
            cache.put(f"m{number}", LOOKS, "x")
            cache.note(f"m{number}", ["mira"])
            cache.put("all", {0: (face(number),)}, "x")
    with Cache(tmp_path / "0.sqlite") as cache:
        assert cache.merge(tmp_path / "1.sqlite") == 3
        assert cache.merge(tmp_path / "2.sqlite") == 3
        assert cache.merge(tmp_path / "2.sqlite") == 0
        assert all(cache.get(f"m{n}", [0, 7, 8], "x").keys() == LOOKS.keys() for n in range(3))
        assert same(cache.get("all", [0], "x")[0], (face(0),))  # what is known stays
        assert cache.purge("mira") == 9


@pytest.mark.parametrize("data", [b"hello" * 200, b"SQLite format 3\0" + b"\1" * 4000])
def test_another_file_is_no_cache(data, tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match="found no sound cache"):
        Cache(path)
    assert path.read_bytes() == data


def test_a_database_of_another_program_is_left_as_it_is(tmp_path):
    path = tmp_path / "other.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE invoices (number INTEGER)")
    database.commit()
    database.close()
    before = path.read_bytes()
    with pytest.raises(UnreadableFileError, match="no sound cache: a database with invoices"):
        Cache(path)
    assert path.read_bytes() == before


def test_damage_inside_is_measured_anew_and_a_later_version_is_named(tmp_path):
    path = tmp_path / "c.sqlite"
    with Cache(path) as cache:
        cache.put("m", LOOKS, "x")
    for number, blob in enumerate((b"short", b"\xff" * 500, b"\0" * 500)):
        database = sqlite3.connect(path)
        database.execute("UPDATE looks SET subjects = ? WHERE frame = 0", (blob,))
        database.commit()
        database.close()
        with Cache(path) as cache:  # a damaged row is as one that is not there
            assert cache.get("m", LOOKS, "x").keys() == cache.all_of("m", "x").keys() == {7, 8}
        with Cache(tmp_path / f"{number}.sqlite") as cache:
            assert cache.merge(path) == 2
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(NewerVersionError, match=f"found version {VERSION + 1}"):
        Cache(path)


def test_an_earlier_version_is_emptied_since_its_models_are_gone(tmp_path):
    path = tmp_path / "c.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE looks (media, frame, model, faces)")
    database.execute("PRAGMA user_version = 1")
    database.close()
    with Cache(path) as cache:
        cache.put("m", LOOKS, "x")
        assert cache.get("m", LOOKS, "x").keys() == LOOKS.keys()


def test_a_full_disk_is_told_once_and_the_rest_goes_on(tmp_path):
    with Cache(tmp_path / "c.sqlite") as cache:
        cache.put("m", {0: (face(1),)}, "x")
        cache._database.execute("PRAGMA max_page_count = 6")
        cache.put("n", {n: (face(n),) * 9 for n in range(50)}, "x")
        assert cache.unkept and "full" in cache.unkept
        cache.put("o", {0: (face(1),)}, "x")
        cache.note("o", ["mira"])
        assert cache.get("n", range(50), "x") == {} == cache.get("o", [0], "x")
        assert cache.get("m", [0], "x").keys() == {0}
    with Cache(tmp_path / "c.sqlite") as cache:
        assert cache.get("m", [0], "x").keys() == {0}


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFileError):
        Cache(tmp_path / "file" / "c.sqlite")
