"""Workers see what is seen here, and what goes wrong in them is said in one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from trip import CORPUS

from castline.inference import cluster as connection
from castline.inference import pool
from castline.inference.cache import Cache
from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.given import Boxes
from castline.inference.measure import Asked, Done, here, look_at
from castline.inference.pool import ray_engine
from castline.inference.specification import Specification
from castline.inference.subject import Clarity, Subject
from castline.schemas.errors import (
    CastlineError,
    InvalidValueError,
    MissingDependencyError,
    UsageError,
)

np = pytest.importorskip("numpy")
av = pytest.importorskip("av", reason="PyAV is not installed")
ray = pytest.importorskip("ray", reason="ray is not installed")

RATE = Fraction(24)
COUNT = 30
CPUS = 2
WHOLE = Box(0, 0, 9, 9)
FAILING = 77
"""The red of a picture that models of these tests stumble over."""


@dataclass
class Shades:
    """A model that sees as many subjects as boxes, or none in the dark; vectors are colours."""

    stumble: str = ""
    kinds = frozenset({"face"})

    def __post_init__(self):
        self.specification = Specification.of(kind="test", name="shades")

    def look(self, pictures, boxes=None):
        for picture in pictures:
            if int(picture[0, 0, 0]) == FAILING and self.stumble == "raise":
                raise ValueError("two lines\nof trouble")
            if int(picture[0, 0, 0]) == FAILING and self.stumble == "die":
                os._exit(9)
        given = boxes or [None] * len(pictures)
        return [self._seen(*pair) for pair in zip(pictures, given, strict=True)]

    def _seen(self, picture, boxes):
        colour = picture.mean((0, 1)).astype(np.float32)
        found = boxes if boxes is not None else [WHOLE] if colour[0] > 30 else []
        clarity = Clarity(int(colour[0]) % 3)
        return tuple(
            Subject(box, float(colour[0]) / 3, clarity, colour / np.float32(1 + place))
            for place, box in enumerate(found)
        )


def unloadable(error):
    raise error


@pytest.fixture(scope="module")
def cluster():
    """Be connected to a cluster of our own, to which these tests' module need not be known."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with connection.connected(None, CPUS):
        yield ray.get_runtime_context().gcs_address
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def movie(path: Path, sha256: str) -> Footage:
    """Write a movie of 30 frames, each of a grey of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = 1 / RATE
        for number in range(COUNT):
            pixels = np.full((48, 64, 3), 20 + number * 4, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Footage(sha256, path, RATE, COUNT)


def stills(folder: Path, sha256: str, reds: list[int]) -> Footage:
    """Write pictures of these reds; the last one of the sequence is missing."""
    from PIL import Image

    folder.mkdir()
    paths = [folder / f"{number:03}.png" for number in range(len(reds))]
    for number, red in enumerate(reds):
        Image.new("RGB", (8, 6) if number % 2 else (6, 8), (red, 1, 2)).save(paths[number])
    return Footage(sha256, folder, Fraction(25), len(reds) + 1, (*paths, None))


@pytest.fixture(scope="module")
def jobs(tmp_path_factory) -> list[Asked]:
    folder = tmp_path_factory.mktemp("pool")
    clip, sequence = movie(folder / "clip.mp4", "movie"), stills(folder / "s", "stills", [9, 99])
    boxes = Boxes((0, 4, 20), ((Box(0, 0, 9, 9),), (Box(8, 0, 17, 9),), (WHOLE, WHOLE)))
    bad = folder / "bad.mp4"
    bad.write_bytes(b"no movie")
    return [
        Asked(clip, (29, *range(0, 25, 3), 3, -1, 30)),
        Asked(sequence, (0, 1, 2, 7)),
        Asked(Footage("bad", bad, RATE, COUNT), tuple(range(COUNT))),
        Asked(Footage("given", clip.path, RATE, COUNT), tuple(range(22)), boxes),
        Asked(Footage("none", clip.path, RATE, COUNT), ()),
    ]


@pytest.fixture(scope="module")
def dones(jobs, cluster) -> list[Done]:
    """Return what comes of all jobs, in shares of 8 frames at most."""
    return list(ray_engine(Shades, workers=2, share=8)(jobs))


def plain(dones) -> dict[str, dict]:
    """Return all that was seen as what can be compared, by media and frame."""
    found: dict[str, dict] = {}
    for done in dones:
        frames = found.setdefault(done.media, {})
        assert not frames.keys() & done.seen.keys()  # no frame comes twice
        for number, subjects in done.seen.items():
            assert all(each.vector.dtype == np.float32 for each in subjects)
            frames[number] = [
                (each.box, each.confidence, each.clarity, each.vector.tolist())
                for each in subjects
            ]
    return found


def test_workers_see_exactly_what_is_seen_here(jobs, dones):
    expected, found = plain(here(Shades())(jobs)), plain(dones)
    assert found == expected
    assert {media: len(frames) for media, frames in found.items()} == {
        "movie": 10,
        "stills": 2,
        "bad": 0,
        "given": 22,
    }
    assert found["stills"][0] == [] and found["stills"][1][0][3] == [99, 1, 2]
    assert isinstance(dones[0].media, str) and all(type(n) is int for n in found["movie"])
    assert all(type(each[2]) is Clarity for each in found["given"][0])


def test_given_boxes_go_along(dones):
    given = plain(dones)["given"]
    assert [each[0] for each in given[2]] == [Box(4, 0, 13, 9)]  # between two, in one share
    assert [each[0] for each in given[9]] == [Box(8, 0, 17, 9)]  # begins in another share
    assert len(given[20]) == 2 and given[21] == []


def test_long_files_are_spread(dones):
    shares = [done for done in dones if done.media == "given"]
    assert sorted(len(done.seen) for done in shares) == [6, 8, 8]


def test_a_file_that_cannot_be_decoded_is_told_of_once(jobs, dones):
    expected = {done.media: done.failed for done in here(Shades())(jobs) if done.failed}
    found = [(done.media, done.failed) for done in dones if done.failed]
    assert dict(found) == expected and len(found) == len(expected) == 2
    assert "bad.mp4" in expected["bad"]
    assert expected["stills"].endswith("1 of its frames are not there")


def test_the_cache_holds_the_same_rows(jobs, cluster, tmp_path):
    counts, rows = [], []
    for name, engine in (("here", None), ("ray", ray_engine(Shades, share=16))):
        with Cache(tmp_path / name) as cache:
            found, count = look_at(jobs, Shades(), cache, engine=engine)
            assert len(found["movie"]) == 10 and found["bad"] == {}
            counts.append(count)
            tables = cache._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            rows.append(
                {
                    table: sorted(cache._database.execute(f"SELECT * FROM {table}"), key=repr)
                    for (table,) in tables.fetchall()
                }
            )
    assert counts[0] == counts[1] and counts[0].looked == 34
    assert rows[0] == rows[1] and sum(map(len, rows[0].values())) == 34


def test_a_model_that_fails_is_one_line_after_what_was_seen(cluster, tmp_path):
    footage = stills(tmp_path / "fail", "fail", [*range(40, 56), FAILING, 60])
    seen: dict = {}
    with pytest.raises(CastlineError) as caught:
        for done in ray_engine(partial(Shades, "raise"), share=64)([Asked(footage, range(18))]):
            seen |= done.seen
    assert str(caught.value) == f"{footage.path}: the model failed: ValueError: two lines"
    assert sorted(seen) == list(range(16))


def test_a_model_that_cannot_be_loaded_is_one_line(jobs, cluster):
    with pytest.raises(InvalidValueError, match=r"^odd weights$"):
        list(ray_engine(partial(unloadable, InvalidValueError("odd weights")))(jobs))
    ours = pool._of_ours(OSError("disk\nand more"), "the model cannot be loaded")
    assert str(ours) == "the model cannot be loaded: OSError: disk"


def test_a_worker_with_another_model_is_refused(jobs, cluster):
    mine = Shades().specification.hash
    assert list(ray_engine(Shades, share=64, model=mine)(jobs[1:2]))
    with pytest.raises(CastlineError, match="the model of a worker is another"):
        list(ray_engine(Shades, model="other")(jobs[1:2]))


def test_a_worker_that_dies_is_one_line(cluster, tmp_path, capfd):
    good = stills(tmp_path / "good", "good", [50])
    deadly = stills(tmp_path / "deadly", "deadly", [FAILING])
    found = []
    with pytest.raises(CastlineError, match="deadly: a worker died of it") as caught:
        engine = ray_engine(partial(Shades, "die"))
        found += (done.media for done in engine([Asked(good, (0,)), Asked(deadly, (0,))]))
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr().out == ""


def test_who_stops_frees_the_workers(jobs, cluster):
    answers = ray_engine(Shades, share=1)(jobs)
    next(answers)
    assert ray.available_resources().get("CPU", 0) < CPUS
    answers.close()
    until = time.monotonic() + 20
    while ray.available_resources().get("CPU", 0) < CPUS:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert ray.is_initialized()  # it was there before


SCRIPT = """
import os, ray, signal, sys  # Ray before castline, as others may
from fractions import Fraction
from pathlib import Path
from castline.inference.frames import Footage
from castline.inference.measure import Asked
from castline.inference.pool import ray_engine
from castline.inference.specification import Specification
from castline.inference.subject import Clarity, Subject
from castline.inference.find.box import Box
import numpy as np

class Fake:
    specification = Specification.of(kind="test")
    kinds = frozenset()
    def look(self, pictures, boxes=None):
        import torch
        vector = np.array([torch.get_num_threads()], np.float32)
        return [(Subject(Box(0, 0, 1, 1), 1.0, Clarity.CLEAR, vector),) for _ in pictures]

before = dict(os.environ), signal.getsignal(signal.SIGTERM)
job = Asked(Footage("x", Path(sys.argv[1]), Fraction(24), 30), tuple(range(4)))
engine = ray_engine(Fake, workers=1, threads=2, share=2, address=sys.argv[2] or None)
answers = engine([job])
seen = dict(next(answers).seen)
assert ray.is_initialized()
host = ray.get_runtime_context().gcs_address.rpartition(":")[0]
assert host == "127.0.0.1", host
for done in answers:
    seen |= done.seen
assert not ray.is_initialized()
assert (dict(os.environ), signal.getsignal(signal.SIGTERM)) == before
assert sorted(seen) == [0, 1, 2, 3]
print(sorted({int(subjects[0].vector[0]) for subjects in seen.values()}))
"""


def run(code: str, clip: Path, address: str, folder: Path, **variables: str):
    """Run code in a process that knows no cluster, at home in the folder."""
    return subprocess.run(
        [sys.executable, "-c", code, str(clip), address],
        env={**os.environ, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def looked(*arguments, **variables: str) -> str:
    """Run the script, and return what it prints: the threads of a worker."""
    process = run(SCRIPT, *arguments, **variables)
    assert process.returncode == 0, process.stderr
    assert len(process.stderr.splitlines()) <= 1, process.stderr
    return process.stdout.strip()


def test_a_cluster_of_our_own_leaves_nothing_behind(jobs, tmp_path):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    clip = jobs[0].footage.path
    assert looked(clip, "", tmp_path, TMPDIR=str(long)) == "[2]"
    assert [path.name for path in tmp_path.rglob("*")] == [long.name]


def test_a_cluster_elsewhere_is_joined(jobs, cluster, tmp_path):
    known = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": connection._token(),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # where a loopback address is one
    }
    assert looked(jobs[0].footage.path, cluster, tmp_path, **known) == "[2]"
    assert ray.cluster_resources()["CPU"] == CPUS  # it is there still


def test_a_cluster_that_is_not_there_is_one_line(jobs, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    process = run(SCRIPT, jobs[0].footage.path, address, tmp_path)
    assert f"CastlineError: {address}: found no Ray cluster" in process.stderr.splitlines()[-1]


def test_numbers_below_one_are_refused():
    for name in ("workers", "threads", "share"):
        with pytest.raises(UsageError, match=f"{name}: found 0"):
            ray_engine(Shades, **{name: 0})


@pytest.mark.parametrize("missing", ["ray", "pyarrow"])
def test_without_ray_the_extra_is_named(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError, match=r"castline\[ray\]"):
        ray_engine(Shades)


def test_nothing_to_do_starts_nothing(jobs, monkeypatch):
    monkeypatch.setattr(pool, "connected", None)
    assert list(ray_engine(Shades)([jobs[-1]])) == []


@pytest.mark.corpus
def test_faces_of_a_real_clip_are_the_same(cluster):
    pytest.importorskip("dlib", reason="dlib is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    from castline.inference.faces import FaceModel

    path = CORPUS / "faces" / "short_hamilton_clip.mp4"
    job = Asked(Footage("clip", path, Fraction(2997, 100), 275), tuple(range(36, 275, 48)))
    expected = {n: seen for done in here(FaceModel())([job]) for n, seen in done.seen.items()}
    found: dict = {}
    for done in ray_engine(FaceModel, share=3)([job]):
        found |= done.seen
    assert found.keys() == expected.keys() and sum(map(len, expected.values())) > 6
    for number, subjects in expected.items():
        for one, other in zip(subjects, found[number], strict=True):
            assert (one.box, one.clarity) == (other.box, other.clarity)
            assert abs(one.confidence - other.confidence) <= 1e-5
            assert abs(1 - one.vector @ other.vector) <= 1e-5
