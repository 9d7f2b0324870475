"""Looking at frames in several processes, here or on the machines of a cluster, by Ray Data.

Files are cut into shares of some frames, a worker loads the model once and looks at one share
after the other, and what it saw comes back as rows, share by share. Workers open the files by
their path: every machine of a cluster must see them where this one sees them, and must have
castline, its extras and the weights installed.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from typing import Any

from castline.inference.cluster import connected, line_of, quiet, require_ray
from castline.inference.find.box import Box
from castline.inference.frames import Footage
from castline.inference.given import Boxes
from castline.inference.measure import Asked, Done, Engine, look
from castline.inference.subject import Clarity, Model, Subject
from castline.schemas import errors
from castline.schemas.errors import CastlineError, UsageError


def ray_engine(
    make: Callable[[], Model],
    *,
    workers: int = 1,
    threads: int = 1,
    share: int = 64,
    address: str | None = None,
    model: str | None = None,
    stack: ExitStack | None = None,
) -> Engine:
    """Return the engine that looks in as many workers, each with a model and threads of its own.

    `make` makes the model in each worker; it is pickled on its way there. `share` is the number
    of frames of one file that are looked at and come back together, and so what is lost at most
    of each worker when somebody stops.

    A cluster that this process is connected to already is used and left as it is. Otherwise the
    one at `address` (host:port) is joined for as long as the engine runs; without an address one
    is started that only this machine can reach, and ended afterwards; with a `stack`, when that
    ends, so that many calls need one start. Workers whose model is not
    the one with the hash `model`, such as for other weights, are refused. Where a cluster is too
    small for all workers, fewer look; where it has no machine for any, Ray waits for half an hour.

    Files are read by their absolute path in the workers. One that cannot be decoded is `Done` with
    the reason, once; since every share begins on its own, frames behind a damaged part may be seen
    that are not seen by `here`. Vectors are those of `here` up to rounding, which may differ where
    `share` is no multiple of `measure.BATCH`.

    Raises `UsageError` for numbers below one and `MissingDependencyError` without Ray. The engine
    raises what a model raises of castline's own, and `CastlineError` of one line for everything
    else: a model that fails, a worker that dies, a cluster that is not there. What was looked at
    before has been yielded then. No share is tried twice.
    """
    for name, number in (("workers", workers), ("threads", threads), ("share", share)):
        if number < 1:
            raise UsageError(f"{name}: found {number}, expected at least 1")
    require_ray()

    def run(jobs: Sequence[Asked]) -> Iterator[Done]:
        shares = [each for job in jobs for each in _shares(job, share)]
        if not shares:
            return
        if stack is not None:
            stack.enter_context(connected(address, workers * threads))
        size = min(workers, len(shares))
        with connected(address, size * threads), quiet():
            yield from _told_once(_results(shares, (make, threads, model), size))

    return run


class Looker:
    """What a worker is: a model, and the way from shares to rows."""

    def __init__(self, make: Callable[[], Model], threads: int, wanted: str | None) -> None:
        """Load the model. What fails is kept and told with the first share.

        Ray starts a worker that died again, and gives it again what it died of: then nothing is
        loaded, and all there is to say is that it died.
        """
        import ray

        self._error: CastlineError | None = None
        self._died = bool(ray.get_runtime_context().was_current_actor_reconstructed)
        if self._died:
            return
        try:
            os.environ["OMP_NUM_THREADS"] = str(threads)  # torch, where it is imported later
            self._model = make()
            if wanted not in (None, self._model.specification.hash):
                raise CastlineError("the model of a worker is another: are its weights the same?")
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(threads)
        except Exception as error:  # noqa: BLE001 - raised here, Ray would print it at length
            self._error = _of_ours(error, "the model cannot be loaded")

    def __call__(self, shares: Any) -> Any:
        """Return an Arrow table, a row for each frame that was looked at, for one of shares.

        The last row of a share may say instead why there are no more: of the media (`failed`),
        or of the model (`error`, and the class of the error, `kind`).
        """
        import pyarrow as pa

        rows: list[dict[str, Any]] = []
        for share in shares["share"].to_pylist():
            job = pickle.loads(share)  # noqa: S301 - made by `_results`, in the same cluster
            rows += self._rows(job)
        return pa.Table.from_pylist(rows, schema=_schema())

    def _rows(self, job: Asked) -> Iterator[dict[str, Any]]:
        media, path = {"media": job.footage.sha256}, job.footage.path
        try:
            if self._died:
                raise CastlineError(f"{path}: a worker died of it, or for lack of memory")
            if self._error:
                raise self._error
            for done in look(self._model, job):
                for number, subjects in done.seen.items():
                    yield media | {"frame": number} | _columns(subjects)
                if done.failed:
                    yield media | {"failed": done.failed}
        except Exception as error:  # noqa: BLE001 - raised here, Ray would print it at length
            ours = _of_ours(error, f"{path}: the model failed")
            yield media | {"kind": type(ours).__name__, "error": str(ours)}


def _shares(job: Asked, size: int) -> Iterator[Asked]:
    """Cut a job into some of at most so many frames, each with no more than it needs."""
    numbers = sorted({number for number in job.numbers if 0 <= number < job.footage.count})
    for start in range(0, len(numbers), size):
        part = tuple(numbers[start : start + size])
        boxes = Boxes(part, tuple(map(job.boxes.at, part))) if job.boxes else None
        yield Asked(_portion(job.footage, part[0], part[-1]), part, boxes)


def _portion(footage: Footage, first: int, last: int) -> Footage:
    """Return the footage with absolute paths, of its pictures only those from first to last."""
    pictures = footage.pictures[first : last + 1]
    absolute = tuple(path and path.absolute() for path in pictures)
    return replace(
        footage,
        path=footage.path.absolute(),
        pictures=(None,) * first + absolute if absolute else (),
    )


def _results(
    shares: Sequence[Asked], worker: tuple[Callable[[], Model], int, str | None], workers: int
) -> Iterator[Done]:
    """Send the shares to workers, and yield what comes back as it comes."""
    import pyarrow as pa
    import ray.data

    tables = [pa.table({"share": pa.array([pickle.dumps(each)], pa.binary())}) for each in shares]
    try:
        rows: Any = ray.data.from_arrow(tables).map_batches(
            Looker,
            fn_constructor_args=worker,
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=worker[1],
        )
        rows.context.enable_progress_bars = False
        for batch in rows.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            yield from _dones(batch.to_pylist())
    except CastlineError:
        raise
    except Exception as error:  # noqa: BLE001 - Ray raises anything at all, over many lines
        raise CastlineError(f"Ray stopped: {line_of(error)}") from None


def _dones(rows: Iterable[dict[str, Any]]) -> Iterator[Done]:
    """Return what rows say; raises the error that they tell of, after what was seen before it."""
    for media, group in groupby(rows, lambda row: row["media"]):
        each = list(group)
        seen = {row["frame"]: _subjects(row) for row in each if row["frame"] is not None}
        yield Done(media, seen, next((row["failed"] for row in each if row["failed"]), None))
        for row in each:
            if row["error"]:
                raise _error(row["kind"], row["error"])


def _told_once(dones: Iterable[Done]) -> Iterator[Done]:
    """Yield them, but why a file cannot be decoded with the first of its shares alone."""
    told: set[str] = set()
    for done in dones:
        if done.failed and done.media in told:
            done = replace(done, failed=None)
        elif done.failed:
            told.add(done.media)
        if done.seen or done.failed:
            yield done


def _schema() -> Any:
    """Return the columns of rows: one row a frame, one item of the lists a subject."""
    import pyarrow as pa

    return pa.schema(
        {
            "media": pa.string(),
            "frame": pa.int64(),
            "boxes": pa.list_(pa.list_(pa.int64())),
            "confidence": pa.list_(pa.float64()),
            "clarity": pa.list_(pa.int8()),
            "vectors": pa.list_(pa.list_(pa.float32())),
            "failed": pa.string(),
            "kind": pa.string(),
            "error": pa.string(),
        }
    )


def _columns(subjects: Sequence[Subject]) -> dict[str, Any]:
    edges = [(each.box.left, each.box.top, each.box.right, each.box.bottom) for each in subjects]
    return {
        "boxes": edges,
        "confidence": [float(each.confidence) for each in subjects],
        "clarity": [int(each.clarity) for each in subjects],
        "vectors": [each.vector for each in subjects],
    }


def _subjects(row: dict[str, Any]) -> tuple[Subject, ...]:
    import numpy as np

    columns = zip(row["boxes"], row["confidence"], row["clarity"], row["vectors"], strict=True)
    return tuple(
        Subject(Box(*edges), confidence, Clarity(clarity), np.array(vector, np.float32))
        for edges, confidence, clarity, vector in columns
    )


def _of_ours(error: Exception, what: str) -> CastlineError:
    """Return an error as one of castline's own; those say all themselves."""
    if isinstance(error, CastlineError):
        return error
    return CastlineError(f"{what}: {line_of(error)}")


def _error(kind: str, text: str) -> CastlineError:
    """Return the error that was told of, of its own class where that is one of castline's."""
    found = getattr(errors, kind, CastlineError)
    return found(text) if issubclass(found, CastlineError) else CastlineError(text)
