"""What was measured, kept by content: nothing is decoded or embedded twice.

A SQLite file. The key is the hash of the media's bytes, the frame, and the hash of the model's
specification. Vectors of faces are biometric data: they are here and nowhere else, and `purge`
takes them out.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from castline.inference.find.box import Box
from castline.inference.subject import Clarity, Subject
from castline.schemas.errors import NewerVersionError, UnreadableFileError, UnwritableFileError

VERSION = 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS looks (
    media TEXT NOT NULL, frame INTEGER NOT NULL, model TEXT NOT NULL, subjects BLOB NOT NULL,
    PRIMARY KEY (media, model, frame)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS whose (
    media TEXT NOT NULL, character TEXT NOT NULL, PRIMARY KEY (media, character)
) WITHOUT ROWID, STRICT;
"""
_NAMES = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_TABLES = frozenset({"looks", "whose"})
_HEAD = struct.Struct("<4if2i")  # box, confidence, clarity, length of the vector
_MAX_DIMENSIONS = 1 << 14
_NO_ROOM = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
)


class Cache:
    """Subjects by media, frame and model; open it in a `with`."""

    def __init__(self, path: Path) -> None:
        """Open the cache at a path, and make it where there is none.

        Raises `UnreadableFileError` for a file that is no cache, `NewerVersionError` for one of a
        later castline, `UnwritableFileError` where none can be made.
        """
        self._path = path
        self.unkept: str | None = None
        """Why nothing more is kept, such as a full disk; what is there can still be read."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.OperationalError) as error:
            raise UnwritableFileError(f"{path}: {error}") from None
        with self._one_line():
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise NewerVersionError(f"{path}: found version {version}, expected {VERSION}")
            names = {row[0] for row in self._database.execute(_NAMES)}
            if names - _TABLES:  # of another program, which nothing is to be written into
                raise ValueError(f"a database with {', '.join(sorted(names - _TABLES))[:60]}")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            if version < VERSION:  # of models that have since changed: no row would be found
                self._database.execute("DROP TABLE IF EXISTS looks")
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    @classmethod
    def in_memory(cls) -> Cache:
        """Return a cache that ends with the process."""
        return cls(Path(":memory:"))

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, media: str, frames: Iterable[int], model: str) -> dict[int, tuple[Subject, ...]]:
        """Return what was seen in those of the frames that are known, by frame."""
        wanted = set(frames)
        if not wanted:
            return {}
        query = """
            SELECT frame, subjects FROM looks
            WHERE media = ? AND model = ? AND frame BETWEEN ? AND ?
        """
        with self._one_line():
            rows = self._database.execute(query, (media, model, min(wanted), max(wanted)))
            found = ((frame, _unpack(blob)) for frame, blob in rows if frame in wanted)
            return {frame: subjects for frame, subjects in found if subjects is not None}

    def all_of(self, media: str, model: str) -> dict[int, tuple[Subject, ...]]:
        """Return all that is known of media by a model, by frame."""
        query = "SELECT frame, subjects FROM looks WHERE media = ? AND model = ?"
        with self._one_line():
            rows = self._database.execute(query, (media, model))
            found = ((frame, _unpack(blob)) for frame, blob in rows)
            return {frame: subjects for frame, subjects in found if subjects is not None}

    def put(self, media: str, looks: Mapping[int, tuple[Subject, ...]], model: str) -> None:
        """Keep what was seen in frames, all or none."""
        rows = [(media, frame, model, _pack(subjects)) for frame, subjects in looks.items()]
        self._keep("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", rows)

    def note(self, media: str, characters: Iterable[str]) -> None:
        """Note who was seen in media, so that they can be purged."""
        rows = [(media, character) for character in characters]
        self._keep("INSERT OR IGNORE INTO whose VALUES (?, ?)", rows)

    def knows(self, character: str) -> bool:
        """Say whether a character was noted in any media."""
        with self._one_line():
            query = "SELECT 1 FROM whose WHERE character = ? LIMIT 1"
            return self._database.execute(query, (character,)).fetchone() is not None

    def purge(self, character: str) -> int:
        """Take out all that was measured of media in which a character was seen; return how much.

        Others who were seen in the same media are measured anew when they are asked for.
        """
        with self._all_or_none():
            gone = self._database.execute(
                "DELETE FROM looks WHERE media IN (SELECT media FROM whose WHERE character = ?)",
                (character,),
            ).rowcount
            self._database.execute("DELETE FROM whose WHERE character = ?", (character,))
        with self._one_line():
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.execute("VACUUM")  # what is deleted is otherwise still in the file
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)

    def merge(self, other: Path) -> int:
        """Take over what another cache knows and this one does not; return how much.

        Raises as opening does, and for another version; the other one is not changed.
        """
        with _reading(other) as source:
            rows = source.execute("SELECT * FROM looks").fetchall()
            seen = source.execute("SELECT * FROM whose").fetchall()
            rows = [row for row in rows if _unpack(row[-1]) is not None]
        with self._all_or_none():
            before = self._database.total_changes
            self._database.executemany("INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?)", rows)
            taken = self._database.total_changes - before
            self._database.executemany("INSERT OR IGNORE INTO whose VALUES (?, ?)", seen)
        return taken

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        with self._one_line():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # SQLite itself goes back on a full disk
                    self._database.execute("ROLLBACK")
                raise

    def _keep(self, query: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Write rows, all or none; where there is no room, go on without, from now on."""
        if self.unkept:
            return
        try:
            with self._all_or_none():
                self._database.executemany(query, rows)
        except UnwritableFileError as error:
            self.unkept = str(error)

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in _NO_ROOM:
                raise UnwritableFileError(f"{self._path}: {error}") from None
            raise UnreadableFileError(f"{self._path}: found no sound cache: {error}") from None
        except (sqlite3.Error, struct.error, ValueError, TypeError) as error:
            raise UnreadableFileError(f"{self._path}: found no sound cache: {error}") from None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open another cache without changing anything about it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            version = source.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION:
                kind = NewerVersionError if version > VERSION else UnreadableFileError
                raise kind(f"{path}: found version {version}, expected {VERSION}")
            yield source
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise UnreadableFileError(f"{path}: found no sound cache: {error}") from None


def _pack(subjects: tuple[Subject, ...]) -> bytes:
    parts = []
    for each in subjects:
        box, vector = each.box, each.vector.astype("<f4").tobytes()
        parts.append(
            _HEAD.pack(
                *(box.left, box.top, box.right, box.bottom),
                *(each.confidence, each.clarity, len(vector) // 4),
            )
        )
        parts.append(vector)
    return b"".join(parts)


def _unpack(blob: bytes) -> tuple[Subject, ...] | None:
    """Return what a row holds; None for a damaged one, which is then measured anew."""
    import numpy as np

    subjects = []
    at = 0
    while at < len(blob):
        if at + _HEAD.size > len(blob):
            return None
        *edges, confidence, clarity, size = _HEAD.unpack_from(blob, at)
        at += _HEAD.size
        if (
            not 0 < size <= _MAX_DIMENSIONS
            or at + 4 * size > len(blob)
            or clarity not in iter(Clarity)
        ):
            return None
        vector = np.frombuffer(blob, "<f4", size, at).copy()
        at += 4 * size
        if not (np.isfinite(vector).all() and vector.any()):
            return None
        subjects.append(Subject(Box(*edges), confidence, Clarity(clarity), vector))
    return tuple(subjects)
